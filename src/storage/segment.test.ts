// When a segment takes no more: Kafka's LogSegment.shouldRoll, case by case.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from '../io/disk.memory.ts'
import { FileHandles } from './file-handles.ts'
import { smallConfig } from './partition-log.contract.ts'
import type { LogConfig } from './partition-log.ts'
import { Segment } from './segment.ts'

const madeAt = 1_000_000

const cases: {
  name: string
  /** Batches of 100 bytes and one record that are in it, by their timestamps. */
  holds?: number[]
  config?: Partial<LogConfig>
  jitterMs?: number
  next?: { sizeBytes?: number; lastOffset?: number; timestamp?: number; now?: number; segmentBytesMax?: number }
  rolls: boolean
}[] = [
  { name: 'a batch that just fits', holds: [5], config: { segmentBytes: 200 }, rolls: false },
  { name: 'a batch that does not fit', holds: [5], config: { segmentBytes: 199 }, rolls: true },
  { name: 'a batch beyond the bound of the disk budget', holds: [5], next: { segmentBytesMax: 199 }, rolls: true },
  { name: 'a first batch of any size', config: { segmentBytes: 50 }, rolls: false },
  {
    name: 'a batch as much later as segment.ms',
    holds: [5],
    config: { segmentMs: 100 },
    next: { timestamp: 105 },
    rolls: false,
  },
  { name: 'a later batch', holds: [5], config: { segmentMs: 100 }, next: { timestamp: 106 }, rolls: true },
  {
    name: 'a batch later than the jitter allows',
    holds: [5],
    config: { segmentMs: 100 },
    jitterMs: 40,
    next: { timestamp: 66 },
    rolls: true,
  },
  {
    name: 'time counts from the first batch, not the oldest',
    holds: [90, 5],
    config: { segmentMs: 100 },
    next: { timestamp: 106 },
    rolls: false,
  },
  {
    name: 'the clock does not count while records have times',
    holds: [5],
    config: { segmentMs: 100 },
    next: { timestamp: 6, now: madeAt + 1000 },
    rolls: false,
  },
  {
    name: 'without times the clock counts from when the file was made',
    holds: [-1],
    config: { segmentMs: 100 },
    next: { timestamp: -1, now: madeAt + 101 },
    rolls: true,
  },
  {
    name: 'and only beyond segment.ms',
    holds: [-1],
    config: { segmentMs: 100 },
    next: { timestamp: -1, now: madeAt + 100 },
    rolls: false,
  },
  {
    name: 'an empty segment, however old',
    config: { segmentMs: 100 },
    next: { timestamp: -1, now: madeAt + 1000 },
    rolls: false,
  },
  { name: 'an offset that still fits into an index', holds: [5], next: { lastOffset: 2 ** 31 - 1 + 10 }, rolls: false },
  { name: 'an offset too far from the first', holds: [5], next: { lastOffset: 2 ** 31 + 10 }, rolls: true },
  { name: 'an offset too far even for an empty segment', next: { lastOffset: 2 ** 31 + 10 }, rolls: true },
  // An entry for every batch but the first: 8 bytes each by offset.
  { name: 'an offset index with room', holds: [-1, -1, -1, -1], config: { segmentIndexBytes: 32 }, rolls: false },
  { name: 'an offset index that is full', holds: [-1, -1, -1, -1], config: { segmentIndexBytes: 24 }, rolls: true },
  // 12 bytes each by time, only as time moves on, and one is kept for the roll.
  { name: 'a time index with room', holds: [5, 6, 7], config: { segmentIndexBytes: 48 }, rolls: false },
  { name: 'a time index that is full', holds: [5, 6, 7], config: { segmentIndexBytes: 36 }, rolls: true },
]

for (const { name, holds = [], config, jitterMs = 0, next = {}, rolls } of cases) {
  test(`${name}: ${rolls ? 'a new segment' : 'the same segment'}`, () => {
    const all = { ...smallConfig, segmentBytes: 1000, segmentMs: 1e9, ...config }
    const segment = new Segment({
      baseOffset: 10,
      folder: '/data/orders-0',
      handles: new FileHandles(new MemoryDisk(), 1),
      createdAtMs: madeAt,
      rollJitterMs: jitterMs,
    })
    segment.startIndexes()
    for (const [i, timestamp] of holds.entries()) {
      segment.indexBatch(segment.sizeBytes, 100, 10 + i, timestamp, 0)
      segment.sizeBytes += 100
    }
    const {
      sizeBytes = 100,
      lastOffset = 10 + holds.length,
      timestamp = 5,
      now = madeAt,
      segmentBytesMax = Infinity,
    } = next
    assert.equal(segment.mustRollFor(sizeBytes, lastOffset, timestamp, all, now, segmentBytesMax), rolls)
  })
}
