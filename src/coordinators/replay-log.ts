// Rebuilds a machine's state from its partition, from the first record to the last one appended.

import { type Clock, nextTurn } from '../io/clock.ts'
import { hasProducerId, isControl, isTransactional, nextOffsetOf, producerIdOf } from '../records/batch.ts'
import { batchesIn } from '../records/batches-in.ts'
import { endTransactionMarkerOf } from '../records/control-batch.ts'
import { recordsOf } from '../records/record.ts'
import type { Offset } from '../storage/partition-log.ts'
import type { CoordinatorPartition } from './coordinator-partition.ts'
import { type CoordinatorMachine, type EntryCodec, noTransaction } from './effect.ts'

/** A long log must not keep this broker's connections waiting: so much is applied in one turn of the event loop, about a millisecond. */
const bytesPerTurn = 65_536
/** What a record costs besides its bytes. */
const bytesPerRecord = 64

export interface Replay<Entry> {
  readonly partition: CoordinatorPartition
  readonly machine: Pick<CoordinatorMachine<never, Entry>, 'apply' | 'transactionEnded'>
  readonly codec: EntryCodec<Entry>
  readonly clock: Clock
  /** Bound on what is held in memory at a time, save for one larger batch. */
  readonly readBytesMax: number
  /** Looked at after every read and every turn; false ends the replay early. */
  readonly wanted: () => boolean
}

/**
 * Applies the log until nothing follows, and returns the offset after its last record. Records above the high watermark count:
 * this broker leads, so they will be committed. Throws when the log cannot be read or a record is damaged.
 */
export async function replayLog<Entry>(replay: Replay<Entry>): Promise<Offset> {
  const { partition, clock } = replay
  let position = partition.logStartOffset
  for (;;) {
    const read = await partition.read(position, replay.readBytesMax)
    if (!replay.wanted()) return position
    if (!read.ok) {
      // Retention may have moved the start of the log past us since the last read.
      if (read.refusal !== 'offsetOutOfRange' || position >= partition.logStartOffset) {
        throw new Error(`cannot read the log at offset ${position}: ${read.refusal}`)
      }
      position = partition.logStartOffset
      continue
    }
    const before = position
    let bytes = 0
    for (const chunk of read.chunks) {
      for (const batch of batchesIn(chunk)) {
        // A batch may hold thousands of records: it does not have to be applied in one turn either.
        for (const applied of applying(replay, batch, position)) {
          bytes += applied
          if (bytes < bytesPerTurn) continue
          await nextTurn(clock)
          if (!replay.wanted()) return position
          bytes = 0
        }
        position = Math.max(position, nextOffsetOf(batch))
      }
    }
    if (position === before) return position
    await nextTurn(clock)
    if (!replay.wanted()) return position
  }
}

/** Yields after each record, with what it cost. A read may begin with records before `from`: they are known already. */
function* applying<Entry>({ machine, codec }: Replay<Entry>, batch: Uint8Array, from: Offset): Generator<number, void> {
  if (isControl(batch)) {
    const marker = endTransactionMarkerOf(batch)
    if (marker !== undefined) machine.transactionEnded(producerIdOf(batch), marker.kind === 'commit')
    return
  }
  const producerId = isTransactional(batch) && hasProducerId(batch) ? producerIdOf(batch) : noTransaction
  for (const { offset, key, value } of recordsOf(batch)) {
    if (offset < from || key === null) continue
    const entry = codec.decode({ key, value })
    if (entry !== null) machine.apply(entry, producerId)
    yield bytesPerRecord + key.length + (value?.length ?? 0)
  }
}
