import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupSegments } from './segment-groups.ts'

const limits = { segmentBytes: 100, segmentIndexBytes: 50, endOffset: 1000 }

function segment(baseOffset: number, sizeBytes: number, offsetIndexBytes = 1, timeIndexBytes = 1) {
  return { baseOffset, sizeBytes, offsetIndexBytes, timeIndexBytes }
}

const cases = [
  { title: 'none', segments: [], groups: [] },
  {
    title: 'neighbours that fit together',
    segments: [segment(0, 30), segment(10, 30), segment(20, 40)],
    groups: [[0, 10, 20]],
  },
  {
    title: 'no more than fit',
    segments: [segment(0, 30), segment(10, 30), segment(20, 41), segment(30, 59)],
    groups: [
      [0, 10],
      [20, 30],
    ],
  },
  { title: 'one that is too large alone', segments: [segment(0, 200), segment(10, 10)], groups: [[0], [10]] },
  {
    title: 'offset indexes that fill the index',
    segments: [segment(0, 1, 30), segment(10, 1, 21)],
    groups: [[0], [10]],
  },
  {
    title: 'time indexes that fill the index',
    segments: [segment(0, 1, 1, 30), segment(10, 1, 1, 21)],
    groups: [[0], [10]],
  },
  {
    title: 'offsets that an index cannot say',
    segments: [segment(5, 1), segment(2 ** 31, 1), segment(2 ** 31 + 5, 1)],
    groups: [[5, 2 ** 31], [2 ** 31 + 5]],
    endOffset: 2 ** 31 + 7,
  },
  {
    title: 'empty segments, however far',
    segments: [segment(5, 1), segment(2 ** 32, 0)],
    groups: [[5, 2 ** 32]],
    endOffset: 2 ** 33,
  },
]

for (const { title, segments, groups, endOffset = 1000 } of cases) {
  test(`groups: ${title}`, () => {
    const found = groupSegments(segments, { ...limits, endOffset })
    assert.deepEqual(
      found.map((group) => group.map(({ baseOffset }) => baseOffset)),
      groups,
    )
  })
}
