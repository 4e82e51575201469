import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  newEntry,
  type ProducerBatch,
  type ProducerCheck,
  type ProducerEntry,
  ProducerState,
  type RememberedBatch,
} from './producer-state.ts'

const producerId = 7

/** A client's batch of `count` records from `sequence` on; offsets follow the sequence unless said otherwise. */
function data(sequence: number, options: Partial<ProducerBatch> & { count?: number } = {}): ProducerBatch {
  const { count = 1, ...rest } = options
  const baseOffset = rest.baseOffset ?? sequence
  return {
    producerId,
    producerEpoch: 0,
    baseSequence: sequence,
    lastSequence: (sequence + count - 1) % 2 ** 31,
    baseOffset,
    lastOffset: baseOffset + count - 1,
    maxTimestamp: 1000,
    transactional: false,
    marker: null,
    control: false,
    ...rest,
  }
}

function marker(kind: 'commit' | 'abort', offset: number, options: Partial<ProducerBatch> = {}, coordinatorEpoch = 0) {
  const at = { baseOffset: offset, lastOffset: offset, transactional: true, control: true }
  return data(-1, { ...at, lastSequence: -1, marker: { kind, coordinatorEpoch }, ...options })
}

function remembered(lastSequence: number, lastOffset: number, offsetDelta = 0): RememberedBatch {
  return { lastSequence, lastOffset, offsetDelta, timestamp: 1000 }
}

function stateWith(entry: Partial<ProducerEntry>): ProducerState {
  return new ProducerState([{ ...newEntry(producerId), ...entry }])
}

const told = (check: ProducerCheck) =>
  check.kind === 'refused'
    ? check.refusal
    : check.kind === 'duplicate'
      ? `duplicate at ${check.batch.lastOffset}`
      : 'ok'

const known = { epoch: 3, batches: [remembered(4, 104, 4), remembered(9, 109, 4)] }
const open = { epoch: 3, currentTxnFirstOffset: 100, batches: [remembered(9, 109)] }
const wrapping = { epoch: 3, batches: [remembered(1, 204, 3)] }

const clientCases: {
  name: string
  before: Partial<ProducerEntry> | null
  batch: ProducerBatch
  version?: number
  answer: string
}[] = [
  { name: 'an unknown producer may begin at any sequence', before: null, batch: data(5), answer: 'ok' },
  {
    name: 'an unknown producer of transaction.version 2 begins at 0',
    before: null,
    batch: data(5),
    version: 2,
    answer: 'outOfOrderSequence',
  },
  {
    name: 'an unknown producer of transaction.version 2 that begins at 0 is let in',
    before: null,
    batch: data(0),
    version: 2,
    answer: 'ok',
  },
  { name: 'the next sequence is let in', before: known, batch: data(10, { producerEpoch: 3 }), answer: 'ok' },
  { name: 'a gap is refused', before: known, batch: data(11, { producerEpoch: 3 }), answer: 'outOfOrderSequence' },
  {
    name: 'the last batch again is a duplicate',
    before: known,
    batch: data(5, { producerEpoch: 3, count: 5 }),
    answer: 'duplicate at 109',
  },
  {
    name: 'an older batch again is a duplicate',
    before: known,
    batch: data(0, { producerEpoch: 3, count: 5 }),
    answer: 'duplicate at 104',
  },
  {
    name: 'the same first sequence with another size is no duplicate',
    before: known,
    batch: data(5, { producerEpoch: 3, count: 4 }),
    answer: 'outOfOrderSequence',
  },
  {
    name: 'an older epoch is fenced',
    before: known,
    batch: data(10, { producerEpoch: 2 }),
    answer: 'invalidProducerEpoch',
  },
  {
    name: 'an older epoch is fenced before its sequences are looked at',
    before: known,
    batch: data(5, { producerEpoch: 2, count: 5 }),
    answer: 'invalidProducerEpoch',
  },
  { name: 'a newer epoch begins at 0', before: known, batch: data(0, { producerEpoch: 4 }), answer: 'ok' },
  {
    name: 'a newer epoch that does not begin at 0 is refused',
    before: known,
    batch: data(10, { producerEpoch: 4 }),
    answer: 'outOfOrderSequence',
  },
  {
    name: 'without a known epoch any sequence is let in',
    before: { epoch: -1 },
    batch: data(10, { producerEpoch: 4 }),
    answer: 'ok',
  },
  {
    name: 'after 2147483647 comes 0',
    before: { epoch: 3, batches: [remembered(2147483647, 9)] },
    batch: data(0, { producerEpoch: 3 }),
    answer: 'ok',
  },
  {
    name: 'after 2147483647 does not come 1',
    before: { epoch: 3, batches: [remembered(2147483647, 9)] },
    batch: data(1, { producerEpoch: 3 }),
    answer: 'outOfOrderSequence',
  },
  {
    name: 'a batch whose sequences wrapped is recognised',
    before: wrapping,
    batch: data(2147483646, { producerEpoch: 3, count: 4 }),
    answer: 'duplicate at 204',
  },
  {
    name: 'within a transaction only transactional batches are let in',
    before: open,
    batch: data(10, { producerEpoch: 3 }),
    answer: 'invalidTxnState',
  },
  {
    name: 'a transaction goes on',
    before: open,
    batch: data(10, { producerEpoch: 3, transactional: true }),
    answer: 'ok',
  },
  {
    name: 'after a marker of a new epoch sequences begin at 0',
    before: { epoch: 4 },
    batch: data(0, { producerEpoch: 4 }),
    answer: 'ok',
  },
  {
    name: 'after a marker of a new epoch other sequences are refused',
    before: { epoch: 4 },
    batch: data(10, { producerEpoch: 4 }),
    answer: 'outOfOrderSequence',
  },
]
for (const { name, before, batch, version = 0, answer } of clientCases) {
  test(`of a client: ${name}`, () => {
    const state = before === null ? new ProducerState() : stateWith(before)
    assert.equal(told(state.checkClient(batch, version)), answer)
  })
}

const coordinatorCases: {
  name: string
  before: Partial<ProducerEntry> | null
  batch: ProducerBatch
  version: number
  answer: string
}[] = [
  {
    name: 'a marker for an unknown producer is let in',
    before: null,
    batch: marker('abort', 110),
    version: 0,
    answer: 'ok',
  },
  {
    name: 'a marker of the epoch of the data ends the transaction',
    before: open,
    batch: marker('commit', 110, { producerEpoch: 3 }),
    version: 0,
    answer: 'ok',
  },
  {
    name: 'a marker of an older epoch is fenced',
    before: open,
    batch: marker('commit', 110, { producerEpoch: 2 }),
    version: 0,
    answer: 'invalidProducerEpoch',
  },
  {
    name: 'with version 2 a marker comes with a newer epoch',
    before: open,
    batch: marker('commit', 110, { producerEpoch: 4 }),
    version: 2,
    answer: 'ok',
  },
  {
    name: 'with version 2 a marker of the epoch of the data is fenced',
    before: open,
    batch: marker('commit', 110, { producerEpoch: 3 }),
    version: 2,
    answer: 'invalidProducerEpoch',
  },
  {
    name: 'with version 2 a marker sent again after the end is let in',
    before: { epoch: 4 },
    batch: marker('commit', 111, { producerEpoch: 4 }),
    version: 2,
    answer: 'ok',
  },
  {
    name: 'with version 2 an older marker is fenced even after the end',
    before: { epoch: 4 },
    batch: marker('commit', 111, { producerEpoch: 3 }),
    version: 2,
    answer: 'invalidProducerEpoch',
  },
  {
    name: 'a marker of an older coordinator is fenced',
    before: { ...open, coordinatorEpoch: 5 },
    batch: marker('commit', 110, { producerEpoch: 3 }, 4),
    version: 0,
    answer: 'transactionCoordinatorFenced',
  },
  {
    name: 'offsets committed in a transaction need no sequence',
    before: open,
    batch: data(-1, { producerEpoch: 3, transactional: true }),
    version: 0,
    answer: 'ok',
  },
  {
    name: 'offsets committed by an older epoch are fenced',
    before: open,
    batch: data(-1, { producerEpoch: 2, transactional: true }),
    version: 0,
    answer: 'invalidProducerEpoch',
  },
]
for (const { name, before, batch, version, answer } of coordinatorCases) {
  test(`of a coordinator: ${name}`, () => {
    const state = before === null ? new ProducerState() : stateWith(before)
    assert.equal(told(state.checkCoordinator(batch, version)), answer)
  })
}

test('only the last five batches are recognised again', () => {
  const state = new ProducerState()
  for (let sequence = 0; sequence < 6; sequence++) state.apply(data(sequence))
  assert.equal(told(state.checkClient(data(0), 0)), 'outOfOrderSequence')
  for (let sequence = 1; sequence < 6; sequence++) {
    assert.equal(told(state.checkClient(data(sequence), 0)), `duplicate at ${sequence}`)
  }
})

test('a new epoch forgets the batches of the old one', () => {
  const state = new ProducerState()
  state.apply(data(0))
  state.apply(data(0, { producerEpoch: 1, baseOffset: 1 }))
  assert.equal(told(state.checkClient(data(0, { producerEpoch: 1 }), 0)), 'duplicate at 1')
  assert.deepEqual(state.entry(producerId)?.batches.length, 1)
})

test('a transaction holds readers back from its first record until its marker is below the high watermark', () => {
  const state = new ProducerState()
  state.apply(data(0, { baseOffset: 10, transactional: true }))
  state.apply(data(1, { baseOffset: 11, transactional: true }))
  state.apply(data(0, { producerId: 8, baseOffset: 12, transactional: true }))
  assert.equal(state.firstUnstableOffset(13), 10)
  assert.equal(state.apply(marker('commit', 13)), null)
  assert.equal(state.firstOpenOffset, 12)
  assert.equal(state.firstUnstableOffset(13), 10, 'the marker at 13 may yet be lost')
  assert.equal(state.firstUnstableOffset(14), 12)
  state.apply(marker('commit', 14, { producerId: 8 }))
  assert.equal(state.firstUnstableOffset(15), null)
})

test('an aborted transaction is told with the offset up to which readers may then go', () => {
  const state = new ProducerState()
  state.apply(data(0, { baseOffset: 10, transactional: true }))
  state.apply(data(0, { producerId: 8, baseOffset: 11, transactional: true }))
  const first = state.apply(marker('abort', 12))
  assert.deepEqual(first, { producerId, firstOffset: 10, lastOffset: 12, lastStableOffset: 11 })
  const second = state.apply(marker('abort', 13, { producerId: 8 }))
  assert.deepEqual(second, { producerId: 8, firstOffset: 11, lastOffset: 13, lastStableOffset: 14 })
  assert.equal(state.apply(marker('abort', 14)), null, 'nothing was open')
})

test('silent producers are forgotten, those with an open transaction are not', () => {
  const state = new ProducerState()
  state.apply(data(0, { maxTimestamp: 1000 }))
  state.apply(data(0, { producerId: 8, maxTimestamp: 1000, transactional: true }))
  state.apply(data(0, { producerId: 9, maxTimestamp: 1500 }))
  assert.equal(state.expire(1999, 1000), 0)
  assert.equal(state.expire(2000, 1000), 1)
  assert.deepEqual(
    [...state.entries()].map((entry) => entry.producerId),
    [8, 9],
  )
})
