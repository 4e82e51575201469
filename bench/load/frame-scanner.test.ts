import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameScanner } from './frame-scanner.ts'

test('frames come out whole and in order, however the bytes were cut', () => {
  const texts = ['', 'a', 'hello', 'x'.repeat(1000), 'last']
  const bytes = Buffer.concat(
    texts.flatMap((text) => {
      const size = Buffer.alloc(4)
      size.writeInt32BE(text.length)
      return [size, Buffer.from(text)]
    }),
  )
  for (let readBytes = 1; readBytes <= bytes.length; readBytes += 1) {
    const seen: string[] = []
    const scanner = new FrameScanner((frame, from, end) => seen.push(Buffer.from(frame.subarray(from, end)).toString()))
    const buffer = new Uint8Array(readBytes)
    for (let at = 0; at < bytes.length; at += readBytes) {
      const read = bytes.subarray(at, at + readBytes)
      buffer.fill(0xff)
      buffer.set(read)
      scanner.receive(buffer, read.length)
    }
    assert.deepEqual(seen, texts, `reads of ${readBytes}`)
  }
})
