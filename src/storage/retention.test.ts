import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deletionsOf, type RetainedSegment } from './retention.ts'

interface AgedSegment extends RetainedSegment {
  readonly largestTimestamp: number
}

const now = 1_000_000

/** Segments of ten records and 100 bytes each, but for what is said; each by its age in ms. */
function segmentsOf(ages: readonly number[], sizes: readonly number[] = []): AgedSegment[] {
  return ages.map((age, i) => ({
    baseOffset: 10 * i,
    sizeBytes: sizes[i] ?? 100,
    largestTimestamp: now - age,
  }))
}

const cases: {
  name: string
  ages: number[]
  sizes?: number[]
  start?: number
  highWatermark?: number
  deletes?: boolean
  retentionMs?: number
  retentionBytes?: number
  deleted: string[]
}[] = [
  { name: 'without limits nothing goes', ages: [9e9, 9e9], deleted: [] },
  { name: 'what is older than retention.ms goes', ages: [103, 102, 101, 5], retentionMs: 100, deleted: ['time 0-30'] },
  { name: 'what is as old as retention.ms stays', ages: [100, 5], retentionMs: 100, deleted: [] },
  { name: 'an old segment behind a young one stays', ages: [101, 5, 101, 5], retentionMs: 100, deleted: ['time 0-10'] },
  { name: 'an active segment goes when all in it is old', ages: [102, 101], retentionMs: 100, deleted: ['time 0-20'] },
  { name: 'an empty active segment stays', ages: [102, 101], sizes: [100, 0], retentionMs: 9, deleted: ['time 0-10'] },
  { name: 'a log without records stays', ages: [101], sizes: [0], retentionMs: 100, retentionBytes: 0, deleted: [] },
  { name: 'a timestamp in the future is young', ages: [-5, 101], retentionMs: 0, deleted: [] },
  { name: 'retention.ms of 0 deletes what is not of now', ages: [1, 1], retentionMs: 0, deleted: ['time 0-20'] },
  {
    name: 'records at the high watermark stay',
    ages: [9, 9, 9],
    retentionMs: 1,
    highWatermark: 29,
    deleted: ['time 0-20'],
  },
  {
    name: 'without a high watermark nothing goes',
    ages: [9, 9],
    retentionMs: 1,
    retentionBytes: 0,
    highWatermark: 0,
    deleted: [],
  },
  { name: 'a log as large as retention.bytes is left alone', ages: [9, 9, 9], retentionBytes: 300, deleted: [] },
  { name: 'what is left may not be less than retention.bytes', ages: [9, 9, 9], retentionBytes: 201, deleted: [] },
  { name: 'the oldest go while enough is left', ages: [9, 9, 9], retentionBytes: 100, deleted: ['size 0-20'] },
  {
    name: 'a large segment keeps smaller ones behind it',
    ages: [9, 9, 9],
    sizes: [100, 10, 10],
    retentionBytes: 50,
    deleted: [],
  },
  {
    name: 'retention.bytes of 0 takes the active segment, too',
    ages: [9, 9],
    retentionBytes: 0,
    deleted: ['size 0-20'],
  },
  {
    name: 'size counts to the high watermark only',
    ages: [9, 9, 9],
    retentionBytes: 0,
    highWatermark: 10,
    deleted: ['size 0-10'],
  },
  { name: 'segments below the log start go', ages: [9, 9, 9], start: 20, deleted: ['logStart 0-20'] },
  { name: 'a log start inside a segment keeps it', ages: [9, 9, 9], start: 19, deleted: ['logStart 0-10'] },
  { name: 'a log start at the end leaves the active segment', ages: [9, 9], start: 20, deleted: ['logStart 0-10'] },
  {
    name: 'log start, size and time, each from where the last one ended',
    ages: [9, 9, 9, 9, 5],
    start: 10,
    retentionBytes: 300,
    retentionMs: 8,
    deleted: ['logStart 0-10', 'size 10-20', 'time 20-40'],
  },
  {
    name: 'a log that does not delete loses only what is below its start',
    ages: [9, 9, 9],
    deletes: false,
    start: 10,
    retentionMs: 1,
    retentionBytes: 0,
    deleted: ['logStart 0-10'],
  },
]

for (const { name, ages, sizes, start = 0, highWatermark, deletes = true, deleted, ...limits } of cases) {
  test(name, async () => {
    const segments = segmentsOf(ages, sizes)
    const config = {
      deletes,
      retentionMs: limits.retentionMs ?? Infinity,
      retentionBytes: limits.retentionBytes ?? Infinity,
    }
    const logEndOffset = sizes?.at(-1) === 0 ? 10 * ages.length - 10 : 10 * ages.length
    const log = { segments, logStartOffset: start, logEndOffset, highWatermark: highWatermark ?? logEndOffset, config }
    const found = await deletionsOf(log, now, (segment) => segment.largestTimestamp)
    assert.deepEqual(
      found.map(({ reason, segments: gone, startOffset }) => `${reason} ${gone[0]!.baseOffset}-${startOffset}`),
      deleted,
    )
  })
}

test('timestamps are asked only up to the first segment that is young', async () => {
  const asked: number[] = []
  const config = { deletes: true, retentionMs: 100, retentionBytes: 400 }
  const log = {
    segments: segmentsOf([200, 200, 5, 5, 5]),
    logStartOffset: 0,
    logEndOffset: 50,
    highWatermark: 50,
    config,
  }
  await deletionsOf(log, now, ({ baseOffset, largestTimestamp }) => {
    asked.push(baseOffset)
    return Promise.resolve(largestTimestamp)
  })
  assert.deepEqual(asked, [10, 20])
})
