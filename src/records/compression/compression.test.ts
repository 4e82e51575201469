import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compressFrameSync, compressSync as compressLz4Block } from 'lz4-napi'
import { compressSync as compressSnappyBlock } from 'snappy'
import * as fc from 'fast-check'
import { type CompressedCodec, compress, compressions, decompress } from './compression.ts'
import { DecompressionError, type DecompressionProblem } from './decompression-error.ts'

const codecs = Object.keys(compressions) as CompressedCodec[]
const megabyte = 2 ** 20

for (const codec of codecs) {
  test(`${codec} gives back what it packed, of any size`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), fc.nat(60), (seed, times) => {
        const bytes = Buffer.concat(Array.from({ length: times }, () => seed))
        assert.deepEqual(Buffer.from(decompress(codec, compress(codec, bytes), bytes.length)), bytes)
      }),
    )
  })

  test(`${codec} unpacks to the bound and not a byte beyond`, () => {
    for (const size of [1, 70_000, 5 * megabyte]) {
      const packed = compress(codec, Buffer.alloc(size, 'kafka'))
      assert.equal(decompress(codec, packed, size).length, size)
      assertProblem('tooLarge', () => decompress(codec, packed, size - 1))
    }
  })

  test(`${codec} finds a bomb without unpacking it`, () => {
    const bomb = compress(codec, Buffer.alloc(64 * megabyte))
    const before = process.memoryUsage().rss
    assertProblem('tooLarge', () => decompress(codec, bomb, megabyte))
    assert.ok(process.memoryUsage().rss - before < 32 * megabyte)
  })

  test(`${codec} data that is cut short is malformed`, () => {
    const packed = compress(codec, Buffer.from('a line of text, '.repeat(5000)))
    for (const length of [1, 5, Math.floor(packed.length / 2), packed.length - 1]) {
      assertProblem('malformed', () => decompress(codec, packed.subarray(0, length), megabyte))
    }
  })

  test(`${codec} never throws anything but its own error for damaged data, nor goes beyond the bound`, () => {
    const packed = compress(codec, Buffer.from(Array.from({ length: 2000 }, (_, i) => (i * i) % 251)))
    fc.assert(
      fc.property(fc.nat(packed.length - 1), fc.nat(255), (at, byte) => {
        const damaged = Buffer.from(packed)
        damaged[at] = byte
        try {
          assert.ok(decompress(codec, damaged, 4000).length <= 4000)
        } catch (error) {
          assert.ok(error instanceof DecompressionError, String(error))
        }
      }),
      { numRuns: 500 },
    )
  })

  test(`${codec} refuses random bytes`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 100 }), (bytes) => {
        try {
          assert.ok(decompress(codec, bytes, 1000).length <= 1000)
        } catch (error) {
          assert.ok(error instanceof DecompressionError, String(error))
        }
      }),
    )
  })
}

test('gzip and zstd take a level', () => {
  const bytes = Buffer.from(Array.from({ length: 50_000 }, (_, i) => ((i * i) % 251) ^ (i >> 7)))
  assert.ok(compress('gzip', bytes, 9).length < compress('gzip', bytes, 1).length)
  assert.ok(compress('zstd', bytes, 19).length < compress('zstd', bytes, -50).length)
})

test('snappy is written as a stream of 32 KB blocks behind the header Java looks for', () => {
  const packed = Buffer.from(compress('snappy', Buffer.alloc(40_000)))
  assert.equal(packed.subarray(0, 16).toString('hex'), '82534e41505059000000000100000001')
  const first = 20 + packed.readInt32BE(16)
  assert.equal(packed.length, first + 4 + packed.readInt32BE(first))
})

test('snappy as one bare block, as some clients write it, is read too', () => {
  const bytes = Buffer.from('bare block '.repeat(100))
  assert.deepEqual(decompress('snappy', compressSnappyBlock(bytes), bytes.length), bytes)
  assertProblem('tooLarge', () => decompress('snappy', compressSnappyBlock(bytes), bytes.length - 1))
})

test('two snappy streams in a row are one', () => {
  const stream = compress('snappy', Buffer.from('ab'))
  assert.equal(decompress('snappy', Buffer.concat([stream, stream]), 4).toString(), 'abab')
})

test('a snappy block that unpacks to another length than it declares is malformed', () => {
  const block = Buffer.from(compressSnappyBlock(Buffer.from('abc')))
  block[0] = 100
  assertProblem('malformed', () => decompress('snappy', block, 1000))
})

test('lz4 frames have independent blocks, which is all that Java reads', () => {
  for (const size of [10, 70_000, 5 * megabyte]) {
    const packed = compress('lz4', Buffer.alloc(size, 'ab'))
    assert.equal(packed[4]! & 0b1110_0000, 0b0110_0000)
  }
})

test('lz4 frames with checksums, and of several blocks, are read', () => {
  const bytes = Buffer.alloc(200_000, 'checked ')
  for (const options of [
    { contentChecksum: true },
    { blockChecksums: true },
    { contentChecksum: true, blockChecksums: true },
  ]) {
    assert.deepEqual(decompress('lz4', compressFrameSync(bytes, options), bytes.length), bytes)
  }
})

test('an lz4 frame with linked blocks is read', () => {
  const text = 'the second block repeats the first. '
  const first = compressLz4Block(Buffer.from(text)).subarray(4)
  const second = compressLz4Block(Buffer.from(text), Buffer.from(text)).subarray(4)
  assert.ok(second.length < first.length)
  const header = Buffer.from('04224d184040c0', 'hex') // version 01, linked blocks of 64 KB, and the header's checksum
  const frame = Buffer.concat([
    header,
    ...[first, second].flatMap((block) => [int32Le(block.length), block]),
    int32Le(0),
  ])
  assert.equal(decompress('lz4', frame, 2 * text.length).toString(), text + text)
  assertProblem('tooLarge', () => decompress('lz4', frame, 2 * text.length - 1))
})

test('an lz4 frame with a wrong content checksum is malformed', () => {
  const frame = Buffer.from(compressFrameSync(Buffer.from('checked'), { contentChecksum: true }))
  frame[frame.length - 1]! ^= 1
  assertProblem('malformed', () => decompress('lz4', frame, 1000))
})

function int32Le(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}

function assertProblem(problem: DecompressionProblem, run: () => unknown): void {
  assert.throws(run, (error) => error instanceof DecompressionError && error.problem === problem)
}
