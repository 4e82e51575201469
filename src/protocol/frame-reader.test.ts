import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { FrameError, FrameReader } from './frame-reader.ts'

const frameOf = (body: Uint8Array): Buffer => {
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length)
  return Buffer.concat([size, body])
}

test('frames come out as they went in, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 9 }),
      (bodies, cuts) => {
        const stream = Buffer.concat(bodies.map(frameOf))
        const reader = new FrameReader(1000)
        const seen: Uint8Array[] = []
        let at = 0
        for (let turn = 0; at < stream.length; turn++) {
          const length = cuts[turn % cuts.length] as number
          reader.push(stream.subarray(at, at + length))
          at += length
          for (let frame = reader.next(); frame !== null; frame = reader.next()) seen.push(frame)
        }
        assert.equal(reader.bufferedBytes, 0)
        assert.deepEqual(
          seen.map((frame) => Buffer.from(frame)),
          bodies.map((body) => Buffer.from(body)),
        )
      },
    ),
    { numRuns: 200 },
  )
})

for (const { name, size } of [
  { name: 'above the limit', size: 1001 },
  { name: 'of 2 GiB', size: 0x7fffffff },
  { name: 'below zero', size: -1 },
]) {
  test(`a size ${name} is refused as soon as its four bytes are there`, () => {
    const head = Buffer.alloc(4)
    head.writeInt32BE(size)
    const reader = new FrameReader(1000)
    reader.push(head.subarray(0, 3))
    assert.equal(reader.next(), null)
    reader.push(head.subarray(3))
    assert.throws(() => reader.next(), FrameError)
  })
}

test('a frame inside one chunk is a view of it, not a copy', () => {
  const chunk = frameOf(Buffer.from('hello'))
  const reader = new FrameReader(1000)
  reader.push(chunk)
  assert.equal(reader.next()?.buffer, chunk.buffer)
})

test('a frame that comes byte by byte comes out whole', () => {
  const body = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251))
  const reader = new FrameReader(10_000)
  for (const byte of frameOf(body)) {
    assert.equal(reader.next(), null)
    reader.push(Uint8Array.of(byte))
  }
  assert.deepEqual(Buffer.from(reader.next() as Uint8Array), body)
})

test('a dropped reader keeps nothing and takes nothing', () => {
  const reader = new FrameReader(1000)
  reader.push(frameOf(Buffer.from('a')).subarray(0, 3))
  reader.drop()
  reader.push(frameOf(Buffer.from('b')))
  assert.equal(reader.bufferedBytes, 0)
  assert.equal(reader.next(), null)
})

test('a frame that comes in tiny pieces after large ones comes out whole', () => {
  const body = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => index % 249))
  const frame = frameOf(body)
  const reader = new FrameReader(10_000_000)
  reader.push(frame.subarray(0, 2_000_000))
  for (let at = 2_000_000; at < frame.length; at += 3) reader.push(frame.subarray(at, at + 3))
  assert.equal(reader.bufferedBytes, frame.length)
  assert.equal(Buffer.compare(reader.next() ?? Buffer.alloc(0), body), 0)
  assert.equal(reader.bufferedBytes, 0)
})

test('what comes a byte at a time is held in few pieces', () => {
  const reader = new FrameReader(10_000_000)
  const frame = frameOf(Buffer.alloc(5_000_000))
  let piecesMax = 0
  for (let at = 0; at < 1_000_000; at++) {
    reader.push(frame.subarray(at, at + 1))
    piecesMax = Math.max(piecesMax, reader.pieces)
  }
  assert.ok(piecesMax < 300, `${piecesMax} pieces`)
})
