import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '../protocol/error-code.ts'
import { buildBatch } from '../records/batch-builder.ts'
import { buildEndTransactionMarker } from '../records/control-batch.ts'
import { SimulatedCoordinatorPartition } from './coordinator-partition.sim.ts'
import { loaded, logOf, setUp, soFar } from './word-machine.sim.ts'

const { COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR } = ErrorCode

test('requests during the load are told to ask again, and find everything afterwards', async () => {
  const partition = logOf(['a'], ['b', 'c'])
  let open = () => {}
  partition.readGate = new Promise((resolve) => {
    open = resolve
  })
  const { coordinated, read } = setUp(partition)
  assert.equal(coordinated.state, 'loading')
  assert.equal(await read(), COORDINATOR_LOAD_IN_PROGRESS)
  open()
  await coordinated.loaded
  assert.equal(await read(), 'a b c')
})

test('what a machine is told while it loads it hears afterwards', async () => {
  const { coordinated, read, clock } = setUp(logOf(['a']))
  coordinated.tell({ kind: 'write', words: ['b'] })
  await coordinated.loaded
  await clock.settle()
  assert.equal(await read(), 'a b')
})

test('a long log is read in pieces', async () => {
  const words = Array.from({ length: 50 }, (_, index) => `word${index}`)
  const partition = logOf(...words.map((word) => [word]))
  const { read } = await loaded(partition)
  assert.equal(await read(), words.join(' '))
  assert.ok(partition.reads > 10)
})

test('records before the start of the log do not count, though their batch is read', async () => {
  const partition = logOf(['deleted', 'a'])
  partition.logStartOffset = 1
  const { read } = await loaded(partition)
  assert.equal(await read(), 'a')
})

test('records of kinds nobody knows are skipped', async () => {
  const { read } = await loaded(logOf(['a', 'unknown', 'b']))
  assert.equal(await read(), 'a b')
})

test('what the log has beyond the high watermark counts, but nobody hears of it before it is committed', async () => {
  const partition = new SimulatedCoordinatorPartition()
  partition.commitsAtOnce = false
  partition.append(buildBatch([{ key: 'a' }]))
  const { read } = await loaded(partition)
  const answer = read()
  assert.equal(await soFar(answer), 'waits')
  partition.commit()
  assert.equal(await answer, 'a')
})

test('records of a transaction count when it is committed, and never when it is aborted', async () => {
  const partition = logOf(['plain'])
  const inTransaction = (producerId: number, key: string) =>
    partition.append(buildBatch([{ key }], { producerId, producerEpoch: 0, baseSequence: 0, transactional: true }))
  inTransaction(1, 'committed')
  inTransaction(2, 'aborted')
  inTransaction(3, 'open')
  const end = (producerId: number, kind: 'commit' | 'abort') =>
    partition.append(
      buildEndTransactionMarker({ kind, coordinatorEpoch: 0 }, { producerId, producerEpoch: 0, timestamp: 0 }),
    )
  end(2, 'abort')
  end(1, 'commit')
  const { read } = await loaded(partition)
  assert.equal(await read(), 'plain committed')
})

const unreadable = {
  'a log that cannot be read': () => {
    const partition = logOf(['a'])
    partition.readFault = new Error('disk')
    return partition
  },
  'a damaged record': () => logOf(['a', 'damaged']),
}
for (const [what, partitionWith] of Object.entries(unreadable)) {
  test(`a partition with ${what} is not served`, async () => {
    const { coordinated, read } = await loaded(partitionWith())
    assert.equal(coordinated.state, 'stopped')
    assert.equal(await read(), NOT_COORDINATOR)
  })
}

test('a partition that is stopped while it loads stays stopped', async () => {
  const partition = logOf(['a'])
  const { coordinated, read } = setUp(partition)
  coordinated.stop(NOT_COORDINATOR)
  await coordinated.loaded
  assert.equal(await read(), NOT_COORDINATOR)
})
