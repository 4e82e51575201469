import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from '../io/disk.memory.ts'
import { buildEndTransactionMarker } from '../records/control-batch.ts'
import { appended, batchOf, openDirectory, openOrders } from './partition-log.contract.ts'

const producer = { producerId: 7, producerEpoch: 0 }
const first = () => batchOf(['a'], { ...producer, baseSequence: 0, transactional: true })
const refused = { ok: false, refusal: 'invalidTxnState' }

async function emptyLog() {
  return openOrders(await openDirectory({ disk: new MemoryDisk(), path: '/data' }))
}

test('the batch that opens a transaction needs a token that holds', async () => {
  const log = await emptyLog()
  assert.deepEqual(log.append(first(), 0, 'client', { verification: null }), refused)
  const token = log.beginVerification(7, 0)
  assert.equal(log.beginVerification(7, 0), token, 'a second question before the answer is the same one')
  assert.ok(log.append(first(), 0, 'client', { verification: token }).ok)
  const next = batchOf(['b'], { ...producer, baseSequence: 1, transactional: true })
  assert.ok(log.append(next, 0, 'client', { verification: null }).ok, 'the transaction is open')
})

test('a token from before the transaction ended opens no other one', async () => {
  const log = await emptyLog()
  const token = log.beginVerification(7, 0)
  const marker = buildEndTransactionMarker({ kind: 'abort', coordinatorEpoch: 0 }, { ...producer, timestamp: 1 })
  assert.ok(log.append(marker, 0, 'coordinator').ok)
  assert.deepEqual(log.append(first(), 0, 'client', { verification: token }), refused)
})

test('a token is for one producer and epoch', async () => {
  const log = await emptyLog()
  const token = log.beginVerification(7, 0)
  const newer = batchOf(['a'], { producerId: 7, producerEpoch: 1, baseSequence: 0, transactional: true })
  assert.deepEqual(log.append(newer, 0, 'client', { verification: token }), refused)
  assert.deepEqual(log.append(first(), 0, 'client', { verification: log.beginVerification(8, 0) }), refused)
})

test('without the question, as without transactions, nothing is asked for', async () => {
  const log = await emptyLog()
  await appended(log, first())
  const plain = batchOf(['a'], { producerId: 9, producerEpoch: 0, baseSequence: 0 })
  assert.ok(log.append(plain, 0, 'client', { verification: null }).ok)
})
