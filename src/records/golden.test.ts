// Batches written by Apache Kafka 4.3.1 (MemoryRecords of its Java client) are read as they were meant, and written the same.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import {
  baseOffsetOf,
  baseSequenceOf,
  codecOf,
  computedCrcOf,
  crcOf,
  isTransactional,
  lastOffsetOf,
  leaderEpochOf,
  maxTimestampOf,
  producerEpochOf,
  producerIdOf,
  sizeInBytesOf,
} from './batch.ts'
import { buildBatch } from './batch-builder.ts'
import { codecById } from './codec.ts'
import { buildEndTransactionMarker, endTransactionMarkerOf } from './control-batch.ts'
import { recordsOf } from './record.ts'

const file = readFileSync(new URL('golden/java-batches.json', import.meta.url), 'utf8')
const batches = new Map(
  (JSON.parse(file) as { name: string; hex: string }[]).map(({ name, hex }) => [name, Buffer.from(hex, 'hex')]),
)

const time = 1700000000000
const producer = { producerId: 4001, producerEpoch: 3 }
const records = [
  {
    timestamp: time,
    key: 'k1',
    value: 'hello',
    headers: [
      { key: 'trace', value: 'abc' },
      { key: 'empty', value: null },
    ],
  },
  { timestamp: time + 5, key: null, value: 'no key', headers: [] },
  { timestamp: time - 1, key: 'k3', value: null, headers: [] },
  { timestamp: time + 2, key: 'k4', value: 'x'.repeat(300), headers: [] },
]
const options = { ...producer, baseOffset: 1000, leaderEpoch: 9, baseSequence: 17, transactional: true }

for (const codec of codecById) {
  test(`a batch that Kafka packed with codec ${codec} is read`, () => {
    const batch = golden(codec)
    assert.equal(crcOf(batch), computedCrcOf(batch))
    assert.equal(sizeInBytesOf(batch), batch.length)
    assert.equal(codecOf(batch), codec)
    assert.equal(baseOffsetOf(batch), 1000)
    assert.equal(lastOffsetOf(batch), 1003)
    assert.equal(leaderEpochOf(batch), 9)
    assert.equal(maxTimestampOf(batch), time + 5)
    assert.equal(producerIdOf(batch), 4001)
    assert.equal(producerEpochOf(batch), 3)
    assert.equal(baseSequenceOf(batch), 17)
    assert.equal(isTransactional(batch), true)
    const read = [...recordsOf(batch)].map(({ offset, timestamp, key, value, headers }) => ({
      offset,
      timestamp,
      key: textOf(key),
      value: textOf(value),
      headers: headers.map((header) => ({ key: header.key, value: textOf(header.value) })),
    }))
    assert.deepEqual(
      read,
      records.map((record, index) => ({ offset: 1000 + index, ...record })),
    )
  })
}

test('the same batch is built to the same bytes', () => {
  assert.deepEqual(hexOf(buildBatch(records, options)), hexOf(golden('none')))
})

test('markers are read, and built to the same bytes', () => {
  for (const [kind, baseOffset] of [
    ['commit', 77],
    ['abort', 78],
  ] as const) {
    const batch = golden(`${kind} marker`)
    const marker = { kind, coordinatorEpoch: 12 }
    assert.deepEqual(endTransactionMarkerOf(batch), marker)
    assert.equal(
      hexOf(buildEndTransactionMarker(marker, { ...producer, timestamp: time, baseOffset, leaderEpoch: 5 })),
      hexOf(batch),
    )
  }
})

test('a batch that compaction emptied has its offsets and no records', () => {
  const batch = golden('empty after compaction')
  assert.deepEqual([...recordsOf(batch)], [])
  assert.equal(baseOffsetOf(batch), 10)
  assert.equal(lastOffsetOf(batch), 14)
  assert.equal(baseSequenceOf(batch), 4)
})

function golden(name: string): Buffer {
  const batch = batches.get(name)
  assert.ok(batch, name)
  return batch
}

function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString()
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
