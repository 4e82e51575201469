import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../io/clock.sim.ts'
import { buildBatch } from '../records/batch-builder.ts'
import type { Offset } from '../storage/partition-log.ts'
import type { CoordinatorPartition } from './coordinator-partition.ts'
import type { CoordinatorMachine, EntryCodec } from './effect.ts'
import { replayLog } from './replay-log.ts'

const count = 400
const records = Array.from({ length: count }, (_, i) => ({ key: `${i}`, value: 'x'.repeat(1000) }))
const logs = {
  'many batches': Buffer.concat(records.map((record, i) => buildBatch([record], { baseOffset: i }))),
  'one large batch': buildBatch(records),
  'one large batch that is compressed': buildBatch(records, { codec: 'lz4' }),
}

/** Reads all of the log at once; tells of each turn of the loop that the replay gives away. */
function replayOf(log: Uint8Array, wanted: () => boolean, onTurn: (applied: readonly string[]) => void) {
  const applied: string[] = []
  const clock = new SimulatedClock()
  const partition = {
    logStartOffset: 0,
    read: async (from: Offset) => ({ ok: true, chunks: from >= count ? [] : [log], sizeBytes: log.length }),
  } as unknown as CoordinatorPartition
  const machine = { apply: (entry: string) => applied.push(entry) } as unknown as CoordinatorMachine<never, string>
  const codec = {
    decode: ({ key }: { key: Uint8Array }) => Buffer.from(key).toString(),
  } as unknown as EntryCodec<string>
  const defer = (callback: () => void): void => {
    onTurn(applied)
    clock.defer(callback)
  }
  const watched = Object.assign(Object.create(clock) as SimulatedClock, { defer })
  return { applied, end: replayLog({ partition, machine, codec, clock: watched, readBytesMax: 1 << 20, wanted }) }
}

for (const [what, log] of Object.entries(logs)) {
  test(`a read of ${what} is applied over several turns of the loop, in order`, async () => {
    const seen: number[] = []
    const replay = replayOf(
      log,
      () => true,
      (applied) => seen.push(applied.length),
    )
    assert.equal(await replay.end, count)
    assert.deepEqual(
      replay.applied,
      Array.from({ length: count }, (_, i) => `${i}`),
    )
    const perTurn = seen.map((applied, i) => applied - (seen[i - 1] ?? 0))
    assert.ok(seen.length >= 6 && Math.max(...perTurn) <= 65, `applied in each turn: ${perTurn.join(' ')}`)
  })

  test(`a replay of ${what} that is no longer wanted ends between two turns`, async () => {
    let turns = 0
    const replay = replayOf(
      log,
      () => turns < 2,
      () => turns++,
    )
    await replay.end
    const { length } = replay.applied
    assert.ok(length > 60 && length < 200, `${length} were applied`)
  })
}
