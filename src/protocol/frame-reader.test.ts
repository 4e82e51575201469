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
          const lent = new Uint8Array(stream.subarray(at, at + length))
          at += length
          reader.push(lent)
          for (let frame = reader.next(); frame !== null; frame = reader.next()) seen.push(frame)
          reader.keep()
          lent.fill(0xdb)
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
    reader.keep()
    reader.push(head.subarray(3))
    assert.throws(() => reader.next(), FrameError)
  })
}

test('a frame lies in memory that was asked for with its size and API key', () => {
  const asked: [number, number][] = []
  const memory = new Uint8Array(100)
  const reader = new FrameReader(1000, (size, apiKey) => {
    asked.push([size, apiKey])
    return memory.subarray(0, size)
  })
  reader.push(Buffer.concat([frameOf(Uint8Array.of(0, 18, 1, 2)), frameOf(Uint8Array.of(7))]))
  const frame = reader.next()
  assert.deepEqual(frame, Uint8Array.of(0, 18, 1, 2))
  assert.equal(frame?.buffer, memory.buffer)
  assert.deepEqual(reader.next(), Uint8Array.of(7))
  assert.deepEqual(asked, [
    [4, 18],
    [1, -1],
  ])
})

test('a frame of which a good part is there is read into its place', () => {
  const body = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251))
  const reader = new FrameReader(1_000_000)
  reader.push(frameOf(body).subarray(0, 20_000))
  reader.keep()
  assert.equal(reader.room(), null, 'not yet')
  reader.push(frameOf(body).subarray(20_000, 30_000))
  reader.keep()
  const room = reader.room()
  assert.equal(room?.length, 100_004 - 30_000)
  assert.equal(reader.bufferedBytes, 30_000)
  assert.ok(room !== null)
  room.set(body.subarray(30_000 - 4, 70_000))
  reader.push(room.subarray(0, 40_004))
  assert.equal(reader.next(), null)
  reader.keep()
  reader.push(Buffer.concat([body.subarray(70_000), frameOf(Uint8Array.of(1, 2, 3))]))
  assert.equal(Buffer.compare(reader.next() ?? Buffer.alloc(0), body), 0)
  assert.deepEqual(reader.next(), Buffer.of(1, 2, 3))
  reader.keep()
  assert.equal(reader.room(), null)
  assert.equal(reader.bufferedBytes, 0)
})

test('a frame that is whole and was not asked for yet is followed by what came after it', () => {
  const reader = new FrameReader(1000)
  const [one, two, three] = ['one', 'two', 'three'].map((text) => frameOf(Buffer.from(text)))
  for (const bytes of [one!.subarray(0, 6), one!.subarray(6), two!, three!.subarray(0, 5), three!.subarray(5)]) {
    reader.push(bytes)
    reader.keep()
  }
  assert.equal(reader.bufferedBytes, 7 + 7 + 9)
  for (const text of ['one', 'two', 'three']) assert.equal(reader.next()?.toString(), text)
  assert.equal(reader.next(), null)
})

test('a claimed size costs no memory of its own before a quarter of it is there', () => {
  const asked: number[] = []
  const reader = new FrameReader(10_000_000, (size) => {
    asked.push(size)
    return new Uint8Array(size)
  })
  const frame = frameOf(new Uint8Array(8_000_000))
  reader.push(frame.subarray(0, 1_999_999))
  reader.keep()
  assert.deepEqual(asked, [])
  reader.push(frame.subarray(1_999_999, 2_000_004))
  reader.keep()
  assert.deepEqual(asked, [8_000_000])
})

test('a frame that comes byte by byte comes out whole', () => {
  const body = Buffer.from(Array.from({ length: 5000 }, (_, index) => index % 251))
  const reader = new FrameReader(10_000)
  for (const byte of frameOf(body)) {
    assert.equal(reader.next(), null)
    reader.push(Uint8Array.of(byte))
    reader.keep()
  }
  assert.deepEqual(Buffer.from(reader.next() as Uint8Array), body)
})

test('a dropped reader keeps nothing and takes nothing', () => {
  const reader = new FrameReader(1000)
  reader.push(frameOf(Buffer.from('a')).subarray(0, 3))
  reader.keep()
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
  reader.keep()
  for (let at = 2_000_000; at < frame.length; at += 3) {
    reader.push(frame.subarray(at, at + 3))
    reader.keep()
  }
  assert.equal(reader.bufferedBytes, frame.length)
  assert.equal(Buffer.compare(reader.next() ?? Buffer.alloc(0), body), 0)
  assert.equal(reader.bufferedBytes, 0)
})
