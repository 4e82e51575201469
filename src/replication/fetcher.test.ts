import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerSettings } from '../cluster/settings/broker-settings.ts'
import { SimulatedClock } from '../io/clock.sim.ts'
import { silentLogger } from '../lib/logger.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import type { fetch } from '../protocol/apis/fetch.ts'
import type { RequestInput } from '../protocol/schema/index.ts'
import { batchOf } from '../storage/small-log.sim.ts'
import { ReplicaFetcher } from './fetcher.ts'
import { imageOf } from './image.sim.ts'
import { SimulatedLog } from './log.sim.ts'
import { Partition } from './partition.ts'
import { partitionSettings } from './partition-settings.ts'
import type { PeerConnection } from './peer-connection.ts'

/** Time passes while a round is prepared, as it does where many processes share a core. */
class BusyClock extends SimulatedClock {
  #passed = 0

  override monotonic(): number {
    this.#passed += 15
    return super.monotonic() + this.#passed
  }
}

/** Broker 1 follows broker 2; its log is yet to be opened. */
function followedPartition() {
  const settings = brokerSettings()
  const topic = imageOf([{ name: 'orders', replicas: [1, 2], leader: 2 }]).topicsByName.get('orders')!
  const partition = new Partition({
    brokerId: 1,
    topic,
    image: topic.partitions[0]!,
    settings: partitionSettings(topic, settings),
    onState: () => {},
  })
  return { settings, topic, partition }
}

test('a pause that ends while the next round is prepared is not slept through', async () => {
  const clock = new BusyClock()
  const { settings, topic, partition } = followedPartition()
  partition.opened(new SimulatedLog('orders-0'))
  let requests = 0
  const refused = {
    partitionIndex: 0,
    errorCode: ErrorCode.NOT_LEADER_OR_FOLLOWER,
    divergingEpoch: { epoch: -1, endOffset: -1 },
  }
  const connection: Pick<PeerConnection, 'request' | 'close'> = {
    request: (async () => {
      requests += 1
      return { errorCode: 0, sessionId: 7, responses: [{ topicId: topic.id, partitions: [refused] }] }
    }) as unknown as PeerConnection['request'],
    close() {},
  }
  const fetcher = new ReplicaFetcher({
    leaderId: 2,
    connection,
    membership: { valid: () => true, epoch: 1, fence: { key: '', modRevision: 0 } },
    settings,
    throttle: null,
    clock,
    logger: silentLogger,
  })
  fetcher.follow(partition)
  await clock.advance(5000)
  assert.ok(requests > 3, `${requests} requests`)
  await fetcher.close()
})

test('the leader is told of a log start when it is on the disk, and not before', async () => {
  const clock = new SimulatedClock()
  const { settings, topic, partition } = followedPartition()
  const log = new SimulatedLog('orders-0')
  log.appendReplicated(batchOf(['a', 'b', 'c']), 0)
  log.flush()
  partition.opened(log, 3)
  const kept = Promise.withResolvers<void>()
  log.advancing = kept.promise
  const told: number[] = []
  const answer = {
    partitionIndex: 0,
    errorCode: ErrorCode.NONE,
    divergingEpoch: { epoch: -1, endOffset: -1 },
    highWatermark: 3,
    logStartOffset: 0,
    records: [],
  }
  const connection: Pick<PeerConnection, 'request' | 'close'> = {
    request: (async (_: unknown, __: number, { topics }: RequestInput<typeof fetch>) => {
      for (const { partitions } of topics ?? [])
        for (const one of partitions ?? []) told.push(Number(one.logStartOffset))
      await new Promise<void>((resolve) => void clock.setTimer(100, resolve))
      return { errorCode: 0, sessionId: 7, responses: [{ topicId: topic.id, partitions: [answer] }] }
    }) as unknown as PeerConnection['request'],
    close() {},
  }
  const membership = { valid: () => true, epoch: 1, fence: { key: '', modRevision: 0 } }
  const fetcher = new ReplicaFetcher({
    leaderId: 2,
    connection,
    membership,
    settings,
    throttle: null,
    clock,
    logger: silentLogger,
  })
  fetcher.follow(partition)
  await clock.advance(1000)
  // As retention moves it.
  const moved = log.advanceStartTo(2)
  await clock.advance(1000)
  assert.equal(log.logStartOffset, 2)
  assert.deepEqual(new Set(told), new Set([0]))
  kept.resolve()
  await moved
  await clock.advance(1000)
  assert.equal(told.at(-1), 2)
  const closed = fetcher.close()
  await clock.advance(1000)
  await closed
})
