import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { TopicSketch } from '../../replication/image.sim.ts'
import { ServedTopics } from '../served-topics.sim.ts'
import { handleOffsetForLeaderEpoch } from './offset-for-leader-epoch.ts'

/** Epoch 2 has offsets 0 to 2, epoch 5 offset 3. */
async function broker(): Promise<ServedTopics> {
  const topics = new ServedTopics()
  await topics.become({ name: 'orders', leaderEpoch: 2 })
  await topics.fill('orders', 0, ['a', 'b', 'c'])
  await topics.become({ name: 'orders', leaderEpoch: 5 })
  await topics.fill('orders', 0, ['d'])
  return topics
}

async function endOf(topics: ServedTopics, leaderEpoch: number, { topic = 'orders', currentLeaderEpoch = -1 } = {}) {
  const response = await handleOffsetForLeaderEpoch(topics.context(4), {
    replicaId: -1,
    topics: [{ topic, partitions: [{ partition: 0, currentLeaderEpoch, leaderEpoch }] }],
  })
  const { errorCode, leaderEpoch: epoch, endOffset } = response!.topics[0]!.partitions[0]!
  return [errorCode, epoch, endOffset]
}

describe('the end of a leader epoch', () => {
  const cases = [
    { asked: 2, answer: [2, 3], why: 'where the next epoch begins' },
    { asked: 4, answer: [2, 3], why: 'that of the epoch before, when there is no such epoch' },
    { asked: 5, answer: [5, 4], why: 'the log end, for the current epoch' },
    { asked: 6, answer: [-1, -1], why: 'unknown, for an epoch to come' },
  ]
  for (const { asked, answer, why } of cases) {
    test(`${asked} is ${why}`, async () => {
      assert.deepEqual(await endOf(await broker(), asked), [ErrorCode.NONE, ...answer])
    })
  }

  test('is not told to a caller with another current epoch', async () => {
    const topics = await broker()
    assert.deepEqual(await endOf(topics, 2, { currentLeaderEpoch: 4 }), [ErrorCode.FENCED_LEADER_EPOCH, -1, -1])
    assert.deepEqual(await endOf(topics, 2, { currentLeaderEpoch: 6 }), [ErrorCode.UNKNOWN_LEADER_EPOCH, -1, -1])
  })

  test('is not told for what this broker does not lead', async () => {
    const topics = await broker()
    assert.deepEqual(await endOf(topics, 2, { topic: 'nothing' }), [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, -1, -1])
    const elsewhere: TopicSketch = { name: 'orders', leader: 2, replicas: [1, 2], leaderEpoch: 6 }
    await topics.become(elsewhere)
    assert.deepEqual(await endOf(topics, 2), [ErrorCode.NOT_LEADER_OR_FOLLOWER, -1, -1])
  })
})
