// Reading the metadata log of an Apache Kafka that has stopped (KRaft: the folder `__cluster_metadata-0`): the newest snapshot, then
// what the log says after it. Nothing is written.
//
//   00000000000000004711-0000000003.checkpoint   the state up to offset 4711, in batches between a header and a footer (KIP-630)
//   00000000000000000000.log                     segments of the log; it may begin before the snapshot's end, never after it

import type { Disk } from '../io/disk.ts'
import { baseOffsetOf, isControl, nextOffsetOf, sizeInBytesOf } from '../records/batch.ts'
import { recordsOf } from '../records/record.ts'
import { hasSoundBatchAfter, isSoundBatchAt } from '../records/sound-batches.ts'

/** The log is not whole: what it would say is not what was decided. */
export class KraftLogDamaged extends Error {
  override readonly name = 'KraftLogDamaged'
}

export interface KraftLogRead {
  /** Where the log ends. */
  readonly endOffset: number
  /** Bytes of a record that was being written when Kafka was killed, and is left out. */
  readonly tornBytes: number
}

const snapshotName = /^(\d{20})-\d{10}\.checkpoint$/
const segmentName = /^(\d{20})\.log$/

/**
 * Calls `visit` with the value of every record, in order; control records of the quorum are passed over. Rejects with
 * `KraftLogDamaged`. Each file is read whole: Kafka makes a snapshot every 20 MB of log.
 */
export async function readKraftLog(
  disk: Disk,
  folder: string,
  visit: (value: Uint8Array) => void,
): Promise<KraftLogRead> {
  const names = (await disk.list(folder)).filter(({ kind }) => kind === 'file').map(({ name }) => name)
  let end = 0
  const snapshot = names.findLast((name) => snapshotName.test(name))
  if (snapshot !== undefined) {
    const path = `${folder}/${snapshot}`
    const bytes = (await disk.readFile(path)) ?? new Uint8Array(0)
    const at = visitBatches(bytes, null, visit).position
    if (at < bytes.length) throw damaged(path, at)
    end = offsetIn(snapshot)
  }
  let tornBytes = 0
  const segments = names.filter((name) => segmentName.test(name))
  for (const [i, name] of segments.entries()) {
    const next = segments[i + 1]
    if (next !== undefined && offsetIn(next) <= end) continue
    const path = `${folder}/${name}`
    if (offsetIn(name) > end) {
      throw new KraftLogDamaged(`${path} begins at offset ${offsetIn(name)}, and what was before ends at ${end}`)
    }
    const bytes = (await disk.readFile(path)) ?? new Uint8Array(0)
    const read = visitBatches(bytes, { logStart: offsetIn(name), from: end }, visit)
    end = Math.max(end, read.nextOffset)
    tornBytes = bytes.length - read.position
    if (tornBytes === 0) continue
    const isTornTail = next === undefined && !hasSoundBatchAfter(bytes, read.position, read.nextOffset)
    if (!isTornTail) throw damaged(path, read.position)
  }
  return { endOffset: end, tornBytes }
}

/** Up to the first batch that is not sound. Of a log: only records from `from` on, and the batches must follow each other. */
function visitBatches(
  bytes: Uint8Array,
  log: { readonly logStart: number; readonly from: number } | null,
  visit: (value: Uint8Array) => void,
): { readonly position: number; readonly nextOffset: number } {
  let position = 0
  let nextOffset = log?.logStart ?? 0
  while (isSoundBatchAt(bytes, position)) {
    if (log !== null && baseOffsetOf(bytes, position) !== nextOffset) break
    const size = sizeInBytesOf(bytes, position)
    const batch = bytes.subarray(position, position + size)
    position += size
    nextOffset = nextOffsetOf(batch)
    if (isControl(batch) || (log !== null && nextOffset <= log.from)) continue
    for (const { offset, value } of recordsOf(batch)) {
      if (value !== null && (log === null || offset >= log.from)) visit(value)
    }
  }
  return { position, nextOffset }
}

function offsetIn(name: string): number {
  return Number(name.slice(0, 20))
}

function damaged(path: string, at: number): KraftLogDamaged {
  return new KraftLogDamaged(`${path} is damaged at byte ${at}`)
}
