import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommittedBytes } from './committed-bytes.ts'

test('bytes count as committed when the whole batch is below the offset', () => {
  const bytes = new CommittedBytes()
  bytes.append(3, 100)
  bytes.append(5, 10)
  bytes.commitTo(2)
  assert.equal(bytes.committed, 0)
  bytes.commitTo(4)
  assert.equal(bytes.committed, 100)
  bytes.commitTo(5)
  assert.equal(bytes.committed, 110)
})

test('what is forgotten never counts, and what is appended later does', () => {
  const bytes = new CommittedBytes()
  bytes.append(1, 100)
  bytes.forgetPending()
  bytes.append(2, 7)
  bytes.commitTo(2)
  assert.equal(bytes.committed, 7)
})

test('a long queue that is drained piece by piece stays exact', () => {
  const bytes = new CommittedBytes()
  for (let end = 1; end <= 5000; end++) bytes.append(end, end)
  let expected = 0
  for (let end = 1; end <= 5000; end++) {
    bytes.commitTo(end)
    expected += end
    assert.equal(bytes.committed, expected)
  }
})
