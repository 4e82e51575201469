import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { sizeOfVarint, writeVarint } from '../lib/varint.ts'
import { batchHeaderBytes, batchLayout, computedCrcOf, crcOf, maxTimestampOf, sizeInBytesOf } from './batch.ts'
import { type BatchOptions, buildBatch, type NewRecord } from './batch-builder.ts'
import { writeInt32 } from './big-endian.ts'
import { type Codec, codecById } from './codec.ts'
import { DecompressionError } from './compression/decompression-error.ts'
import { RecordFormatError } from './record-cursor.ts'
import { type LogRecord, recordsOf } from './record.ts'

const field = fc.option(fc.uint8Array({ maxLength: 200 }))
const timestamps = fc.oneof(fc.constant(-1), fc.nat(2 ** 42), fc.integer({ min: 0, max: 2 ** 52 }))
const records = fc.array(
  fc.record({
    key: field,
    value: field,
    timestamp: timestamps,
    headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme' }), value: field }), { maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 30 },
)

for (const codec of codecById) {
  test(`records read back as they were built, codec ${codec}`, () => {
    fc.assert(
      fc.property(records, fc.nat(2 ** 50), (written, baseOffset) => {
        const batch = buildBatch(written, { codec, baseOffset })
        assert.equal(sizeInBytesOf(batch), batch.length)
        assert.equal(crcOf(batch), computedCrcOf(batch))
        assert.equal(maxTimestampOf(batch), Math.max(...written.map((record) => record.timestamp)))
        const expected = written.map((record, index) => ({ ...record, offset: baseOffset + index }))
        assert.deepEqual([...recordsOf(batch)].map(plain), expected.map(plain))
      }),
    )
  })
}

test('keys and values of a batch that is not compressed are views of it', () => {
  const batch = buildBatch([{ key: 'k', value: 'v' }])
  const [record] = recordsOf(batch)
  assert.equal(record!.key!.buffer, batch.buffer)
  assert.equal(record!.value!.buffer, batch.buffer)
})

test('every record of a LogAppendTime batch has the time of the append', () => {
  const batch = buildBatch([{ timestamp: 5 }, { timestamp: 6 }], { timestampType: 'LogAppendTime', timestamp: 100 })
  assert.deepEqual(
    [...recordsOf(batch)].map((record) => record.timestamp),
    [100, 100],
  )
})

test('offsets may have gaps, as compaction leaves them', () => {
  const batch = buildBatch([{ offsetDelta: 2 }, { offsetDelta: 7 }], { baseOffset: 100, lastOffsetDelta: 9 })
  assert.deepEqual(
    [...recordsOf(batch)].map((record) => record.offset),
    [102, 107],
  )
})

test('a batch that compaction has emptied has no records, whatever its codec', () => {
  for (const codec of codecById) {
    const emptied = Buffer.from(buildBatch([], { codec, lastOffsetDelta: 4 }).subarray(0, batchHeaderBytes))
    assert.deepEqual([...recordsOf(emptied)], [])
  }
})

test('records that unpack to more than the reader allows are not unpacked', () => {
  const batch = buildBatch([{ value: 'x'.repeat(1000) }], { codec: 'gzip' })
  assert.throws(() => [...recordsOf(batch, { maxDecompressedBytes: 1000 })], DecompressionError)
  assert.equal([...recordsOf(batch, { maxDecompressedBytes: 1100 })].length, 1)
})

test('an unknown codec is a decompression error', () => {
  const batch = buildBatch([{ value: 'x' }])
  batch[batchLayout.attributes + 1] = 7
  assert.throws(() => [...recordsOf(batch)], DecompressionError)
})

const fields = { attributes: '00', timestampDelta: '00', offsetDelta: '00', key: '0261', value: '0262', headers: '00' }
const malformed = [
  { name: 'a record longer than what is left', hex: record(fields, 1) },
  { name: 'a record with bytes left over', hex: record({ ...fields, headers: '0000' }) },
  { name: 'a record that ends within its fields', hex: record({ ...fields, value: '', headers: '' }) },
  { name: 'an empty record', hex: '00' },
  { name: 'a record of negative length', hex: '01' },
  { name: 'a key longer than the record', hex: record({ ...fields, key: '7e61' }) },
  { name: 'a key length below -1', hex: record({ ...fields, key: '03' }) },
  { name: 'a value longer than the record', hex: record({ ...fields, value: '7e62' }) },
  { name: 'a value length below -1', hex: record({ ...fields, value: '03' }) },
  { name: 'a negative number of headers', hex: record({ ...fields, headers: '01' }) },
  { name: 'more headers than the record holds', hex: record({ ...fields, headers: '04026101' }) },
  { name: 'a header with a null key', hex: record({ ...fields, headers: '02010261' }) },
  { name: 'a header value longer than the record', hex: record({ ...fields, headers: '0202610862' }) },
  { name: 'an endless number', hex: record({ ...fields, timestampDelta: 'ff'.repeat(10) + '00' }) },
  { name: 'bytes after the declared records', hex: record(fields) + '00' },
  { name: 'no record where one is declared', hex: '' },
]
for (const { name, hex } of malformed) {
  test(`refused as malformed: ${name}`, () => {
    assert.throws(() => [...recordsOf(batchOf(hex))], RecordFormatError)
  })
}

test('the same record is read when nothing is wrong with it', () => {
  assert.deepEqual(plain([...recordsOf(batchOf(record(fields)))][0]!), {
    offset: 0,
    timestamp: -1,
    key: '61',
    value: '62',
    headers: [],
  })
})

test('a header key that is no UTF-8 is read with replacement characters, as in Kafka', () => {
  const [read] = recordsOf(batchOf(record({ ...fields, headers: '0202ff01' })))
  assert.deepEqual(read!.headers, [{ key: '\ufffd', value: null }])
})

test('damage to a batch is seen: its checksum differs, or it was outside the checksum', () => {
  const codecs: readonly Codec[] = codecById
  fc.assert(
    fc.property(
      records,
      fc.constantFrom(...codecs),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (written, codec, at, flip) => {
        const batch = buildBatch(written, { codec })
        const position = batchLayout.crc + (at % (batch.length - batchLayout.crc))
        batch[position]! ^= flip
        assert.notEqual(crcOf(batch), computedCrcOf(batch))
      },
    ),
  )
})

test('reading damaged records never fails in another way than its own errors', () => {
  const damages = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 })
  fc.assert(
    fc.property(records, fc.constantFrom(...codecById), damages, (written, codec, damaged) => {
      const batch = buildBatch(written, { codec })
      for (const [at, byte] of damaged) batch[batchHeaderBytes + (at % (batch.length - batchHeaderBytes))] = byte
      try {
        for (const read of recordsOf(batch, { maxDecompressedBytes: 2 ** 20 })) plain(read)
      } catch (error) {
        assert.ok(error instanceof RecordFormatError || error instanceof DecompressionError, String(error))
      }
    }),
  )
})

test('a batch is built from what is given, and -1 stands for what is not', () => {
  const options: BatchOptions = { producerId: 5, producerEpoch: 1, baseSequence: 9, control: true, transactional: true }
  const built = Buffer.from(buildBatch([{ key: null, value: null }], options))
  assert.equal(built.subarray(batchHeaderBytes).toString('hex'), '0c000000010100')
  assert.equal(built.subarray(batchLayout.attributes, batchLayout.lastOffsetDelta).toString('hex'), '0030')
  assert.equal(
    built.subarray(batchLayout.producerId, batchHeaderBytes).toString('hex'),
    '000000000000000500010000000900000001',
  )
})

/** A record of `parts`, its length field saying `excess` bytes too many. */
function record(parts: typeof fields, excess = 0): string {
  const hex = Object.values(parts).join('')
  const length = hex.length / 2 + excess
  const prefix = Buffer.alloc(sizeOfVarint(length))
  writeVarint(prefix, 0, length)
  return prefix.toString('hex') + hex
}

/** A batch that says it holds one record, with these bytes for it. */
function batchOf(recordsHex: string): Uint8Array {
  const header = buildBatch([])
  writeInt32(header, batchLayout.recordsCount, 1)
  return Buffer.concat([header, Buffer.from(recordsHex, 'hex')])
}

function plain({ offset, timestamp, key, value, headers }: LogRecord | (NewRecord & { offset: number })) {
  return {
    offset,
    timestamp,
    key: hexOf(key),
    value: hexOf(value),
    headers: headers?.map((h) => ({ key: h.key, value: hexOf(h.value) })),
  }
}

function hexOf(bytes: Uint8Array | string | null | undefined): string | null {
  return bytes === null || bytes === undefined ? null : Buffer.from(bytes as Uint8Array).toString('hex')
}
