import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeProducerSnapshot, encodeProducerSnapshot } from './producer-snapshot.ts'
import { newEntry, ProducerState } from './producer-state.ts'

/** Written by Apache Kafka 4.3.1. */
const golden = Buffer.from(
  '0001d6c222cf00000001000000000000000000000000137f000000000000137f0000004d000001a204e5df8dffffffffffffffffffffffff',
  'hex',
)

test("Kafka's snapshot is read, and written again byte for byte", () => {
  const state = decodeProducerSnapshot(golden)
  assert.ok(state !== null)
  const timestamp = 0x1a204e5df8d
  const last = { lastSequence: 4991, lastOffset: 4991, offsetDelta: 77, timestamp }
  assert.deepEqual([...state.entries()], [{ ...newEntry(0), epoch: 0, lastTimestamp: timestamp, batches: [last] }])
  assert.deepEqual(Buffer.from(encodeProducerSnapshot(state)), golden)
})

test('open transactions and producers without batches survive', () => {
  const state = new ProducerState([
    { ...newEntry(1), epoch: 3, coordinatorEpoch: 9, lastTimestamp: 50, currentTxnFirstOffset: 77 },
    { ...newEntry(2), epoch: 0, batches: [{ lastSequence: 4, lastOffset: 80, offsetDelta: 4, timestamp: -1 }] },
  ])
  const again = decodeProducerSnapshot(encodeProducerSnapshot(state))
  assert.deepEqual([...again!.entries()], [...state.entries()])
  assert.equal(again!.firstOpenOffset, 77)
})

const batchTo = (lastSequence: number) => ({ lastSequence, lastOffset: lastSequence, offsetDelta: 4, timestamp: 5 })

test('the batches that a producer may send again are kept, behind what Kafka reads', () => {
  const entries = [
    { ...newEntry(2), epoch: 0, lastTimestamp: 5, batches: [4, 9, 14].map(batchTo) },
    { ...newEntry(3), epoch: 0, lastTimestamp: 5, batches: [] },
    { ...newEntry(4), epoch: 0, lastTimestamp: 5, batches: [14].map(batchTo) },
  ]
  const bytes = encodeProducerSnapshot(new ProducerState(entries))
  assert.deepEqual([...decodeProducerSnapshot(bytes)!.entries()], entries)
  const asKafka = encodeProducerSnapshot(
    new ProducerState(entries.map((entry) => ({ ...entry, batches: entry.batches.slice(-1) }))),
  )
  // All but the checksum is the same up to where Kafka's part ends.
  assert.deepEqual(bytes.subarray(6, asKafka.length), asKafka.subarray(6))
})

test('damaged, cut and foreign bytes are no snapshot', () => {
  for (let at = 0; at < golden.length; at++) {
    const damaged = Buffer.from(golden)
    damaged[at]! ^= 1
    assert.equal(decodeProducerSnapshot(damaged), null, `byte ${at}`)
    assert.equal(decodeProducerSnapshot(golden.subarray(0, at)), null, `${at} bytes`)
  }
})
