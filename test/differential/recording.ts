// The recorded answers as a file: one line for a step and the versions that answer alike, so that a change shows in a diff.

import { readFileSync, writeFileSync } from 'node:fs'
import type { Json } from './normalize.ts'

export type Recording = ReadonlyMap<string, ReadonlyMap<number, Json>>

export const recordingFile = new URL('./apache-kafka-4.3.1.json', import.meta.url)

/** `{ "step": { "3-8": answer, "9": answer } }` */
export function writeRecording(notes: Recording): void {
  const steps = [...notes].map(([step, byVersion]) => {
    const ranges: { from: number; to: number; answer: string }[] = []
    for (const [version, answer] of [...byVersion].toSorted(([one], [other]) => one - other)) {
      const text = JSON.stringify(answer)
      const last = ranges.at(-1)
      if (last !== undefined && last.answer === text && last.to === version - 1) last.to = version
      else ranges.push({ from: version, to: version, answer: text })
    }
    const lines = ranges.map(({ from, to, answer }) => `    "${from === to ? from : `${from}-${to}`}": ${answer}`)
    return `  ${JSON.stringify(step)}: {\n${lines.join(',\n')}\n  }`
  })
  writeFileSync(recordingFile, `{\n${steps.join(',\n')}\n}\n`)
}

export function readRecording(): Recording {
  const steps = JSON.parse(readFileSync(recordingFile, 'utf8')) as Record<string, Record<string, Json>>
  return new Map(
    Object.entries(steps).map(([step, ranges]) => {
      const byVersion = new Map<number, Json>()
      for (const [range, answer] of Object.entries(ranges)) {
        const [from, to = from] = range.split('-').map(Number) as [number, number?]
        for (let version = from; version <= to; version++) byVersion.set(version, answer)
      }
      return [step, byVersion]
    }),
  )
}
