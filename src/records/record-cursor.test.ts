import assert from 'node:assert/strict'
import { test } from 'node:test'
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
