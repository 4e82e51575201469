import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { silentLogger } from '../lib/logger.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { buildBatch } from '../records/batch-builder.ts'
import type { Partition } from '../replication/partition.ts'
import type { LogRead } from '../storage/partition-log.ts'
import type { FetchPartition } from './fetch-partition.ts'
import { nextTurn, readAll, type ReadAhead } from './fetch-round.ts'

interface Source {
  /** Of its batches. */
  readonly sizes: readonly number[]
  readonly maxBytes: number
}

/** What a log gives of batches of these sizes. */
function given(sizes: readonly number[], maxBytes: number, atLeastOne: boolean): number {
  let total = 0
  for (const size of sizes) {
    if (total + size > maxBytes && !(atLeastOne && total === 0)) break
    total += size
  }
  return total
}

function readOf(source: Source, underWay: { now: number; most: number }, place = 0): ReadAhead {
  const log = {
    async read(_from: number, maxBytes: number, _upTo: number, atLeastOne: boolean): Promise<LogRead> {
      underWay.now += 1
      underWay.most = Math.max(underWay.most, underWay.now)
      await Promise.resolve()
      underWay.now -= 1
      return { ok: true, chunks: [], sizeBytes: given(source.sizes, maxBytes, atLeastOne) }
    },
  }
  return {
    wanted: { fetchOffset: 0, maxBytes: source.maxBytes } as FetchPartition,
    place,
    partition: { log, name: 'orders-0' } as unknown as Partition,
    highWatermark: 0,
    lastStableOffset: 0,
    upTo: 0,
    leaderEpoch: null,
    chunks: [],
    sizeBytes: 0,
    isEmpty: false,
    errorCode: ErrorCode.NONE,
    aborted: null,
  }
}

/** One after the other, as Kafka reads; but the first of which nothing fits into what is left is the last, as is one that leaves little. */
function oneByOne(sources: readonly Source[], maxBytes: number): number[] {
  let left = maxBytes
  let total = 0
  let ended = false
  return sources.map(({ sizes, maxBytes: own }) => {
    if (ended || (left <= maxBytes / 64 && total > 0)) return 0
    const size = given(sizes, Math.min(own, left), total === 0)
    ended = size === 0 && total > 0 && left < own
    total += size
    left = Math.max(0, left - size)
    return size
  })
}

test('reading side by side gives every partition what reading one by one would', async () => {
  const source = fc.record({
    sizes: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 6 }),
    maxBytes: fc.nat(100),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(source, { maxLength: 40 }), fc.nat(600), async (sources, maxBytes) => {
      const underWay = { now: 0, most: 0 }
      const reads = sources.map((one) => readOf(one, underWay))
      const total = await readAll(reads, maxBytes, silentLogger)
      const expected = oneByOne(sources, maxBytes)
      assert.deepEqual(
        reads.map(({ sizeBytes }) => sizeBytes),
        expected,
      )
      assert.equal(
        total,
        expected.reduce((sum, size) => sum + size, 0),
      )
      assert.ok(underWay.most <= 16)
    }),
    { numRuns: 500 },
  )
})

test('nothing more is read when what comes next is larger than what is left', async () => {
  let read = 0
  const reads = Array.from({ length: 50 }, () => {
    const one = readOf({ sizes: [90], maxBytes: 100 }, { now: 0, most: 0 })
    const { log } = one.partition
    const counted: Pick<NonNullable<Partition['log']>, 'read'> = {
      read(...limits) {
        read += 1
        return log!.read(...limits)
      },
    }
    return { ...one, partition: { log: counted } as unknown as Partition }
  })
  assert.equal(await readAll(reads, 400, silentLogger), 360)
  assert.equal(read, 5)
})

test('nothing more is read when next to nothing is left', async () => {
  const reads = Array.from({ length: 3 }, () => readOf({ sizes: [495, 1], maxBytes: 495 }, { now: 0, most: 0 }))
  assert.equal(await readAll(reads, 1000, silentLogger), 990)
})

test('partitions that all fit are read side by side, after the first', async () => {
  const underWay = { now: 0, most: 0 }
  const reads = Array.from({ length: 11 }, () => readOf({ sizes: [10], maxBytes: 100 }, underWay))
  assert.equal(await readAll(reads, 10_000, silentLogger), 110)
  assert.equal(underWay.most, 10)
})

test('reading begins with the partition whose turn it is, or the next one that has records, and goes round', async () => {
  const gives = async (turn: number) => {
    const reads = [0, 2, 3, 7].map((place) => readOf({ sizes: [10], maxBytes: 100 }, { now: 0, most: 0 }, place))
    await readAll(reads, 20, silentLogger, turn)
    return reads.filter(({ sizeBytes }) => sizeBytes > 0).map(({ place }) => place)
  }
  assert.deepEqual(await gives(0), [0, 2])
  assert.deepEqual(await gives(1), [2, 3])
  assert.deepEqual(await gives(4), [0, 7])
  assert.deepEqual(await gives(8), [0, 2])
})

/**
 * Of reads that gave so many bytes each, every second partition of a fetch, the turn after them, and what is expected of the logs: which
 * of them, from where, how much.
 */
function after(given: readonly number[], maxBytes: number, turn: number): { turn: number; expected: unknown[] } {
  const expected: unknown[] = []
  const batch = buildBatch([{ value: 'v' }, { value: 'w' }], { baseOffset: 7 })
  const reads = given.map((sizeBytes, index) => ({
    ...readOf({ sizes: [], maxBytes: 100 }, { now: 0, most: 0 }, 2 * index),
    wanted: { fetchOffset: index * 10, maxBytes: 100 } as FetchPartition,
    partition: {
      log: { expectRead: (...place: number[]) => void expected.push([index, ...place]) },
    } as unknown as Partition,
    upTo: 1000,
    chunks: sizeBytes > 0 ? [batch] : [],
    sizeBytes,
  }))
  return { turn: nextTurn(reads, maxBytes, turn), expected }
}

test('after a full answer as many partitions are expected as gave records, from the one on that is next in turn', () => {
  assert.deepEqual(after([60, 0, 0], 100, 0), { turn: 1, expected: [[1, 10, 100, 1000]] })
  assert.deepEqual(after([60, 30, 0, 0, 0], 100, 0), {
    turn: 3,
    expected: [
      [2, 20, 100, 1000],
      [3, 30, 100, 1000],
    ],
  })
  assert.deepEqual(after([0, 0, 60], 40, 3), { turn: 5, expected: [[0, 0, 40, 1000]] })
  const many = after(
    Array.from({ length: 20 }, (_, index) => (index < 10 ? 10 : 0)),
    100,
    0,
  )
  assert.deepEqual([many.turn, many.expected.length], [19, 4])
})

test('after a full answer from all partitions more of them is expected', () => {
  assert.deepEqual(after([60], 100, 3), { turn: 1, expected: [[0, 9, 100, 1000]] })
  assert.deepEqual(after([40, 40], 100, 1).expected, [
    [1, 9, 100, 1000],
    [0, 9, 100, 1000],
  ])
})

test('more is expected of who was given what his partitions may give, though the answer could be larger', () => {
  assert.deepEqual(after([60], 400, 0).expected, [[0, 9, 100, 1000]])
  assert.deepEqual(after([100, 30], 400, 0).expected.length, 2)
  assert.deepEqual(after([60, 30], 400, 0).expected, [])
})

test('nothing is expected of who was given little', () => {
  assert.deepEqual(after([40, 0], 100, 0), { turn: 1, expected: [] })
  assert.deepEqual(after([0, 0], 100, 2), { turn: 2, expected: [] })
  assert.deepEqual(after([], 100, 0), { turn: 0, expected: [] })
})
