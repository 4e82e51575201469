// What lies in the folders of the brokers: the replicas of a partition beside one another, and its records.

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { baseOffsetOf, batchLayout, codecOf, leaderEpochOf, nextOffsetOf } from '../../src/records/batch.ts'
import { forEachBatch } from '../../src/records/batches-in.ts'
import { RecordCursor } from '../../src/records/record-cursor.ts'
import type { Load } from './loads.ts'

/** The batches of a replica below an offset, back to back. Its broker may be running. */
export async function batchesBelow(
  data: string,
  topic: string,
  partition: number,
  endOffset: number,
): Promise<Uint8Array> {
  const folder = join(data, `${topic}-${partition}`)
  // The folder comes with the first batch.
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const names = entries.filter((name) => name.endsWith('.log')).sort()
  const pieces: Uint8Array[] = []
  for (const name of names) {
    const bytes = await readFile(join(folder, name))
    let end = 0
    forEachBatch(bytes, (at, size) => {
      if (nextOffsetOf(bytes, at) > endOffset) return false
      end = at + size
      return true
    })
    pieces.push(bytes.subarray(0, end))
  }
  return Buffer.concat(pieces)
}

/** Says how the replicas differ below the high watermark; null when they are equal byte for byte, and reach it. */
export async function differenceOf(
  folders: ReadonlyMap<number, string>,
  topic: string,
  partition: number,
  highWatermark: number,
): Promise<string | null> {
  const [[first, bytes], ...others] = (await Promise.all(
    [...folders].map(async ([id, data]): Promise<[number, Uint8Array]> => {
      return [id, await batchesBelow(data, topic, partition, highWatermark)]
    }),
  )) as [[number, Uint8Array], ...[number, Uint8Array][]]
  const where = `${topic}-${partition}, high watermark ${highWatermark}`
  const end = endOf(bytes)
  if (end !== highWatermark) return `${where}: broker ${first} has it only up to ${end}`
  for (const [id, other] of others) {
    if (Buffer.compare(bytes, other) === 0) continue
    const at = bytes.findIndex((byte, index) => byte !== other[index])
    return `${where}: brokers ${first} and ${id} differ at ${batchAround(bytes, at)} and ${batchAround(other, at)}`
  }
  return null
}

function endOf(bytes: Uint8Array): number {
  let end = 0
  forEachBatch(bytes, (at) => {
    end = nextOffsetOf(bytes, at)
  })
  return end
}

function batchAround(bytes: Uint8Array, position: number): string {
  let text = `the end (${endOf(bytes)})`
  forEachBatch(bytes, (at, size) => {
    if (position < 0 || position >= at + size) return true
    text = `offset ${baseOffsetOf(bytes, at)} to ${nextOffsetOf(bytes, at) - 1} of epoch ${leaderEpochOf(bytes, at)}`
    return false
  })
  return text
}

/** By offset; the batches are not compressed, and no offset is left out. */
export function valuesOf(bytes: Uint8Array): number[] {
  const values: number[] = []
  forEachBatch(bytes, (at, size) => {
    if (codecOf(bytes, at) !== 'none') throw new Error(`a compressed batch at offset ${baseOffsetOf(bytes, at)}`)
    const cursor = new RecordCursor(bytes, at + batchLayout.records, at + size)
    while (cursor.at < cursor.end) {
      cursor.next()
      const offset = baseOffsetOf(bytes, at) + cursor.offsetDelta
      const value = Buffer.from(bytes.buffer, bytes.byteOffset + cursor.valueAt, cursor.valueLength).toString()
      if (offset !== values.length) throw new Error(`offset ${offset} behind ${values.length - 1}`)
      values.push(Number(value))
    }
  })
  return values
}

/** What is wrong with the records of a load: one that was acknowledged and is not where that was said, one twice, one out of order. */
export function problemsOf(
  { name, topic, once }: Load,
  acknowledged: Load['acknowledged'],
  partition: number,
  values: readonly number[],
): string[] {
  const problems: string[] = []
  const where = `${name}, ${topic}-${partition}`
  const own = acknowledged.filter((one) => one.partition === partition)
  const all = new Set(values)
  const lost = own.filter(({ offset, value }) => (offset === null ? !all.has(value) : values[offset] !== value))
  if (lost.length > 0) {
    const { offset, value } = lost[0]!
    problems.push(
      `${where}: ${lost.length} acknowledged are not there, first ${value} at offset ${offset}, where ${values[offset ?? -1]} is`,
    )
  }
  if (!once) return problems
  for (let offset = 1; offset < values.length; offset++) {
    if (values[offset]! > values[offset - 1]!) continue
    const how = values.indexOf(values[offset]!) < offset ? 'twice' : 'out of order'
    problems.push(`${where}: ${values[offset]} is there ${how}, at offset ${offset}, behind ${values[offset - 1]}`)
    break
  }
  return problems
}
