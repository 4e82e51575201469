import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleanableRange, type RangedLog } from './cleanable-range.ts'

interface TestSegment {
  readonly baseOffset: number
  readonly sizeBytes: number
  readonly firstMs: number
  readonly largestMs: number
}

/** Segments of 100 offsets and 100 bytes each, a hundred milliseconds long; the last one, from 300, is active. */
const segments: TestSegment[] = [0, 100, 200, 300].map((baseOffset) => {
  return { baseOffset, sizeBytes: 100, firstMs: baseOffset, largestMs: baseOffset + 99 }
})

type Log = RangedLog<TestSegment>

function logOf(options: Partial<Omit<Log, 'config'>> & { readonly config?: Partial<Log['config']> } = {}): Log {
  return {
    logStartOffset: 0,
    logEndOffset: 350,
    lastStableOffset: 350,
    segments,
    largestTimestampOf: async (segment: TestSegment) => segment.largestMs,
    firstTimestampOf: async (segment: TestSegment) => segment.firstMs,
    ...options,
    config: { minCompactionLagMs: 0, maxCompactionLagMs: Infinity, minCleanableDirtyRatio: 0.5, ...options.config },
  }
}

const cases: {
  title: string
  log?: Parameters<typeof logOf>[0]
  cleanedTo?: number
  now?: number
  expected: { from: number; to: number; ratio: number; due: boolean; resets?: boolean }
}[] = [
  {
    title: 'a log that was never compacted is dirty up to its active segment',
    expected: { from: 0, to: 300, ratio: 1, due: true },
  },
  {
    title: 'below the checkpoint it is clean',
    cleanedTo: 200,
    expected: { from: 200, to: 300, ratio: 1 / 3, due: false },
  },
  {
    title: 'more dirt than min.cleanable.dirty.ratio makes it due',
    cleanedTo: 200,
    log: { config: { minCleanableDirtyRatio: 0.3 } },
    expected: { from: 200, to: 300, ratio: 1 / 3, due: true },
  },
  {
    title: 'just as much does not',
    cleanedTo: 100,
    log: { config: { minCleanableDirtyRatio: 2 / 3 } },
    expected: { from: 100, to: 300, ratio: 2 / 3, due: false },
  },
  {
    title: 'nothing is due when all is clean, whatever the ratio',
    cleanedTo: 300,
    log: { config: { minCleanableDirtyRatio: 0 } },
    expected: { from: 300, to: 300, ratio: 0, due: false },
  },
  {
    title: 'a checkpoint inside the active segment leaves nothing to clean',
    cleanedTo: 320,
    expected: { from: 320, to: 300, ratio: 0, due: false },
  },
  {
    title: 'a checkpoint inside a segment makes it count as clean and dirty',
    cleanedTo: 150,
    expected: { from: 150, to: 300, ratio: 2 / 4, due: false },
  },
  {
    title: 'the segment of the last stable offset stays',
    log: { lastStableOffset: 250 },
    expected: { from: 0, to: 200, ratio: 1, due: true },
  },
  {
    title: 'one that ends there is cleaned',
    log: { lastStableOffset: 200 },
    expected: { from: 0, to: 200, ratio: 1, due: true },
  },
  {
    title: 'with everything unstable nothing is cleaned',
    log: { lastStableOffset: 10 },
    expected: { from: 0, to: 0, ratio: 0, due: false },
  },
  {
    title: 'a last stable offset below what is clean changes nothing',
    cleanedTo: 200,
    log: { lastStableOffset: 120 },
    expected: { from: 200, to: 200, ratio: 0, due: false },
  },
  {
    title: 'a segment with a record younger than min.compaction.lag.ms stays, and all after it',
    log: { config: { minCompactionLagMs: 1000 } },
    now: 1150,
    expected: { from: 0, to: 100, ratio: 1, due: true },
  },
  {
    title: 'a record as old as that may go',
    log: { config: { minCompactionLagMs: 1000 } },
    now: 1199,
    expected: { from: 0, to: 200, ratio: 1, due: true },
  },
  {
    title: 'a dirty segment older than max.compaction.lag.ms makes the log due',
    cleanedTo: 200,
    log: { config: { maxCompactionLagMs: 1000 } },
    now: 1201,
    expected: { from: 200, to: 300, ratio: 1 / 3, due: true },
  },
  {
    title: 'one that is not older does not',
    cleanedTo: 200,
    log: { config: { maxCompactionLagMs: 1000 } },
    now: 1200,
    expected: { from: 200, to: 300, ratio: 1 / 3, due: false },
  },
  {
    title: 'a dirty segment that may not be cleaned makes nothing due',
    cleanedTo: 200,
    log: { lastStableOffset: 210, config: { maxCompactionLagMs: 1000 } },
    now: 9999,
    expected: { from: 200, to: 200, ratio: 0, due: false },
  },
  {
    title: 'a checkpoint below the log start is set to the start',
    cleanedTo: 50,
    log: { logStartOffset: 120, segments: segments.slice(1) },
    expected: { from: 120, to: 300, ratio: 2 / 3, due: true, resets: true },
  },
  {
    title: 'a checkpoint beyond the log end is set to the start',
    cleanedTo: 351,
    expected: { from: 0, to: 300, ratio: 1, due: true, resets: true },
  },
]

for (const { title, log, cleanedTo, now = 5000, expected } of cases) {
  test(title, async () => {
    const range = await cleanableRange(logOf(log), cleanedTo, now)
    assert.deepEqual(range, {
      firstDirtyOffset: expected.from,
      firstUncleanableOffset: expected.to,
      resetsCheckpoint: expected.resets ?? false,
      dirtyRatio: expected.ratio,
      isDue: expected.due,
    })
  })
}
