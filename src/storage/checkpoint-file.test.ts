import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeOffsetCheckpoint, encodeCheckpoint, offsetEntry } from './checkpoint-file.ts'

test("Kafka's checkpoint is read and written, topics with dashes and digits included", () => {
  const bytes = Buffer.from('0\n3\n__transaction_state 42 0\norders 0 23728\nmy-topic-7 1 5\n')
  const offsets = new Map([
    ['__transaction_state-42', 0],
    ['orders-0', 23728],
    ['my-topic-7-1', 5],
  ])
  assert.deepEqual(decodeOffsetCheckpoint(bytes), offsets)
  assert.deepEqual(Buffer.from(encodeCheckpoint([...offsets].map(([log, offset]) => offsetEntry(log, offset)))), bytes)
})

for (const text of [
  '',
  '0',
  '0\n',
  '2\n0\n',
  '0\n1\n',
  '0\n1\na 0 1\nb 0 1\n',
  '0\n1\na 0\n',
  '0\n1\na 0 -1\n',
  '0\n1\na b 1\n',
]) {
  test(`the checkpoint ${JSON.stringify(text)} is refused`, () => {
    assert.throws(() => decodeOffsetCheckpoint(Buffer.from(text)), { name: 'CheckpointFormatError' })
  })
}
