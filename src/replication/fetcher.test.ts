import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerSettings } from '../cluster/settings/broker-settings.ts'
import { SimulatedClock } from '../io/clock.sim.ts'
import { silentLogger } from '../lib/logger.ts'
import { ErrorCode } from '../protocol/error-code.ts'
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

test('a pause that ends while the next round is prepared is not slept through', async () => {
  const clock = new BusyClock()
  const settings = brokerSettings()
  const topic = imageOf([{ name: 'orders', replicas: [1, 2], leader: 2 }]).topicsByName.get('orders')!
  const partition = new Partition({
    brokerId: 1,
    topic,
    image: topic.partitions[0]!,
    settings: partitionSettings(topic, settings),
    onState: () => {},
  })
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
