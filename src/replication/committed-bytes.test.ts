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
