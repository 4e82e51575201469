import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OffsetIndex } from '../offset-index.ts'
import { TimeIndex } from '../time-index.ts'
import { OffsetIndexCheck, TimeIndexCheck } from './index-check.ts'

/** Batches of 100 bytes and two offsets, from 50 on; every second pair of offsets is a gap. */
const batches = [0, 1, 2, 3].map((n) => ({ position: 100 * n, baseOffset: 50 + 4 * n, lastOffset: 51 + 4 * n }))
const segment = { baseOffset: 50, sizeBytes: 400, endOffset: 100 }

function offsetsSay(entries: readonly (readonly [offset: number, position: number])[], sizeBytes = 400): string | null {
  const index = new OffsetIndex(50)
  for (const [offset, position] of entries) index.append(offset, position)
  const check = new OffsetIndexCheck(index.encode(), { ...segment, sizeBytes })
  for (const { position, lastOffset } of batches) check.batch(position, lastOffset)
  if (sizeBytes > 400) check.batch(sizeBytes - 100, 99)
  check.finish()
  return check.wrong?.what ?? null
}

for (const { name, entries, wrong } of [
  {
    name: 'entries of batches',
    entries: [
      [55, 100],
      [63, 300],
    ],
    wrong: null,
  },
  { name: 'no entries in a short segment', entries: [], wrong: null },
  { name: 'an entry of batches that were appended together', entries: [[59, 100]], wrong: null },
  { name: 'a position inside a batch', entries: [[55, 101]], wrong: /entry 0 points at byte 101/ },
  {
    name: 'a position inside the last batch',
    entries: [
      [55, 100],
      [63, 350],
    ],
    wrong: /entry 1 points at byte 350/,
  },
  { name: 'an offset below the batch', entries: [[51, 100]], wrong: /gives a batch that ends with 55 the offset 51/ },
  { name: 'an offset that ends no batch', entries: [[57, 100]], wrong: /has offset 57, with which no batch ends/ },
  { name: 'an offset beyond the last batch', entries: [[70, 300]], wrong: /has offset 70, with which no batch ends/ },
] as const) {
  test(`an offset index with ${name} is ${wrong === null ? 'right' : 'wrong'}`, () => {
    const what = offsetsSay(entries)
    if (wrong === null) assert.equal(what, null)
    else assert.match(String(what), wrong)
  })
}

test('an offset index without entries is wrong for a long segment', () => {
  assert.match(String(offsetsSay([], 100_000)), /it has no entries/)
})

test('an offset index without entries is right for a segment of one large batch', () => {
  const check = new OffsetIndexCheck(new Uint8Array(0), { ...segment, sizeBytes: 1_000_000 })
  check.batch(0, 99)
  check.finish()
  assert.equal(check.wrong, null)
})

const times = [1000, 3000, 2000, 3000]

function timesSay(entries: readonly (readonly [timestamp: number, offset: number])[]): string | null {
  const index = new TimeIndex(50)
  for (const [timestamp, offset] of entries) index.append(timestamp, offset)
  const check = new TimeIndexCheck(index.encode(), segment)
  for (const [n, { baseOffset, lastOffset }] of batches.entries()) check.batch(baseOffset, lastOffset, times[n]!)
  check.finish()
  return check.wrong?.what ?? null
}

for (const { name, entries, wrong } of [
  {
    name: 'the greatest timestamps',
    entries: [
      [1000, 51],
      [3000, 55],
    ],
    wrong: null,
  },
  { name: 'a record inside its batch, as Kafka wrote it before 3.7', entries: [[3000, 54]], wrong: null },
  { name: 'no entries', entries: [], wrong: /it ends with timestamp -1, the segment has 3000/ },
  { name: 'an end before the greatest', entries: [[1000, 51]], wrong: /it ends with timestamp 1000/ },
  {
    name: 'a timestamp that is not the batch’s',
    entries: [
      [1000, 51],
      [3001, 55],
    ],
    wrong: /says 3001, the batch 3000/,
  },
  {
    name: 'a timestamp that a batch before exceeds',
    entries: [[2000, 59]],
    wrong: /says 2000, a batch before it 3000/,
  },
  { name: 'an offset where no batch is', entries: [[3000, 57]], wrong: /has offset 57, where no batch is/ },
  {
    name: 'an offset beyond the last batch',
    entries: [
      [3000, 55],
      [4000, 80],
    ],
    wrong: /is of a batch that is not there/,
  },
] as const) {
  test(`a time index with ${name} is ${wrong === null ? 'right' : 'wrong'}`, () => {
    const what = timesSay(entries)
    if (wrong === null) assert.equal(what, null)
    else assert.match(String(what), wrong)
  })
}
