import assert from 'node:assert/strict'
import test from 'node:test'

import { ErrorCode } from '../../protocol/error-code.ts'
import { refusedFirst } from './group-topics.ts'

const { NONE, UNKNOWN_TOPIC_OR_PARTITION } = ErrorCode
type Answers = { readonly partitionIndex: number; readonly errorCode: ErrorCode }[]
const ok = (...indexes: number[]): Answers => indexes.map((partitionIndex) => ({ partitionIndex, errorCode: NONE }))
const refusal = (...indexes: number[]): Answers =>
  indexes.map((partitionIndex) => ({ partitionIndex, errorCode: UNKNOWN_TOPIC_OR_PARTITION }))
const topic = (name: string, answered: Answers, refused: Answers = [], exists = true) => ({
  names: { name },
  exists,
  refused,
  answered,
})

const cases = [
  {
    title: 'as it was asked for when nothing is refused, a topic twice too',
    topics: [topic('a', ok(0)), topic('a', ok(1))],
    answer: [
      { name: 'a', partitions: ok(0) },
      { name: 'a', partitions: ok(1) },
    ],
  },
  {
    title: 'with refused topics first',
    topics: [topic('a', ok(0)), topic('b', [], refusal(0), false)],
    answer: [
      { name: 'b', partitions: refusal(0) },
      { name: 'a', partitions: ok(0) },
    ],
  },
  {
    title: 'with refused partitions before those of the same topic that are answered',
    topics: [topic('a', ok(0), refusal(9))],
    answer: [{ name: 'a', partitions: [...refusal(9), ...ok(0)] }],
  },
  {
    title: 'with each topic once when anything is refused',
    topics: [topic('a', ok(0)), topic('b', [], refusal(0), false), topic('a', ok(1)), topic('a', [], refusal(9))],
    answer: [
      { name: 'b', partitions: refusal(0) },
      { name: 'a', partitions: [...refusal(9), ...ok(0), ...ok(1)] },
    ],
  },
  {
    title: 'without topics that exist and of which no partition was named',
    topics: [topic('a', []), topic('b', [], [], false)],
    answer: [{ name: 'b', partitions: [] }],
  },
]
for (const { title, topics, answer } of cases) {
  test(`an answer is put together ${title}`, () => {
    assert.deepEqual(refusedFirst(topics), answer)
  })
}
