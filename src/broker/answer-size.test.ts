import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AnswerSize } from './answer-size.ts'

const mib = 1024 * 1024

/** Sizes of answers that are filled to `share`, to a client that asks again `pauseMs` after each. */
function sizes(count: number, pauseMs: number, share = 1, size = new AnswerSize()): number[] {
  let now = 1000
  return Array.from({ length: count }, () => {
    const bytes = size.next(now)
    size.answered(bytes * share, now)
    now += pauseMs
    return bytes / mib
  })
}

test('who asks again at once is answered in small pieces', () => {
  assert.deepEqual(sizes(4, 2), [1, 1, 1, 1])
})

test('who asks again late gets more and more, up to a limit', () => {
  assert.deepEqual(sizes(7, 50), [1, 2, 4, 8, 16, 16, 16])
})

test('who asked late because there was nothing more is not given more', () => {
  assert.deepEqual(sizes(4, 50, 0.1), [1, 1, 1, 1])
})

test('who comes nearer gets less again', () => {
  const size = new AnswerSize()
  assert.deepEqual(sizes(4, 50, 1, size), [1, 2, 4, 8])
  const now = 1151
  assert.deepEqual(
    Array.from({ length: 4 }, () => {
      const bytes = size.next(now)
      size.answered(bytes, now)
      return bytes / mib
    }),
    [4, 2, 1, 1],
  )
})

test('who comes nearer gets less again, though his own limits leave no answer full', () => {
  const size = new AnswerSize()
  assert.deepEqual(sizes(4, 50, 1, size), [1, 2, 4, 8])
  assert.deepEqual(sizes(5, 2, 0.2, size), [4, 2, 1, 1, 1])
})
