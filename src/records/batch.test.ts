import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  attributeBits,
  attributesOf,
  baseOffsetOf,
  baseSequenceOf,
  baseTimestampOf,
  batchLayout,
  codecOf,
  computedCrcOf,
  crcOf,
  hasDeleteHorizon,
  hasProducerId,
  isControl,
  isTransactional,
  lastOffsetDeltaOf,
  lastOffsetOf,
  lastSequenceOf,
  leaderEpochOf,
  magicOf,
  maxTimestampOf,
  nextOffsetOf,
  producerEpochOf,
  producerIdOf,
  recordsCountOf,
  sequenceAfter,
  sizeInBytesOf,
  stampBaseOffset,
  stampLeaderEpoch,
  stampLogAppendTime,
  stampMaxTimestamp,
  timestampTypeOf,
} from './batch.ts'
import { buildBatch } from './batch-builder.ts'

const int64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n }

test('each header field is read from its place, wherever the batch lies', () => {
  const batch = buildBatch(
    [
      { value: 'a', timestamp: 70 },
      { value: 'b', timestamp: 90 },
      { value: 'c', timestamp: 80 },
    ],
    {
      baseOffset: 2 ** 53 - 100,
      leaderEpoch: 7,
      producerId: 2 ** 40,
      producerEpoch: 300,
      baseSequence: 2_000_000_000,
      transactional: true,
      codec: 'zstd',
    },
  )
  const at = 5
  const bytes = Buffer.concat([Buffer.alloc(at, 0xff), batch, Buffer.alloc(3, 0xff)])
  assert.equal(baseOffsetOf(bytes, at), 2 ** 53 - 100)
  assert.equal(sizeInBytesOf(bytes, at), batch.length)
  assert.equal(leaderEpochOf(bytes, at), 7)
  assert.equal(magicOf(bytes, at), 2)
  assert.equal(crcOf(bytes, at), computedCrcOf(bytes, at))
  assert.equal(codecOf(bytes, at), 'zstd')
  assert.equal(timestampTypeOf(bytes, at), 'CreateTime')
  assert.equal(isTransactional(bytes, at), true)
  assert.equal(isControl(bytes, at), false)
  assert.equal(hasDeleteHorizon(bytes, at), false)
  assert.equal(lastOffsetDeltaOf(bytes, at), 2)
  assert.equal(lastOffsetOf(bytes, at), 2 ** 53 - 98)
  assert.equal(nextOffsetOf(bytes, at), 2 ** 53 - 97)
  assert.equal(baseTimestampOf(bytes, at), 70)
  assert.equal(maxTimestampOf(bytes, at), 90)
  assert.equal(producerIdOf(bytes, at), 2 ** 40)
  assert.equal(hasProducerId(bytes, at), true)
  assert.equal(producerEpochOf(bytes, at), 300)
  assert.equal(baseSequenceOf(bytes, at), 2_000_000_000)
  assert.equal(lastSequenceOf(bytes, at), 2_000_000_002)
  assert.equal(recordsCountOf(bytes, at), 3)
})

test('what a batch lacks reads as -1', () => {
  const batch = buildBatch([{ value: 'a' }])
  for (const read of [leaderEpochOf, producerIdOf, producerEpochOf, baseSequenceOf, lastSequenceOf, maxTimestampOf]) {
    assert.equal(read(batch), -1, read.name)
  }
  assert.equal(hasProducerId(batch), false)
})

test('a codec number that means nothing is no codec', () => {
  const batch = buildBatch([{ value: 'a' }])
  batch[batchLayout.attributes + 1] = 5
  assert.equal(codecOf(batch), undefined)
})

test('sequences wrap to 0 after 2147483647', () => {
  assert.equal(sequenceAfter(2147483647, 1), 0)
  assert.equal(sequenceAfter(2147483646, 1), 2147483647)
  const batch = buildBatch([{ value: 'a' }, { value: 'b' }, { value: 'c' }], {
    producerId: 1,
    producerEpoch: 0,
    baseSequence: 2147483646,
  })
  assert.equal(lastSequenceOf(batch), 0)
})

test('64-bit fields hold any number: exact if safe, otherwise never mistaken for a safe one', () => {
  const batch = Buffer.from(buildBatch([{ value: 'a' }]))
  fc.assert(
    fc.property(fc.oneof(fc.bigInt(int64), fc.maxSafeInteger().map(BigInt)), (value) => {
      batch.writeBigInt64BE(value, batchLayout.maxTimestamp)
      batch.writeBigInt64BE(value, batchLayout.producerId)
      for (const read of [maxTimestampOf(batch), producerIdOf(batch)]) {
        assert.equal(read, Number(value))
        assert.equal(Number.isSafeInteger(read), Number.isSafeInteger(Number(value)))
      }
    }),
  )
})

test('base offset and leader epoch are stamped without touching the checksum', () => {
  fc.assert(
    fc.property(fc.nat(Number.MAX_SAFE_INTEGER), fc.nat(2 ** 31 - 1), fc.nat(9), (baseOffset, leaderEpoch, at) => {
      const bytes = Buffer.concat([Buffer.alloc(at), buildBatch([{ value: 'a' }])])
      const crc = crcOf(bytes, at)
      stampBaseOffset(bytes, at, baseOffset)
      stampLeaderEpoch(bytes, at, leaderEpoch)
      assert.equal(baseOffsetOf(bytes, at), baseOffset)
      assert.equal(leaderEpochOf(bytes, at), leaderEpoch)
      assert.equal(crcOf(bytes, at), crc)
      assert.equal(computedCrcOf(bytes, at), crc)
    }),
  )
})

test('timestamps are stamped with a new checksum, and other attributes stay', () => {
  const batch = buildBatch([{ value: 'a', timestamp: 5 }], { transactional: true })
  stampMaxTimestamp(batch, 0, 9)
  assert.equal(maxTimestampOf(batch), 9)
  assert.equal(timestampTypeOf(batch), 'CreateTime')
  assert.equal(crcOf(batch), computedCrcOf(batch))
  stampLogAppendTime(batch, 0, 12)
  assert.equal(maxTimestampOf(batch), 12)
  assert.equal(attributesOf(batch), attributeBits.transactional | attributeBits.logAppendTime)
  assert.equal(crcOf(batch), computedCrcOf(batch))
})
