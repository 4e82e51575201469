import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  baseOffsetOf,
  baseSequenceOf,
  baseTimestampOf,
  batchHeaderBytes,
  codecOf,
  computedCrcOf,
  crcOf,
  hasDeleteHorizon,
  isControl,
  isTransactional,
  lastOffsetOf,
  lastSequenceOf,
  leaderEpochOf,
  maxTimestampOf,
  producerEpochOf,
  producerIdOf,
  timestampTypeOf,
} from './batch.ts'
import { buildBatch, type NewRecord } from './batch-builder.ts'
import { codecById } from './codec.ts'
import { buildEndTransactionMarker, endTransactionMarkerOf } from './control-batch.ts'
import { filterBatch, type KeepRecord } from './filter-batch.ts'
import { recordsOf } from './record.ts'
import { RecordFormatError } from './record-cursor.ts'

const records: NewRecord[] = [5, 9, 7, 3].map((timestamp) => ({ key: `k${timestamp}`, value: 'v', timestamp }))
const options = {
  baseOffset: 100,
  leaderEpoch: 4,
  producerId: 7,
  producerEpoch: 2,
  baseSequence: 40,
  transactional: true,
} as const

for (const codec of codecById) {
  test(`the records that are kept stay as they were, and so does the rest of the batch, codec ${codec}`, () => {
    fc.assert(
      fc.property(
        fc.subarray([100, 101, 102, 103], { minLength: 1 }),
        fc.option(fc.nat(2 ** 45)),
        (offsets, horizon) => {
          const batch = buildBatch(records, { ...options, codec })
          const expected = [...recordsOf(batch)].filter((record) => offsets.includes(record.offset))
          const deleteHorizonMs = horizon ?? undefined
          const { kept, bytes } = filterBatch(batch, (_, offset) => offsets.includes(offset), { deleteHorizonMs })
          assert.equal(kept, offsets.length)
          assert.deepEqual([...recordsOf(bytes)], expected)
          assert.equal(maxTimestampOf(bytes), Math.max(...expected.map((record) => record.timestamp)))
          assert.equal(hasDeleteHorizon(bytes), horizon !== null)
          if (horizon !== null) assert.equal(baseTimestampOf(bytes), horizon)
          assert.equal(codecOf(bytes), codec)
          assertSameFrame(bytes, batch)
        },
      ),
    )
  })
}

test('a batch of which everything is kept is the same bytes, not a copy', () => {
  const batch = buildBatch(records, { ...options, codec: 'gzip' })
  assert.equal(filterBatch(batch, () => true).bytes, batch)
})

test('of a batch that loses everything the header is left, without codec or records', () => {
  for (const codec of codecById) {
    const batch = buildBatch(records, { ...options, codec })
    const { kept, bytes } = filterBatch(batch, () => false, { deleteHorizonMs: 50 })
    assert.equal(kept, 0)
    assert.equal(bytes.length, batchHeaderBytes)
    assert.equal(codecOf(bytes), 'none')
    assert.equal(hasDeleteHorizon(bytes), false)
    assert.equal(baseTimestampOf(bytes), 9)
    assert.equal(maxTimestampOf(bytes), 9)
    assert.deepEqual([...recordsOf(bytes)], [])
    assertSameFrame(bytes, batch)
    assert.equal(filterBatch(bytes, () => true).bytes, bytes)
  }
})

test('a delete horizon, once set, stays', () => {
  const first = filterBatch(buildBatch(records, options), () => true, { deleteHorizonMs: 1000 }).bytes
  assert.equal(filterBatch(first, () => true, { deleteHorizonMs: 2000 }).bytes, first)
  const second = filterBatch(first, (_, offset) => offset !== 101, { deleteHorizonMs: 2000 }).bytes
  assert.equal(baseTimestampOf(second), 1000)
  assert.deepEqual(
    [...recordsOf(second)].map((record) => record.timestamp),
    [5, 7, 3],
  )
})

test('a horizon for tombstones is set when one is kept, and only then', () => {
  const batch = buildBatch(
    [
      { key: 'a', value: 'v', timestamp: 5 },
      { key: 'b', value: null, timestamp: 6 },
    ],
    options,
  )
  const keeping = (...keys: string[]) => {
    const keep: KeepRecord = (record) =>
      keys.includes(Buffer.from(record.bytes.subarray(record.keyAt, record.keyAt + record.keyLength)).toString())
    return filterBatch(batch, keep, { tombstoneHorizonMs: 5000 }).bytes
  }
  assert.equal(hasDeleteHorizon(keeping('a')), false)
  for (const kept of [keeping('b'), keeping('a', 'b')]) {
    assert.equal(hasDeleteHorizon(kept), true)
    assert.equal(baseTimestampOf(kept), 5000)
    assert.equal(maxTimestampOf(kept), 6)
  }
})

test('a batch whose count of records is not what it holds is refused', () => {
  for (const count of [-1, 3, 5, 2 ** 31 - 1]) {
    const batch = buildBatch(records, options)
    Buffer.from(batch.buffer, batch.byteOffset).writeInt32BE(count, 57)
    assert.throws(() => filterBatch(batch, () => true), RecordFormatError)
  }
})

test('a LogAppendTime batch keeps its time', () => {
  const batch = buildBatch(records, { ...options, timestampType: 'LogAppendTime', timestamp: 70 })
  const { bytes } = filterBatch(batch, (_, offset) => offset === 103)
  assert.equal(timestampTypeOf(bytes), 'LogAppendTime')
  assert.deepEqual(
    [...recordsOf(bytes)].map((record) => record.timestamp),
    [70],
  )
})

test('a marker with a delete horizon is still a marker', () => {
  const marker = { kind: 'abort', coordinatorEpoch: 3 } as const
  const batch = buildEndTransactionMarker(marker, { producerId: 7, producerEpoch: 2, timestamp: 20 })
  const { bytes } = filterBatch(batch, () => true, { deleteHorizonMs: 5000 })
  assert.ok(hasDeleteHorizon(bytes) && isControl(bytes))
  assert.deepEqual(endTransactionMarkerOf(bytes), marker)
  assert.equal(maxTimestampOf(bytes), 20)
})

function assertSameFrame(bytes: Uint8Array, batch: Uint8Array): void {
  assert.equal(crcOf(bytes), computedCrcOf(bytes))
  const reads = [
    baseOffsetOf,
    lastOffsetOf,
    leaderEpochOf,
    producerIdOf,
    producerEpochOf,
    baseSequenceOf,
    lastSequenceOf,
    isTransactional,
  ]
  for (const read of reads) assert.equal(read(bytes), read(batch), read.name)
}
