import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { batchLayout } from './batch.ts'
import { buildBatch } from './batch-builder.ts'
import { RecordCursor, RecordFormatError } from './record-cursor.ts'

const batch = buildBatch([
  { key: 'k', value: 'vv', timestamp: 10, headers: [{ key: 'h', value: null }] },
  { value: null, timestamp: 7 },
])

test('the cursor tells where the parts of each record lie', () => {
  const cursor = new RecordCursor(batch, batchLayout.records)
  cursor.next()
  assert.equal(cursor.recordAt, batchLayout.records)
  assert.equal(cursor.offsetDelta, 0)
  assert.deepEqual(Buffer.from(batch.subarray(cursor.keyAt, cursor.keyAt + cursor.keyLength)).toString(), 'k')
  assert.deepEqual(Buffer.from(batch.subarray(cursor.valueAt, cursor.valueAt + cursor.valueLength)).toString(), 'vv')
  assert.equal(cursor.headersCount, 1)
  const second = cursor.at
  cursor.next()
  assert.equal(cursor.recordAt, second)
  assert.equal(cursor.timestampDelta, -3)
  assert.equal(cursor.offsetDelta, 1)
  assert.equal(cursor.keyLength, -1)
  assert.equal(cursor.valueLength, -1)
  assert.equal(cursor.at, batch.length)
  assert.throws(() => cursor.next(), RecordFormatError)
})

test('nothing beyond the range is read, though the bytes go on', () => {
  for (let to = batchLayout.records; to < batch.length; to++) {
    const cursor = new RecordCursor(batch, batchLayout.records, to)
    assert.throws(() => {
      cursor.next()
      cursor.next()
    }, RecordFormatError)
    assert.equal(cursor.end, to)
  }
})

test('a record hidden behind the headers of another is not taken for the next', () => {
  const inner = Buffer.from('0c000000010100', 'hex')
  const outer = Buffer.concat([Buffer.from([2 * (6 + inner.length)]), inner.subarray(1), inner])
  assert.throws(() => new RecordCursor(outer).next(), RecordFormatError)
  new RecordCursor(inner).next()
})

const plainFields = ({ at, timestampDelta, offsetDelta, keyLength }: RecordCursor) => ({
  at,
  timestampDelta,
  offsetDelta,
  keyLength,
})

/** Walks with `nextPlain`, by `next` where that does not go on, and holds both against each other. Answers how many were plain. */
function walkBothWays(bytes: Uint8Array, from: number): number {
  const cursor = new RecordCursor(bytes, from)
  for (let plain = 0; ;) {
    const other = new RecordCursor(bytes, cursor.at)
    const before = cursor.at
    if (cursor.nextPlain()) {
      plain += 1
      other.next()
      assert.deepEqual(plainFields(cursor), plainFields(other))
    } else {
      assert.equal(cursor.at, before)
      try {
        cursor.next()
      } catch (error) {
        assert.ok(error instanceof RecordFormatError)
        return plain
      }
    }
  }
}

test('the quick way over a record is taken for what most records are, and says the same', () => {
  const records = Array.from({ length: 300 }, (_, index) => ({
    key: index % 3 === 0 ? null : `key-${index}`,
    value: index % 7 === 0 ? null : 'v'.repeat(index * 61),
    timestamp: 1_700_000_000_000 + index * 1000,
  }))
  assert.ok(walkBothWays(buildBatch(records), batchLayout.records) >= 298)
})

test('the quick way over bytes that are damaged says what the slow one says, or nothing', () => {
  const records = Array.from({ length: 40 }, (_, index) => ({ key: 'k'.repeat(index), value: 'v'.repeat(index * 9) }))
  const whole = buildBatch(records)
  fc.assert(
    fc.property(
      fc.array(fc.record({ at: fc.nat(whole.length - batchLayout.records - 1), byte: fc.nat(255) }), { maxLength: 20 }),
      (changes) => {
        const damaged = new Uint8Array(whole)
        for (const { at, byte } of changes) damaged[batchLayout.records + at] = byte
        walkBothWays(damaged, batchLayout.records)
      },
    ),
    { numRuns: 500 },
  )
})
