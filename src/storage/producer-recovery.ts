// Producer state as it stood at some offset: the newest snapshot at or below it, and every batch from there on.

import { baseOffsetOf, nextOffsetOf, noProducerId, producerIdOf } from '../records/batch.ts'
import { CorruptLogError } from './log-errors.ts'
import type { Offset } from './partition-log.ts'
import { producerBatchOf } from './producer-batch.ts'
import { decodeProducerSnapshot } from './producer-snapshot.ts'
import { ProducerState } from './producer-state.ts'
import type { Segment } from './segment.ts'
import { fileNameOf, snapshotSuffix } from './segment-names.ts'
import { scanBatches } from './segment-scan.ts'
import type { StorageContext } from './storage-context.ts'
import { type AbortedTransaction, decodeTxnIndex } from './txn-index.ts'

export interface ProducersAt {
  readonly folder: string
  readonly segments: readonly Segment[]
  /** Known snapshots; in any order. */
  readonly snapshots: Iterable<Offset>
  readonly upTo: Offset
  readonly indexIntervalBytes: number
}

/** Rejects with `CorruptLogError` when a batch on the way is damaged, and with the disk's faults. */
export async function producersAt(context: StorageContext, options: ProducersAt): Promise<ProducerState> {
  const { segments, upTo } = options
  const usable = [...options.snapshots].filter((offset) => offset <= upTo).sort((one, other) => other - one)
  let from = 0
  let state = new ProducerState()
  for (const offset of usable) {
    const bytes = await context.disk.readFile(`${options.folder}/${fileNameOf(offset, snapshotSuffix)}`)
    const found = bytes === null ? null : decodeProducerSnapshot(bytes)
    if (found === null) {
      context.logger.warn({ folder: options.folder, offset }, 'a producer snapshot is damaged, using an older one')
      continue
    }
    state = found
    from = offset
    break
  }
  for (const [i, segment] of segments.entries()) {
    const end = segments[i + 1]?.baseOffset ?? Infinity
    if (end <= from || segment.baseOffset >= upTo || segment.sizeBytes === 0) continue
    await replay(context, segment, { from, upTo, end, indexIntervalBytes: options.indexIntervalBytes }, state)
  }
  return state
}

/** Applies the batches of one segment in [from, upTo) to `state`; answers the transactions they aborted. */
export async function replay(
  context: StorageContext,
  segment: Segment,
  range: { from: Offset; upTo: Offset; end: Offset; indexIntervalBytes: number },
  state: ProducerState,
): Promise<AbortedTransaction[]> {
  const aborted: AbortedTransaction[] = []
  let position = 0
  if (range.from > segment.baseOffset) {
    const indexes = await context.indexCache.indexesOf(segment, range.end, range.indexIntervalBytes)
    position = indexes.offsets.lookup(range.from)
  }
  const scan = { from: position, to: segment.sizeBytes, expectedOffset: segment.baseOffset, verifyChecksums: false }
  const scanned = await scanBatches(segment.file, scan, (bytes, at) => {
    if (nextOffsetOf(bytes, at) <= range.from) return true
    const baseOffset = baseOffsetOf(bytes, at)
    if (baseOffset >= range.upTo) return false
    const producerId = producerIdOf(bytes, at)
    if (producerId > noProducerId) {
      const transaction = state.apply(producerBatchOf(bytes, at, producerId, baseOffset))
      if (transaction !== null) aborted.push(transaction)
    }
    return true
  })
  if (scanned.damage !== null) {
    throw new CorruptLogError(segment.file.path, scanned.position, scanned.nextOffset, scanned.damage)
  }
  return aborted
}

/** The aborted transactions that ended in one segment, which itself ends at `endOffset`: from its index file, or from the batches when that is damaged. */
export async function abortedIn(
  context: StorageContext,
  options: Omit<ProducersAt, 'upTo'> & { readonly segment: Segment; readonly endOffset: Offset },
): Promise<AbortedTransaction[]> {
  const { segment, endOffset: end } = options
  const bytes = await context.disk.readFile(segment.txnIndexPath)
  const stored = bytes === null ? [] : decodeTxnIndex(bytes, segment.baseOffset, end)
  if (stored !== null) return stored
  context.logger.warn({ file: segment.txnIndexPath }, 'the index of aborted transactions is wrong, building it again')
  const from = segment.baseOffset
  const state = await producersAt(context, { ...options, upTo: from })
  return replay(context, segment, { from, upTo: Infinity, end, indexIntervalBytes: options.indexIntervalBytes }, state)
}
