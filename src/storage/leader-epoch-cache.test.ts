import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LeaderEpochCache } from './leader-epoch-cache.ts'

const entries = [
  { epoch: 1, startOffset: 0 },
  { epoch: 3, startOffset: 10 },
  { epoch: 4, startOffset: 25 },
]
const cache = () => new LeaderEpochCache(entries)

for (const { name, epoch, answer } of [
  { name: 'the current epoch ends at the end of the log', epoch: 4, answer: [4, 40] },
  { name: 'an older epoch ends where the next begins', epoch: 3, answer: [3, 25] },
  { name: 'an epoch that left no record: the one before it, to where the next begins', epoch: 2, answer: [1, 10] },
  { name: 'an epoch older than all: itself, to where the first begins', epoch: 0, answer: [0, 0] },
  { name: 'an epoch newer than all is unknown', epoch: 5, answer: [-1, -1] },
  { name: 'no epoch is unknown', epoch: -1, answer: [-1, -1] },
]) {
  test(`asked for an end: ${name}`, () => {
    const { epoch: found, endOffset } = cache().endOffsetFor(epoch, 40)
    assert.deepEqual([found, endOffset], answer)
  })
}

test('a leadership without records ends at the end of the log, and is not the latest epoch', () => {
  const epochs = cache()
  epochs.start(6, 40)
  assert.equal(epochs.latestEpoch, 4)
  assert.deepEqual(epochs.endOffsetFor(6, 40), { epoch: 6, endOffset: 40 })
  assert.deepEqual(epochs.endOffsetFor(4, 40), { epoch: 4, endOffset: 40 })
  assert.equal(epochs.assign(6, 40), true)
  assert.equal(epochs.latestEpoch, 6)
  assert.deepEqual(epochs.endOffsetFor(4, 45), { epoch: 4, endOffset: 40 })
})

test('the epoch of an offset is that of the last leadership that began there or before', () => {
  assert.deepEqual(
    [0, 9, 10, 24, 25, 99].map((offset) => cache().epochAt(offset)),
    [1, 1, 3, 3, 4, 4],
  )
  assert.equal(new LeaderEpochCache().epochAt(0), -1)
})

test('what contradicts a new epoch gives way', () => {
  const epochs = cache()
  assert.equal(epochs.assign(4, 30), false)
  assert.equal(epochs.assign(5, 20), true)
  assert.deepEqual(epochs.entries, [...entries.slice(0, 2), { epoch: 5, startOffset: 20 }])
  assert.equal(epochs.assign(2, 22), true)
  assert.deepEqual(epochs.entries, [entries[0], { epoch: 2, startOffset: 22 }])
})

test('truncating drops epochs that begin at the new end or later', () => {
  const epochs = cache()
  assert.equal(epochs.truncateFromEnd(40), false)
  assert.equal(epochs.truncateFromEnd(25), true)
  assert.deepEqual(epochs.entries, entries.slice(0, 2))
})

test('a new start keeps the epoch it lies in', () => {
  const epochs = cache()
  assert.equal(epochs.truncateFromStart(0), false)
  assert.equal(epochs.truncateFromStart(12), true)
  assert.deepEqual(epochs.entries, [{ epoch: 3, startOffset: 12 }, entries[2]])
})

test("Kafka's checkpoint is read and written", () => {
  const bytes = Buffer.from('0\n3\n1 0\n3 10\n4 25\n')
  assert.deepEqual(LeaderEpochCache.decode(bytes).entries, entries)
  assert.deepEqual(Buffer.from(cache().encode()), bytes)
})

for (const text of [
  '',
  '1\n0\n',
  '0\n2\n1 0\n',
  '0\n1\n1 0\n2 5\n',
  '0\n2\n2 0\n1 5\n',
  '0\n2\n1 5\n2 5\n',
  '0\n1\nx 0\n',
  '0\n1\n1 -4\n',
]) {
  test(`the checkpoint ${JSON.stringify(text)} is refused`, () => {
    assert.throws(() => LeaderEpochCache.decode(Buffer.from(text)), { name: 'CheckpointFormatError' })
  })
}
