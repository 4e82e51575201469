import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ZERO_UUID } from '../../lib/uuid.ts'
import type { DeleteTopicsResponse } from '../../protocol/apis/delete-topics.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { AdministeredCluster } from './administered.sim.ts'
import { handleDeleteTopics } from './delete-topics.ts'

interface Target {
  readonly name?: string
  readonly id?: string
}

async function deleteTopics(
  cluster: AdministeredCluster,
  targets: readonly Target[],
  apiVersion = 6,
): Promise<DeleteTopicsResponse['responses']> {
  const topics = targets.map(({ name = null, id = ZERO_UUID }) => ({ name, topicId: id }))
  const request = { topics, topicNames: targets.flatMap(({ name }) => name ?? []), timeoutMs: 1000 }
  const response = await handleDeleteTopics(cluster.context(apiVersion), request)
  assert.ok(response !== null)
  return response.responses
}

for (const [what, apiVersion] of [
  ['by name in v1', 1],
  ['by name in v6', 6],
] as const) {
  test(`topics are deleted ${what}, and the answer gives their ids`, async () => {
    const cluster = await AdministeredCluster.start()
    const id = await cluster.create('a')
    await cluster.create('b')
    assert.deepEqual(await deleteTopics(cluster, [{ name: 'a' }], apiVersion), [
      { name: 'a', topicId: id, errorCode: ErrorCode.NONE, errorMessage: null },
    ])
    assert.deepEqual([...cluster.cluster.view.image.topicsByName.keys()], ['b'])
  })
}

test('topics are deleted by id, and the answer gives their names', async () => {
  const cluster = await AdministeredCluster.start()
  const id = await cluster.create('a')
  assert.deepEqual(await deleteTopics(cluster, [{ id }]), [
    { name: 'a', topicId: id, errorCode: ErrorCode.NONE, errorMessage: null },
  ])
})

test('each target has its own error', async () => {
  const cluster = await AdministeredCluster.start()
  const id = await cluster.create('a')
  await cluster.create('b')
  const other = 'Some-topic-id-of-22-ch'
  const targets = [{ name: 'nowhere' }, { id: other }, { name: 'a', id }, {}, { name: 'b' }, { name: 'b' }]
  assert.deepEqual(
    (await deleteTopics(cluster, targets)).map(({ name, topicId, errorCode }) => [name, topicId, errorCode]),
    [
      ['nowhere', ZERO_UUID, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION],
      [null, other, ErrorCode.UNKNOWN_TOPIC_ID],
      ['a', id, ErrorCode.INVALID_REQUEST],
      [null, ZERO_UUID, ErrorCode.INVALID_REQUEST],
      ['b', ZERO_UUID, ErrorCode.INVALID_REQUEST],
    ],
  )
  assert.equal(cluster.cluster.view.image.topicsByName.size, 2)
})

test('a topic that is listed by its name and by its id is listed twice, and stays', async () => {
  const cluster = await AdministeredCluster.start()
  const id = await cluster.create('a')
  assert.deepEqual(
    (await deleteTopics(cluster, [{ id }, { name: 'a' }])).map(({ name, topicId, errorCode }) => [
      name,
      topicId,
      errorCode,
    ]),
    [['a', id, ErrorCode.INVALID_REQUEST]],
  )
  assert.ok(cluster.cluster.topic('a'))
})

for (const [apiVersion, error] of [
  [2, ErrorCode.INVALID_REQUEST],
  [3, ErrorCode.TOPIC_DELETION_DISABLED],
] as const) {
  test(`where deletion is disabled nothing is deleted, in v${apiVersion}`, async () => {
    const cluster = await AdministeredCluster.start({ settings: { 'delete.topic.enable': 'false' } })
    await cluster.create('a')
    assert.equal((await deleteTopics(cluster, [{ name: 'a' }], apiVersion))[0]!.errorCode, error)
    assert.ok(cluster.cluster.topic('a'))
  })
}
