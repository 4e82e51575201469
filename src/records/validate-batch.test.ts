import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  attributeBits,
  batchHeaderBytes,
  batchLayout,
  codecOf,
  computedCrcOf,
  crcOf,
  maxTimestampOf,
  noTimestamp,
  recordsCountOf,
  stampCrc,
  stampMaxTimestamp,
  timestampTypeOf,
} from './batch.ts'
import { type BatchOptions, buildBatch, type NewRecord } from './batch-builder.ts'
import { codecById } from './codec.ts'
import { recordsOf } from './record.ts'
import {
  type BatchInfo,
  type BatchRefusal,
  type BatchRules,
  type RecordError,
  validateBatch,
} from './validate-batch.ts'

const now = 1_700_000_000_000
const hour = 3_600_000
const rules: BatchRules = {
  maxMessageBytes: 1_048_588,
  now,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: 2 ** 63,
  timestampAfterMaxMs: hour,
  compacted: false,
  compressionType: 'producer',
  zstdAllowed: true,
  maxDecompressedBytes: 2 ** 20,
}
const records: readonly NewRecord[] = [
  { key: 'a', value: 'one', timestamp: now - 1000 },
  { key: 'b', value: 'two', timestamp: now, headers: [{ key: 'h', value: 'v' }] },
  { key: 'c', value: null, timestamp: now - 500 },
]
const idempotent: BatchOptions = { producerId: 7, producerEpoch: 2, baseSequence: 2 ** 31 - 2 }

for (const codec of codecById) {
  test(`a sound batch is let in as it is, codec ${codec}`, () => {
    const batch = buildBatch(records, { codec, ...idempotent, transactional: true })
    const before = Buffer.from(batch)
    const answer = validateBatch(batch, rules)
    assert.ok(answer.ok)
    assert.equal(answer.bytes, undefined)
    assert.deepEqual(Buffer.from(batch), before)
    const info: BatchInfo = {
      sizeInBytes: batch.length,
      codec,
      recordsCount: 3,
      lastOffsetDelta: 2,
      maxTimestamp: now,
      producerId: 7,
      producerEpoch: 2,
      baseSequence: 2 ** 31 - 2,
      lastSequence: 0,
      isTransactional: true,
    }
    assert.deepEqual(answer.info, info)
  })
}

test('a batch without a producer id is not idempotent, though KafkaJS sends epoch 0 and sequence 0', () => {
  const answer = validateBatch(buildBatch(records, { producerId: -1, producerEpoch: 0, baseSequence: 0 }), rules)
  assert.ok(answer.ok)
  const { producerId, producerEpoch, baseSequence, lastSequence } = answer.info
  assert.deepEqual(
    { producerId, producerEpoch, baseSequence, lastSequence },
    {
      producerId: -1,
      producerEpoch: -1,
      baseSequence: -1,
      lastSequence: -1,
    },
  )
})

interface RefusedCase {
  readonly name: string
  readonly refusal: BatchRefusal
  readonly batch: () => Uint8Array
  readonly rules?: Partial<BatchRules>
}
const sound = (options: BatchOptions = {}) => Buffer.from(buildBatch(records, options))
const refused: readonly RefusedCase[] = [
  { name: 'no bytes', refusal: 'invalidRecord', batch: () => Buffer.alloc(0) },
  { name: 'bytes too few for a magic', refusal: 'invalidRecord', batch: () => sound().subarray(0, 16) },
  { name: 'a batch cut short', refusal: 'invalidRecord', batch: () => sound().subarray(0, -1) },
  {
    name: 'two batches',
    refusal: 'invalidRecord',
    batch: () => Buffer.concat([sound({ codec: 'lz4' }), sound({ codec: 'lz4' })]),
  },
  {
    name: 'bytes after the batch that make no batch',
    refusal: 'corruptMessage',
    batch: () => Buffer.concat([sound(), Buffer.alloc(12)]),
  },
  {
    name: 'magic 1',
    refusal: 'invalidRecord',
    batch: () => changed(sound(), (b) => b.writeInt8(1, batchLayout.magic)),
  },
  {
    name: 'magic 3',
    refusal: 'corruptMessage',
    batch: () => changed(sound(), (b) => b.writeInt8(3, batchLayout.magic)),
  },
  {
    name: 'a negative length',
    refusal: 'corruptMessage',
    batch: () => changed(sound(), (b) => b.writeInt32BE(-5, batchLayout.batchLength)),
  },
  {
    name: 'an unknown codec',
    refusal: 'unsupportedCompressionType',
    batch: () => changed(sound(), (b) => b.writeInt16BE(5, batchLayout.attributes)),
  },
  {
    name: 'zstd in a request too old for it',
    refusal: 'unsupportedCompressionType',
    batch: () => sound({ codec: 'zstd' }),
    rules: { zstdAllowed: false },
  },
  { name: 'a base offset other than 0', refusal: 'invalidRecord', batch: () => sound({ baseOffset: 1 }) },
  {
    name: 'a batch over max.message.bytes',
    refusal: 'messageTooLarge',
    batch: () => sound(),
    rules: { maxMessageBytes: sound().length - 1 },
  },
  {
    name: 'a batch smaller than its header',
    refusal: 'corruptMessage',
    batch: () => changed(sound().subarray(0, 60), (b) => b.writeInt32BE(48, batchLayout.batchLength)),
  },
  {
    name: 'a wrong checksum',
    refusal: 'corruptMessage',
    batch: () => changed(sound(), (b) => b.writeInt8(1, b.length - 1), 'keepCrc'),
  },
  {
    name: 'a count below the offsets',
    refusal: 'invalidRecord',
    batch: () => changed(sound({ codec: 'lz4' }), (b) => b.writeInt32BE(2, batchLayout.recordsCount)),
  },
  {
    name: 'a count above the offsets',
    refusal: 'invalidRecord',
    batch: () => changed(sound({ codec: 'lz4' }), (b) => b.writeInt32BE(4, batchLayout.recordsCount)),
  },
  { name: 'a batch without records', refusal: 'invalidRecord', batch: () => buildBatch([]) },
  {
    name: 'a negative count',
    refusal: 'invalidRecord',
    batch: () =>
      changed(sound(), (b) => {
        b.writeInt32BE(-3, batchLayout.recordsCount)
        b.writeInt32BE(-4, batchLayout.lastOffsetDelta)
      }),
  },
  { name: 'a control batch', refusal: 'invalidRecord', batch: () => sound({ control: true }) },
  {
    name: 'a producer id without a sequence',
    refusal: 'invalidRecord',
    batch: () => sound({ producerId: 7, producerEpoch: 0 }),
  },
  {
    name: 'a producer id no broker gave out',
    refusal: 'invalidRecord',
    batch: () => changed(sound(idempotent), (b) => b.writeBigInt64BE(2n ** 60n, batchLayout.producerId)),
  },
  {
    name: 'more bytes than records',
    refusal: 'invalidRecord',
    batch: () => resized(Buffer.concat([sound(), Buffer.alloc(1)])),
  },
  { name: 'fewer bytes than records', refusal: 'invalidRecord', batch: () => resized(sound().subarray(0, -1)) },
  {
    name: 'the LogAppendTime bit, though the topic has append times',
    refusal: 'invalidTimestamp',
    batch: () => sound({ timestampType: 'LogAppendTime', timestamp: now, codec: 'lz4' }),
    rules: { timestampType: 'LogAppendTime' },
  },
  {
    name: 'compressed bytes that are damaged, where the topic must see them',
    refusal: 'invalidRecord',
    batch: () => changed(sound({ codec: 'gzip' }), (b) => b.writeInt8(0, batchHeaderBytes)),
    rules: { compacted: true },
  },
  {
    name: 'compressed bytes that unpack to more than allowed',
    refusal: 'messageTooLarge',
    batch: () => sound({ codec: 'gzip' }),
    rules: { compacted: true, maxDecompressedBytes: 20 },
  },
  {
    name: 'a batch that becomes too large without compression',
    refusal: 'messageTooLarge',
    batch: () => buildBatch([{ value: 'x'.repeat(1000) }], { codec: 'gzip' }),
    rules: { compressionType: 'uncompressed', maxMessageBytes: 1000 },
  },
]
for (const { name, refusal, batch, rules: changes } of refused) {
  test(`refused as ${refusal}: ${name}`, () => {
    const answer = validateBatch(batch(), { ...rules, ...changes })
    assert.equal(answer.ok ? 'let in' : answer.refusal, refusal)
  })
}

test('what an uncompressed batch is refused for, a compressed one is too if the topic must see its records', () => {
  const extra = changed(sound({ codec: 'zstd' }), (b) => {
    b.writeInt32BE(2, batchLayout.recordsCount)
    b.writeInt32BE(1, batchLayout.lastOffsetDelta)
  })
  assert.equal(refusalOf(validateBatch(extra, { ...rules, compacted: true }))?.refusal, 'invalidRecord')
})

test('when a batch breaks several rules, the first in Kafka’s order is told', () => {
  const broken = sound({
    codec: 'zstd',
    baseOffset: 5,
    control: true,
    producerId: 7,
    timestampType: 'LogAppendTime',
    timestamp: now + 2 * hour,
  })
  broken.writeInt32BE(9, batchLayout.recordsCount) // and the checksum no longer fits
  let asked: BatchRules = { ...rules, zstdAllowed: false, maxMessageBytes: 100, compacted: true }
  const allow = (changes: Partial<BatchRules>) => {
    asked = { ...asked, ...changes }
  }
  const clear = (bit: number) =>
    broken.writeInt16BE(broken.readInt16BE(batchLayout.attributes) & ~bit, batchLayout.attributes)

  const steps: { readonly refusal: BatchRefusal; readonly repair: () => unknown }[] = [
    { refusal: 'unsupportedCompressionType', repair: () => allow({ zstdAllowed: true }) },
    { refusal: 'invalidRecord', repair: () => broken.writeBigInt64BE(0n, batchLayout.baseOffset) },
    { refusal: 'messageTooLarge', repair: () => allow({ maxMessageBytes: 1000 }) },
    { refusal: 'corruptMessage', repair: () => stampCrc(broken) },
    { refusal: 'invalidRecord', repair: () => broken.writeInt32BE(3, batchLayout.recordsCount) },
    { refusal: 'invalidRecord', repair: () => clear(attributeBits.control) },
    { refusal: 'invalidRecord', repair: () => broken.writeInt32BE(0, batchLayout.baseSequence) },
    { refusal: 'invalidTimestamp', repair: () => allow({ timestampType: 'LogAppendTime' }) },
    { refusal: 'invalidTimestamp', repair: () => clear(attributeBits.logAppendTime) },
  ]
  const isSummed = (step: number) => step > 3
  for (const [step, { refusal, repair }] of steps.entries()) {
    assert.equal(refusalOf(validateBatch(broken, asked))?.refusal, refusal, `before repair ${step}`)
    repair()
    if (isSummed(step)) stampCrc(broken)
  }
  assert.ok(validateBatch(broken, asked).ok)
})

for (const codec of codecById) {
  test(`a compacted topic names each record without a key, codec ${codec}`, () => {
    const batch = buildBatch([{ value: '1' }, { key: '', value: '2' }, { value: '3' }], { codec })
    assert.ok(validateBatch(Buffer.from(batch), rules).ok)
    const answer = refusalOf(validateBatch(batch, { ...rules, compacted: true }))
    assert.equal(answer?.refusal, 'invalidRecord')
    assert.deepEqual(indexesOf(answer?.recordErrors), [0, 2])
  })

  test(`timestamps outside of the bounds are named, and -1 has no bounds, codec ${codec}`, () => {
    const times = [now - 101, now - 100, noTimestamp, now, now + 50, now + 51]
    const batch = buildBatch(
      times.map((timestamp) => ({ key: 'k', timestamp })),
      { codec },
    )
    const bounds = { timestampBeforeMaxMs: 100, timestampAfterMaxMs: 50 }
    const answer = refusalOf(validateBatch(batch, { ...rules, ...bounds }))
    assert.equal(answer?.refusal, 'invalidTimestamp')
    assert.deepEqual(indexesOf(answer?.recordErrors), [0, 5])
    assert.ok(validateBatch(batch, { ...rules, ...bounds, timestampType: 'LogAppendTime' }).ok)
  })

  test(`a timestamp too late is named without an early bound too, codec ${codec}`, () => {
    const batch = buildBatch([{ timestamp: now }, { timestamp: now + hour + 1 }], { codec })
    assert.deepEqual(indexesOf(refusalOf(validateBatch(batch, rules))?.recordErrors), [1])
    const allowed = buildBatch([{ timestamp: now }, { timestamp: now + hour }], { codec })
    assert.ok(validateBatch(allowed, rules).ok)
  })

  test(`a timestamp that no clock shows is refused even without bounds, codec ${codec}`, () => {
    const batch = changed(sound({ codec }), (b) => {
      b.writeBigInt64BE(2n ** 62n, batchLayout.baseTimestamp)
      b.writeBigInt64BE(2n ** 62n, batchLayout.maxTimestamp)
    })
    const answer = validateBatch(batch, { ...rules, timestampAfterMaxMs: 2 ** 63 })
    assert.equal(refusalOf(answer)?.refusal, 'invalidTimestamp')
  })

  test(`on a LogAppendTime topic the batch gets the time of the append, codec ${codec}`, () => {
    const batch = sound({ codec })
    const answer = validateBatch(batch, { ...rules, timestampType: 'LogAppendTime' })
    assert.ok(answer.ok)
    assert.equal(answer.bytes, undefined)
    assert.equal(answer.info.maxTimestamp, now)
    assert.equal(timestampTypeOf(batch), 'LogAppendTime')
    assert.equal(maxTimestampOf(batch), now)
    assert.equal(crcOf(batch), computedCrcOf(batch))
    assert.deepEqual(
      [...recordsOf(batch)].map((record) => record.timestamp),
      [now, now, now],
    )
  })
}

test('bad timestamps outrank missing keys, and a record has one error', () => {
  const batch = buildBatch([{ timestamp: now + 2 * hour }, { key: 'k', timestamp: now + 2 * hour }, { timestamp: now }])
  const answer = refusalOf(validateBatch(batch, { ...rules, compacted: true }))
  assert.equal(answer?.refusal, 'invalidTimestamp')
  assert.deepEqual(indexesOf(answer?.recordErrors), [0, 1, 2])
})

test('a record that is not well formed refuses the batch as a whole, as in Kafka', () => {
  const batch = buildBatch([{ value: 'a' }, { value: 'b' }])
  // Each record is 8 bytes; the fifth byte of the second is its null key's length.
  const answer = refusalOf(
    validateBatch(
      changed(Buffer.from(batch), (b) => b.writeInt8(3, batchHeaderBytes + 8 + 4)),
      rules,
    ),
  )
  assert.equal(answer?.refusal, 'invalidRecord')
  assert.match(answer.message, /record 1 /)
  assert.equal(answer.recordErrors, undefined)
})

test('a batch that claims append times is refused record by record where the broker gives them', () => {
  for (const codec of ['none', 'lz4'] as const) {
    const batch = sound({ codec, timestampType: 'LogAppendTime' })
    const answer = refusalOf(validateBatch(batch, { ...rules, timestampType: 'LogAppendTime' }))
    assert.equal(answer?.refusal, 'invalidTimestamp')
    assert.deepEqual(indexesOf(answer?.recordErrors), [0, 1, 2])
  }
})

test('elsewhere the time it claims counts for each record, and the claim is taken out', () => {
  for (const codec of ['none', 'lz4'] as const) {
    const batch = sound({ codec, timestampType: 'LogAppendTime', timestamp: now })
    assert.ok(validateBatch(batch, rules).ok)
    assert.deepEqual([timestampTypeOf(batch), maxTimestampOf(batch)], ['CreateTime', now])
    assert.equal(crcOf(batch), computedCrcOf(batch))
    const late = sound({ codec, timestampType: 'LogAppendTime', timestamp: now + 2 * hour })
    assert.equal(refusalOf(validateBatch(late, rules))?.refusal, 'invalidTimestamp')
    const none = sound({ codec, timestampType: 'LogAppendTime', timestamp: -1 })
    assert.equal(refusalOf(validateBatch(none, rules))?.refusal, 'invalidTimestamp')
  }
})

test('the beginning of another batch behind the first is cut off, as in Kafka', () => {
  const batch = sound()
  for (const rest of [batch.subarray(0, 11), batch.subarray(0, 40)]) {
    const answer = validateBatch(Buffer.concat([batch, rest]), rules)
    assert.ok(answer.ok)
    assert.deepEqual(Buffer.from(answer.bytes!), Buffer.from(batch))
  }
})

test('a wrong max timestamp is set right when the records are seen', () => {
  const batch = sound()
  stampMaxTimestamp(batch, 0, now + 77)
  const answer = validateBatch(batch, rules)
  assert.ok(answer.ok)
  assert.equal(answer.info.maxTimestamp, now)
  assert.equal(maxTimestampOf(batch), now)
  assert.equal(crcOf(batch), computedCrcOf(batch))
})

test('a compressed batch stays closed when the topic need not see its records', () => {
  const garbage = changed(sound({ codec: 'snappy' }), (b) => b.fill(0xee, batchHeaderBytes))
  assert.ok(validateBatch(garbage, rules).ok)
  assert.ok(validateBatch(garbage, { ...rules, timestampType: 'LogAppendTime', timestampBeforeMaxMs: 5 }).ok)
  for (const changes of [{ compacted: true }, { timestampBeforeMaxMs: hour }, { compressionType: 'zstd' } as const]) {
    const closed = changed(sound({ codec: 'snappy' }), (b) => b.fill(0xee, batchHeaderBytes))
    assert.equal(refusalOf(validateBatch(closed, { ...rules, ...changes }))?.refusal, 'invalidRecord')
  }
})

for (const from of codecById) {
  for (const to of codecById) {
    test(`compression.type turns a batch from ${from} to ${to}, and changes nothing else`, () => {
      const batch = sound({ codec: from, ...idempotent, transactional: true })
      const expected = [...recordsOf(Buffer.from(batch))]
      const answer = validateBatch(batch, { ...rules, compressionType: to === 'none' ? 'uncompressed' : to })
      assert.ok(answer.ok)
      assert.equal(answer.bytes === undefined, from === to)
      const stored = answer.bytes ?? batch
      assert.equal(codecOf(stored), to)
      assert.equal(crcOf(stored), computedCrcOf(stored))
      assert.equal(answer.info.sizeInBytes, stored.length)
      assert.equal(answer.info.producerId, 7)
      assert.deepEqual([...recordsOf(stored)], expected)
    })
  }
}

test('a batch that is rebuilt for a LogAppendTime topic has the time of the append', () => {
  const answer = validateBatch(sound(), { ...rules, compressionType: 'lz4', timestampType: 'LogAppendTime' })
  assert.ok(answer.ok && answer.bytes)
  assert.equal(timestampTypeOf(answer.bytes), 'LogAppendTime')
  assert.equal(crcOf(answer.bytes), computedCrcOf(answer.bytes))
})

test('a level reaches the codec', () => {
  const value = Buffer.from(Array.from({ length: 20_000 }, (_, i) => ((i * i) % 251) ^ (i >> 7)))
  const sizes = [1, 9].map((compressionLevel) => {
    const answer = validateBatch(buildBatch([{ value }]), { ...rules, compressionType: 'gzip', compressionLevel })
    return answer.ok ? answer.info.sizeInBytes : 0
  })
  assert.ok(sizes[1]! > 0 && sizes[1]! < sizes[0]!)
})

test('a compressed batch whose offsets have gaps is rebuilt without them, when its records are seen', () => {
  const gaps = [0, 300, 2].map((offsetDelta, i) => ({ ...records[i]!, offsetDelta }))
  const batch = () => buildBatch(gaps, { codec: 'gzip', lastOffsetDelta: 2 })
  const closed = validateBatch(batch(), rules)
  assert.ok(closed.ok && closed.bytes === undefined)
  const answer = validateBatch(batch(), { ...rules, compacted: true })
  assert.ok(answer.ok && answer.bytes)
  assert.deepEqual([...recordsOf(answer.bytes)], [...recordsOf(buildBatch(records))])
  assert.equal(codecOf(answer.bytes), 'gzip')
})

test('a compressed batch is not rebuilt for being looked at', () => {
  const answer = validateBatch(sound({ codec: 'zstd' }), { ...rules, compacted: true, timestampBeforeMaxMs: hour })
  assert.ok(answer.ok && answer.bytes === undefined)
})

test('an uncompressed batch keeps its offsets as they are, as in Kafka', () => {
  const batch = buildBatch([{ offsetDelta: 5 }, { offsetDelta: 5 }], { lastOffsetDelta: 1 })
  const answer = validateBatch(batch, rules)
  assert.ok(answer.ok && answer.bytes === undefined)
})

test('whatever bytes a client sends, the answer is a value', () => {
  const damages = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 })
  const compressionTypes = fc.constantFrom<BatchRules['compressionType']>(
    'producer',
    'uncompressed',
    'gzip',
    'snappy',
    'lz4',
    'zstd',
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...codecById),
      damages,
      fc.boolean(),
      compressionTypes,
      (codec, damaged, compacted, compressionType) => {
        const batch = sound({ codec, ...idempotent })
        for (const [at, byte] of damaged) batch[at % batch.length] = byte
        stampIfWhole(batch)
        const answer = validateBatch(batch, { ...rules, compacted, compressionType, timestampBeforeMaxMs: hour })
        if (!answer.ok) return
        const stored = answer.bytes ?? batch
        assert.equal(crcOf(stored), computedCrcOf(stored))
        assert.equal([...recordsOf(stored)].length, recordsCountOf(stored))
      },
    ),
    { numRuns: 1000 },
  )
})

test('damage that the checksum sees is never let in', () => {
  fc.assert(
    fc.property(fc.constantFrom(...codecById), fc.nat(), fc.integer({ min: 1, max: 255 }), (codec, at, flip) => {
      const batch = sound({ codec })
      batch[batchLayout.crc + (at % (batch.length - batchLayout.crc))]! ^= flip
      assert.equal(validateBatch(batch, rules).ok, false)
    }),
  )
})

/** `batch` with a change, and the checksum to fit it. */
function changed(batch: Buffer, change: (batch: Buffer) => void, crc: 'renewCrc' | 'keepCrc' = 'renewCrc'): Buffer {
  change(batch)
  if (crc === 'renewCrc') stampIfWhole(batch)
  return batch
}

/** `batch` with length field and checksum for the bytes it has. */
function resized(batch: Buffer): Buffer {
  return changed(batch, (b) => b.writeInt32BE(b.length - 12, batchLayout.batchLength))
}

function stampIfWhole(batch: Buffer): void {
  if (batch.length >= batchHeaderBytes && batch.readInt32BE(batchLayout.batchLength) === batch.length - 12)
    stampCrc(batch)
}

function refusalOf(answer: ReturnType<typeof validateBatch>) {
  return answer.ok ? undefined : answer
}

function indexesOf(errors: readonly RecordError[] | undefined): number[] | undefined {
  return errors?.map((error) => error.index)
}
