// The death of a broker that leads a third of all partitions (kill -9): how long until each of them has another leader, and until each
// new leader serves. The detection is the lease's part and is shown apart.

import { setTimeout as delay } from 'node:timers/promises'
import { ClusterViewOfStore } from '../../src/cluster/cluster-view.ts'
import { EtcdMetaStore } from '../../src/cluster/etcd/etcd-store.ts'
import type { ClusterImage } from '../../src/cluster/image.ts'
import { systemClock } from '../../src/io/clock.ts'
import { realEtcd } from '../../src/io/etcd.real.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { listOffsets } from '../../src/protocol/apis/list-offsets.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { waitFor } from '../../test/support/wait-for.ts'
import { median } from '../measured.ts'
import { RawClient } from '../raw-client.ts'
import { ClusterUnderBench } from './brokers.ts'
import { SteadyProducer } from './steady-producer.ts'

const perTopic = 100
const producersMax = 10

export async function measureDeathOfMany(partitions: number): Promise<void> {
  await ClusterUnderBench.with({ brokers: 3, settings: ['broker.session.timeout.ms=2000'] }, async (cluster) => {
    const topics = Array.from({ length: Math.ceil(partitions / perTopic) }, (_, i) => `topic-${i}`)
    for (const name of topics) await cluster.createTopic({ name, partitions: perTopic, replicas: 3 })
    const { endpoints } = cluster.etcd
    const store = await EtcdMetaStore.connect({ door: realEtcd(), endpoints, clock: systemClock, logger: silentLogger })
    const view = await ClusterViewOfStore.open({
      store,
      onFault: (error) => {
        throw error
      },
    })
    const { controllerId } = view.image
    for (const dead of [cluster.ids.find((id) => id !== controllerId)!, controllerId]) {
      await cluster.untilEven(topics)
      await cluster.rest(2000)
      await one(cluster, view, dead, dead === controllerId ? 'the controller' : 'another broker')
      await cluster.start(dead)
    }
    view.close()
    await store.close()
  })
}

async function one(cluster: ClusterUnderBench, view: ClusterViewOfStore, dead: number, who: string): Promise<void> {
  const led = ledBy(view.image, dead)
  const survivors = cluster.ids.filter((id) => id !== dead)
  const step = Math.max(1, Math.floor(led.length / producersMax))
  const producers = led
    .filter((_, i) => i % step === 0)
    .slice(0, producersMax)
    .map(
      ({ topic, index }) =>
        new SteadyProducer(
          survivors.map((id) => cluster.addressOf(id)),
          topic,
          index,
        ),
    )
  for (const producer of producers) await producer.next()
  let detectedAt = 0
  let ledAt = 0
  const unsubscribe = view.subscribe(({ after }) => {
    if (detectedAt === 0 && !after.brokers.has(dead)) detectedAt = performance.now()
    if (detectedAt > 0 && ledAt === 0 && ledBy(after, dead).length === 0) ledAt = performance.now()
  })
  const killedAt = performance.now()
  await cluster.kill(dead)
  const resumed = producers.map((producer) => producer.next())
  await waitFor('new leaders', () => ledAt > 0, 120_000)
  await Promise.all(survivors.map((id) => untilServed(cluster.addressOf(id), view, id, new Set(led.map(keyOf)))))
  const servedAt = performance.now()
  const resumedMs = (await Promise.all(resumed)).map((at) => at - detectedAt)
  unsubscribe()
  await Promise.all(producers.map((producer) => producer.stop()))
  const ms = (from: number, to: number) => `${(to - from).toFixed(0)} ms`
  console.log(
    `kill -9 of ${who}, which led ${led.length} of ${partitionsIn(view.image)} partitions: ` +
      `detected after ${ms(killedAt, detectedAt)}; from then: all led ${ms(detectedAt, ledAt)}, ` +
      `all served ${ms(detectedAt, servedAt)}; ${producers.length} producers go on after median ` +
      `${median(resumedMs).toFixed(0)}, worst ${Math.max(...resumedMs).toFixed(0)} ms`,
  )
}

interface Place {
  readonly topic: string
  readonly index: number
}

const keyOf = ({ topic, index }: Place): string => `${topic}-${index}`

function ledBy({ topicsById }: ClusterImage, id: number): Place[] {
  const led: Place[] = []
  for (const { name, partitions } of topicsById.values()) {
    for (const { leader, index } of partitions) if (leader === id) led.push({ topic: name, index })
  }
  return led
}

function partitionsIn({ topicsById }: ClusterImage): number {
  let count = 0
  for (const { partitions } of topicsById.values()) count += partitions.length
  return count
}

/** The broker answers where the log of each of `keys` that it leads ends, which it does once it serves it (KIP-207). */
async function untilServed(
  address: string,
  view: ClusterViewOfStore,
  id: number,
  keys: ReadonlySet<string>,
): Promise<void> {
  const client = await RawClient.connect(address)
  let waiting = ledBy(view.image, id).filter((place) => keys.has(keyOf(place)))
  while (waiting.length > 0) {
    const { topics } = await client.request(listOffsets, 9, {
      replicaId: -1,
      topics: [...Map.groupBy(waiting, ({ topic }) => topic)].map(([name, places]) => ({
        name,
        partitions: places.map(({ index }) => ({ partitionIndex: index, timestamp: -1n })),
      })),
    })
    waiting = topics.flatMap(({ name, partitions }) =>
      partitions
        .filter(({ errorCode }) => errorCode !== ErrorCode.NONE)
        .map(({ partitionIndex }) => ({ topic: name, index: partitionIndex })),
    )
    if (waiting.length > 0) await delay(5)
  }
  client.close()
}
