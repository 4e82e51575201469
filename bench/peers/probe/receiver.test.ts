import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Receiver } from './receiver.ts'

/** Small ones, and some that no shared buffer holds. */
const frames = fc.array(fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 400_000 })), { maxLength: 8 })
const reads = fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 20 })

test('frames come whole and in order, however the bytes arrive and whoever else reads in between', () => {
  fc.assert(
    fc.property(frames, reads, (sizes, pieces) => {
      const sent = sizes.map((size, index) => Buffer.alloc(size, index + 1))
      const stream = Buffer.concat(sent.flatMap((frame) => [sizeOf(frame), frame]))
      const got: Buffer[] = []
      const receiver = new Receiver({
        onFrame: (bytes, at, end) => got.push(Buffer.from(bytes.subarray(at, end))),
        onReadEnd: () => {},
      })
      const other = new Receiver({ onFrame: () => {}, onReadEnd: () => {} })
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        other.target().fill(0xff)
        const target = receiver.target()
        const count = Math.min(pieces[turn % pieces.length]!, target.length, stream.length - at)
        target.set(stream.subarray(at, at + count))
        receiver.received(count)
        at += count
      }
      assert.deepEqual(got, sent)
    }),
    { numRuns: 50 },
  )
})

test('a size that cannot be is refused', () => {
  const receiver = new Receiver({ onFrame: () => {}, onReadEnd: () => {} })
  receiver.target().set([0xff, 0xff, 0xff, 0xff])
  assert.throws(() => receiver.received(4), /a frame of -1 bytes/)
})

function sizeOf(frame: Uint8Array): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(frame.length)
  return size
}
