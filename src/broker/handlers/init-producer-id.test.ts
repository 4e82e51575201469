import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InitProducerIdRequest } from '../../protocol/apis/init-producer-id.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { AdministeredCluster } from './administered.sim.ts'
import { handleInitProducerId } from './init-producer-id.ts'

async function init(cluster: AdministeredCluster, asked: Partial<InitProducerIdRequest> = {}) {
  const response = await handleInitProducerId(cluster.context(5), {
    transactionalId: null,
    transactionTimeoutMs: 60_000,
    producerId: -1,
    producerEpoch: -1,
    enable2Pc: false,
    keepPreparedTxn: false,
    ...asked,
  })
  assert.ok(response !== null)
  return [response.errorCode, response.producerId, response.producerEpoch]
}

test('every idempotent producer gets an id of its own, at epoch 0', async () => {
  const cluster = await AdministeredCluster.start()
  assert.deepEqual(await init(cluster), [ErrorCode.NONE, 0, 0])
  assert.deepEqual(await init(cluster), [ErrorCode.NONE, 1, 0])
})

test('a producer that names its id gets a new one all the same', async () => {
  const cluster = await AdministeredCluster.start()
  assert.deepEqual(await init(cluster, { producerId: 77, producerEpoch: 3 }), [ErrorCode.NONE, 0, 0])
})

for (const { what, asked, error } of [
  { what: 'an id without an epoch', asked: { producerId: 7 }, error: ErrorCode.INVALID_REQUEST },
  { what: 'an epoch without an id', asked: { producerEpoch: 7 }, error: ErrorCode.INVALID_REQUEST },
  { what: 'an empty transactional id', asked: { transactionalId: '' }, error: ErrorCode.INVALID_REQUEST },
  { what: 'a transactional id', asked: { transactionalId: 't' }, error: ErrorCode.COORDINATOR_NOT_AVAILABLE },
]) {
  test(`${what} is refused`, async () => {
    assert.deepEqual(await init(await AdministeredCluster.start(), asked), [error, -1, -1])
  })
}

test('a broker that is not part of the cluster gives no ids, in a way that makes every producer ask again', async () => {
  const cluster = await AdministeredCluster.start()
  await init(cluster)
  await cluster.cluster.brokers.get(1)!.membership.stop()
  assert.deepEqual(await init(cluster), [ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, -1, -1])
})
