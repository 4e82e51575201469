import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  batchHeaderBytes,
  baseOffsetOf,
  baseSequenceOf,
  isControl,
  isTransactional,
  leaderEpochOf,
  maxTimestampOf,
  producerEpochOf,
  producerIdOf,
} from './batch.ts'
import { buildBatch } from './batch-builder.ts'
import { buildEndTransactionMarker, endTransactionMarkerOf } from './control-batch.ts'

const marker = { kind: 'commit', coordinatorEpoch: 12 } as const

test('a marker names its producer and is transactional, without a sequence', () => {
  const batch = buildEndTransactionMarker(marker, {
    producerId: 4,
    producerEpoch: 3,
    timestamp: 99,
    baseOffset: 7,
    leaderEpoch: 2,
  })
  assert.equal(isControl(batch), true)
  assert.equal(isTransactional(batch), true)
  assert.equal(producerIdOf(batch), 4)
  assert.equal(producerEpochOf(batch), 3)
  assert.equal(baseSequenceOf(batch), -1)
  assert.equal(maxTimestampOf(batch), 99)
  assert.equal(baseOffsetOf(batch), 7)
  assert.equal(leaderEpochOf(batch), 2)
})

for (const kind of ['abort', 'commit'] as const) {
  test(`a marker that says ${kind} reads back`, () => {
    const batch = buildEndTransactionMarker(
      { kind, coordinatorEpoch: 12 },
      { producerId: 4, producerEpoch: 3, timestamp: 0 },
    )
    assert.deepEqual(endTransactionMarkerOf(batch), { kind, coordinatorEpoch: 12 })
  })
}

const key = (version: number, type: number) => Uint8Array.of(version >> 8, version, type >> 8, type)
const value = Uint8Array.of(0, 0, 0, 0, 0, 12)
const others = [
  { name: 'a leader change', record: { key: key(0, 2), value }, options: { control: true } },
  { name: 'a type yet to come', record: { key: key(0, 99), value }, options: { control: true } },
  { name: 'a key too short for a type', record: { key: new Uint8Array(2), value }, options: { control: true } },
  { name: 'a null key', record: { key: null, value }, options: { control: true } },
  { name: 'a null value', record: { key: key(0, 1), value: null }, options: { control: true } },
  {
    name: 'a value too short for an epoch',
    record: { key: key(0, 1), value: value.subarray(1) },
    options: { control: true },
  },
  { name: 'a record that only looks like a marker', record: { key: key(0, 1), value }, options: { control: false } },
]
for (const { name, record, options } of others) {
  test(`no end of a transaction: ${name}`, () => {
    assert.equal(endTransactionMarkerOf(buildBatch([record], options)), undefined)
  })
}

test('a control batch whose record is compacted away ends nothing', () => {
  const emptied = buildBatch([], { control: true, transactional: true, lastOffsetDelta: 0 })
  assert.equal(emptied.length, batchHeaderBytes)
  assert.equal(endTransactionMarkerOf(emptied), undefined)
})

test('later versions of key and value only add fields', () => {
  const later = buildBatch(
    [{ key: Buffer.concat([key(1, 1), Buffer.alloc(3)]), value: Uint8Array.of(0, 1, 0, 0, 0, 12, 0, 0) }],
    {
      control: true,
    },
  )
  assert.deepEqual(endTransactionMarkerOf(later), marker)
})
