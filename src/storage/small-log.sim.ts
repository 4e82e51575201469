// A log as storage's tests want it: small, so that a few batches meet every boundary, and read as a reader does.

import assert from 'node:assert/strict'
import { nextOffsetOf } from '../records/batch.ts'
import { type BatchOptions, buildBatch, type NewRecord } from '../records/batch-builder.ts'
import { batchesIn } from '../records/batches-in.ts'
import type { LogConfig, PartitionLog } from './partition-log.ts'

/** Small segments and dense indexes, so that a few batches meet every boundary. */
export const smallConfig: LogConfig = {
  segmentBytes: 500,
  segmentMs: 3_600_000,
  segmentJitterMs: 0,
  segmentIndexBytes: 1 << 20,
  indexIntervalBytes: 100,
  flushPolicy: 'fsync',
  producerIdExpirationMs: 86_400_000,
  deletes: true,
  compacts: false,
  retentionMs: Infinity,
  retentionBytes: Infinity,
  fileDeleteDelayMs: 0,
  minCleanableDirtyRatio: 0.5,
  minCompactionLagMs: 0,
  maxCompactionLagMs: Infinity,
  deleteRetentionMs: 86_400_000,
  budgetPolicy: 'delete',
  budgetWeight: 1,
}

/** A batch with a record for each value. */
export function batchOf(values: readonly string[], options: BatchOptions = {}): Uint8Array {
  return buildBatch(
    values.map((value): NewRecord => ({ value })),
    { timestamp: 1_700_000_000_000, ...options },
  )
}

/** Every batch from `from` on, read in small bites. */
export async function readAll(log: PartitionLog, from = log.logStartOffset, maxBytes = 300): Promise<Uint8Array[]> {
  const batches: Uint8Array[] = []
  let next = from
  for (;;) {
    const read = await log.read(next, maxBytes, Infinity, true)
    assert.ok(read.ok, JSON.stringify(read))
    if (read.sizeBytes === 0) return batches
    for (const chunk of read.chunks) {
      for (const batch of batchesIn(chunk)) {
        batches.push(batch)
        next = nextOffsetOf(batch)
      }
    }
  }
}
