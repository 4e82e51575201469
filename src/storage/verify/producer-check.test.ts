// What compaction explains is not called wrong. Whole logs are in verify-directory.test.ts and verify-compacted.test.ts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stampBaseOffset } from '../../records/batch.ts'
import { buildEndTransactionMarker } from '../../records/control-batch.ts'
import { filterBatch } from '../../records/filter-batch.ts'
import { batchOf } from '../partition-log.contract.ts'
import { ProducerState } from '../producer-state.ts'
import { ProducerCheck } from './producer-check.ts'

const producer = { producerId: 7, producerEpoch: 0, timestamp: 1 }

function placed(bytes: Uint8Array, offset: number): Uint8Array {
  stampBaseOffset(bytes, 0, offset)
  return bytes
}

const data = (offset: number) => placed(batchOf(['a'], { ...producer, baseSequence: 0, transactional: true }), offset)
const abort = (offset: number) => {
  return placed(buildEndTransactionMarker({ kind: 'abort', coordinatorEpoch: 0 }, producer), offset)
}

test('a transaction that was aborted must be in the index, unless compaction has left nothing of it', () => {
  for (const { compacted, missing } of [
    { compacted: false, missing: true },
    { compacted: true, missing: false },
  ]) {
    const check = new ProducerCheck(new ProducerState())
    check.beginSegment([])
    if (compacted) check.sawGap()
    check.batch(compacted ? filterBatch(data(4), () => false).bytes : data(4), 0)
    check.batch(abort(6), 0)
    assert.equal(check.wrongAborted() !== null, missing)
  }
})

test('an aborted transaction that began before all that is there is right, when nothing tells what was before', () => {
  const stored = [{ producerId: 7, firstOffset: 2, lastOffset: 6, lastStableOffset: 7 }]
  for (const { initial, wrong } of [
    { initial: null, wrong: false },
    { initial: new ProducerState(), wrong: true },
  ]) {
    const check = new ProducerCheck(initial)
    check.beginSegment(stored)
    check.batch(abort(6), 0)
    assert.equal(check.wrongAborted() !== null, wrong)
  }
})
