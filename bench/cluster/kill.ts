// From kill -9 of a leader until its producer goes on. The lease bounds it: nobody else may lead before the dead broker's has run out.

import { medianAndWorst } from '../measured.ts'
import { ClusterUnderBench } from './brokers.ts'
import { SteadyProducer } from './steady-producer.ts'

export async function measureKills(sessionTimeoutMs: number, rounds: number): Promise<void> {
  const settings = [`broker.session.timeout.ms=${sessionTimeoutMs}`]
  await ClusterUnderBench.with({ brokers: 3, settings }, async (cluster) => {
    await cluster.createTopic({ name: 'orders', partitions: 1, replicas: 3 })
    const gaps: number[] = []
    const producer = new SteadyProducer(
      cluster.ids.map((id) => cluster.addressOf(id)),
      'orders',
    )
    for (let round = 0; round < rounds; round++) {
      await cluster.untilWhole(['orders'])
      await cluster.rest()
      const leader = await cluster.leaderOf('orders')
      await producer.next()
      const killedAt = performance.now()
      await cluster.kill(leader)
      gaps.push((await producer.next()) - killedAt)
      await cluster.start(leader)
    }
    await producer.stop()
    console.log(
      `kill -9 of the leader, lease of ${sessionTimeoutMs} ms: the producer goes on after ${medianAndWorst(gaps)}` +
        ` (${gaps.map((gap) => gap.toFixed(0)).join(' ')})`,
    )
  })
}
