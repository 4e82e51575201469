import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { silentLogger } from '../lib/logger.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { buildBatch } from '../records/batch-builder.ts'
import type { Partition } from '../replication/partition.ts'
import type { LogRead } from '../storage/partition-log.ts'
import type { FetchPartition } from './fetch-partition.ts'
import { expectNext, readAll, type ReadAhead } from './fetch-round.ts'

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

function readOf(source: Source, underWay: { now: number; most: number }): ReadAhead {
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

/** One after the other, as Kafka reads; but the first of which nothing fits into what is left is the last. */
function oneByOne(sources: readonly Source[], maxBytes: number): number[] {
  let left = maxBytes
  let total = 0
  let ended = false
  return sources.map(({ sizes, maxBytes: own }) => {
    if (ended || (left === 0 && total > 0)) return 0
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

test('partitions that all fit are read side by side, after the first', async () => {
  const underWay = { now: 0, most: 0 }
  const reads = Array.from({ length: 11 }, () => readOf({ sizes: [10], maxBytes: 100 }, underWay))
  assert.equal(await readAll(reads, 10_000, silentLogger), 110)
  assert.equal(underWay.most, 10)
})

/** Reads that gave so many bytes each, and what was then expected of the logs: which of them, from where, how much. */
function expectedAfter(given: readonly number[], maxBytes: number, turn: number): unknown[] {
  const expected: unknown[] = []
  const batch = buildBatch([{ value: 'v' }, { value: 'w' }], { baseOffset: 7 })
  const reads = given.map((sizeBytes, index) => ({
    ...readOf({ sizes: [], maxBytes: 100 }, { now: 0, most: 0 }),
    wanted: { fetchOffset: index * 10, maxBytes: 100 } as FetchPartition,
    partition: {
      log: { expectRead: (...place: number[]) => void expected.push([index, ...place]) },
    } as unknown as Partition,
    upTo: 1000,
    chunks: sizeBytes > 0 ? [batch] : [],
    sizeBytes,
  }))
  expectNext(reads, maxBytes, turn)
  return expected
}

test('after a full answer the partition is expected that is next in turn', () => {
  assert.deepEqual(expectedAfter([60, 0, 0], 100, 0), [[1, 10, 100, 1000]])
  assert.deepEqual(expectedAfter([60, 30, 0, 0], 100, 0), [[2, 20, 100, 1000]])
  assert.deepEqual(expectedAfter([0, 0, 60], 40, 5), [[0, 0, 40, 1000]])
})

test('after a full answer from the only partition more of it is expected', () => {
  assert.deepEqual(expectedAfter([60], 100, 3), [[0, 9, 100, 1000]])
})

test('nothing is expected of who was given little, or all there is', () => {
  assert.deepEqual(expectedAfter([40, 0], 100, 0), [])
  assert.deepEqual(expectedAfter([40, 40], 100, 0), [])
  assert.deepEqual(expectedAfter([], 100, 0), [])
})
