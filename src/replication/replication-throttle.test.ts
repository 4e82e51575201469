import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerSettings } from '../cluster/settings/broker-settings.ts'
import type { ClusterImage } from '../cluster/image.ts'
import { SimulatedClock } from '../io/clock.sim.ts'
import { changeBetween, emptyImage, imageOf } from './image.sim.ts'
import { ReplicationThrottle, type ThrottledSide } from './replication-throttle.ts'

const settings = brokerSettings()

interface Throttled {
  readonly side?: ThrottledSide
  /** By topic. */
  readonly replicas: Record<string, string>
  /** By broker; none for all. */
  readonly rates: Record<string, string>
}

function imageWith({ side = 'leader', replicas, rates }: Throttled): ClusterImage {
  const topics = Object.entries(replicas).map(([name, items]) => ({
    name,
    partitions: 2,
    configs: { [`${side}.replication.throttled.replicas`]: items },
  }))
  const configs = Object.entries(rates).map(
    ([id, rate]) => [`broker/${id}`, new Map([[`${side}.replication.throttled.rate`, rate]])] as const,
  )
  return { ...imageOf(topics), configs: new Map(configs) }
}

function throttleWith(throttled: Throttled) {
  const clock = new SimulatedClock()
  const throttle = new ReplicationThrottle({ side: throttled.side ?? 'leader', brokerId: 1, clock })
  const image = imageWith(throttled)
  throttle.apply(changeBetween(emptyImage, image), settings)
  const partition = (topic: string, index: number) => ({
    topicId: image.topicsByName.get(topic)!.id,
    index,
    isr: [1],
  })
  return { clock, throttle, image, partition }
}

test('throttled are the partitions that name this broker, or all of a topic', () => {
  const { throttle, partition } = throttleWith({ replicas: { some: '0:1,1:2', all: '*', none: '' }, rates: {} })
  const throttled = ['some', 'all', 'none'].map((topic) => [0, 1].map((i) => throttle.isThrottled(partition(topic, i))))
  assert.deepEqual(throttled, [
    [true, false],
    [true, true],
    [false, false],
  ])
})

for (const side of ['leader', 'follower'] as const) {
  test(`the ${side} holds back when all throttled partitions together are above the rate, and goes on below it`, async () => {
    const { clock, throttle, partition } = throttleWith({
      side,
      replicas: { orders: '*' },
      rates: { 1: '1000', 2: '1' },
    })
    const orders = partition('orders', 0)
    throttle.copied(1000)
    assert.equal(throttle.holdsBack(orders, 3), false)
    throttle.copied(2000)
    assert.equal(throttle.holdsBack(orders, 3), true)
    assert.equal(throttle.holdsBack(orders, 1), false, 'in sync')
    await clock.advance(3000)
    assert.equal(throttle.holdsBack(orders, 3), false)
  })
}

test('a broker without a rate of its own has that of all; without any nothing is held back', () => {
  const all = throttleWith({ replicas: { orders: '*' }, rates: { '': '10', 2: '1000' } })
  all.throttle.copied(100)
  assert.equal(all.throttle.holdsBack(all.partition('orders', 0), 3), true)
  const none = throttleWith({ replicas: { orders: '*' }, rates: { 2: '10' } })
  none.throttle.copied(1e12)
  assert.equal(none.throttle.holdsBack(none.partition('orders', 0), 3), false)
})

test('what is not set any more holds nothing back', () => {
  const { throttle, image, partition } = throttleWith({ replicas: { orders: '*' }, rates: { 1: '10' } })
  throttle.copied(1000)
  const orders = partition('orders', 0)
  assert.equal(throttle.holdsBack(orders, 3), true)
  const unlimited = { ...image, configs: new Map() }
  throttle.apply(changeBetween(image, unlimited), settings)
  assert.equal(throttle.holdsBack(orders, 3), false)
  throttle.apply(changeBetween(unlimited, emptyImage), settings)
  assert.equal(throttle.isThrottled(orders), false)
})
