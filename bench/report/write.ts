// The files of a report.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { markdown } from './markdown.ts'
import { plot } from './plot.ts'
import type { RunResult } from './result.ts'

export function writeReport(folder: string, run: RunResult): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'results.json'), `${JSON.stringify(run, rounded, 2)}\n`)
  writeFileSync(join(folder, 'RESULTS.md'), markdown(run))
  writeFileSync(join(folder, 'results.svg'), plot(run))
}

export function readResult(path: string): RunResult {
  return JSON.parse(readFileSync(path, 'utf8')) as RunResult
}

/** Five digits: more than a measurement knows, and few enough that two files can be read beside each other. */
function rounded(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value
}
