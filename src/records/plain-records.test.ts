import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { batchLayout } from './batch.ts'
import { type NewRecord, buildBatch } from './batch-builder.ts'
import { nonePassed, type PlainBounds, passPlainRecords } from './plain-records.ts'
import { RecordCursor } from './record-cursor.ts'

const open: PlainBounds = { timestampDeltaMin: -Infinity, timestampDeltaMax: Infinity, keyNeeded: false }

/** What `passPlainRecords` says of the records from the first one on. */
function passedOf(bytes: Uint8Array, { bounds = open, countMax = 1000, from = batchLayout.records } = {}) {
  const cursor = new RecordCursor(bytes, from)
  const passed = nonePassed()
  passPlainRecords(cursor, countMax, bounds, passed)
  return { ...passed, at: cursor.at }
}

/** The same of the first `count` records, passed one by one. Throws `RecordFormatError` where they are no records. */
function walked(bytes: Uint8Array, count: number) {
  const cursor = new RecordCursor(bytes, batchLayout.records)
  const found = { count, timestampDeltaMax: -Infinity, offsetsConsecutive: true }
  for (let index = 0; index < count; index++) {
    cursor.next()
    found.timestampDeltaMax = Math.max(found.timestampDeltaMax, cursor.timestampDelta)
    if (cursor.offsetDelta !== index) found.offsetsConsecutive = false
  }
  return { ...found, at: cursor.at }
}

const start = 1_700_000_000_000
const batchOf = (records: readonly NewRecord[]): Uint8Array => buildBatch(records)

test('records of every size are passed, but for the last one when it is so short that its numbers could end behind it', () => {
  const records = Array.from({ length: 300 }, (_, index) => ({
    key: index % 3 === 0 ? null : `key-${index}`,
    value: index % 7 === 0 ? null : 'v'.repeat(index * 61),
    timestamp: start + (index % 50) * 1000,
  }))
  const bytes = batchOf(records)
  assert.deepEqual(passedOf(bytes), walked(bytes, 300))
  const short = batchOf([...records, { value: null, timestamp: start }])
  assert.deepEqual(passedOf(short), walked(short, 300))
})

test('values and keys with lengths of one to four bytes are passed', () => {
  for (const length of [0, 1, 63, 64, 8191, 8192, 1_048_575, 1_048_576]) {
    const text = 'x'.repeat(length)
    const bytes = batchOf([{ key: text, value: 'v'.repeat(20) }, { value: text }, { value: 'v'.repeat(20) }])
    assert.equal(passedOf(bytes).count, 3)
  }
})

test('no more records are passed than are asked for, and others go on where the first ones ended', () => {
  const bytes = batchOf(Array.from({ length: 9 }, (_, index) => ({ value: 'v'.repeat(30), timestamp: start - index })))
  assert.deepEqual(passedOf(bytes, { countMax: 4 }), walked(bytes, 4))
  const cursor = new RecordCursor(bytes, batchLayout.records)
  const passed = nonePassed()
  for (const countMax of [4, 4, 9]) passPlainRecords(cursor, countMax, open, passed)
  assert.deepEqual({ ...passed, at: cursor.at }, walked(bytes, 9))
})

test('a record with a header, one without a needed key, and ones out of the bounds of time are left', () => {
  const value = 'v'.repeat(30)
  const headers = [{ key: 'h', value: null }]
  assert.equal(passedOf(batchOf([{ value }, { value, headers }, { value }])).count, 1)
  const bounds = { timestampDeltaMin: -10, timestampDeltaMax: 20, keyNeeded: true }
  const key = 'k'
  assert.equal(passedOf(batchOf([{ key, value }, { value }]), { bounds }).count, 1)
  const timed = (...deltas: number[]) => batchOf(deltas.map((delta) => ({ key, value, timestamp: start + delta })))
  assert.equal(passedOf(timed(0, 20, -10), { bounds }).count, 3)
  assert.equal(passedOf(timed(0, 21), { bounds }).count, 1)
  assert.equal(passedOf(timed(0, -11), { bounds }).count, 1)
  // More than four bytes.
  assert.equal(passedOf(timed(0, 2 ** 27 - 1, -(2 ** 27), 2 ** 27)).count, 3)
  assert.equal(passedOf(timed(0, -(2 ** 27) - 1)).count, 1)
})

test('offsets that do not follow each other are noticed', () => {
  const value = 'v'.repeat(30)
  const gap = batchOf([
    { value, offsetDelta: 0 },
    { value, offsetDelta: 2 },
  ])
  assert.deepEqual(passedOf(gap), { ...walked(gap, 2), offsetsConsecutive: false })
  assert.equal(passedOf(batchOf([{ value }, { value }])).offsetsConsecutive, true)
})

test('a record that claims to end behind the range is left, though the bytes go on', () => {
  const bytes = batchOf([{ value: 'v'.repeat(30) }, { value: 'v'.repeat(30) }])
  for (let end = batchLayout.records as number; end < bytes.length; end++) {
    const cursor = new RecordCursor(bytes, batchLayout.records, end)
    passPlainRecords(cursor, 2, open, nonePassed())
    assert.ok(cursor.at <= end)
    assert.equal(cursor.end, end)
  }
})

test('of damaged bytes only what the cursor takes for records is passed, with the same found', () => {
  const records = Array.from({ length: 40 }, (_, index) => ({ key: 'k'.repeat(index), value: 'v'.repeat(index * 9) }))
  const whole = batchOf(records)
  const behind = whole.length - batchLayout.records - 1
  fc.assert(
    fc.property(fc.array(fc.record({ at: fc.nat(behind), byte: fc.nat(255) }), { maxLength: 20 }), (changes) => {
      const damaged = Buffer.from(whole)
      for (const { at, byte } of changes) damaged[batchLayout.records + at] = byte
      const passed = passedOf(damaged)
      assert.deepEqual(passed, walked(damaged, passed.count))
    }),
    { numRuns: 500 },
  )
})
