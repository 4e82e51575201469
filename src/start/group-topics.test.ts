import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClusterImage, TopicImage } from '../cluster/image.ts'
import { topicsChangedForGroups, topicsForGroups } from './group-topics.ts'

function topic(name: string, replicas: readonly (readonly number[])[], leaderEpoch = 0): TopicImage {
  const partitions = replicas.map((brokers, index) => ({
    index,
    revision: 1,
    replicas: brokers,
    isr: brokers,
    leader: brokers[0]!,
    leaderEpoch,
    partitionEpoch: 0,
    adding: [],
    removing: [],
    failed: [],
  }))
  return { name, id: `id-of-${name}`, internal: false, partitions, configs: new Map() }
}

function image(topics: readonly TopicImage[], racks: Readonly<Record<number, string>> = {}): ClusterImage {
  const known = Object.entries(racks).map(([id, rack]) => {
    const broker = { id: Number(id), lastEpoch: 1, incarnation: '', directoryId: '', endpoints: [], rack }
    return [broker.id, broker] as const
  })
  return {
    revision: 1,
    clusterId: 'c',
    controllerId: 1,
    brokers: new Map(),
    knownBrokers: new Map(known),
    topicsByName: new Map(topics.map((each) => [each.name, each])),
    topicsById: new Map(topics.map((each) => [each.id, each])),
    configs: new Map(),
  }
}

test('groups see a topic with its partitions and the racks of their replicas, of brokers that are down too', () => {
  const cluster = { image: image([topic('orders', [[1, 2], [3]])], { 1: 'a', 2: 'b' }) }
  const topics = topicsForGroups(cluster)
  const orders = topics.byName('orders')
  assert.equal(orders?.partitionCount, 2)
  assert.deepEqual(orders.racksOf(0), ['a', 'b'])
  assert.deepEqual(orders.racksOf(1), [])
  assert.equal(topics.byId('id-of-orders')?.name, 'orders')
  assert.equal(topics.byName('other'), null)
  cluster.image = image([])
  assert.deepEqual([...topics.names()], [])
})

const cases = [
  { name: 'a new topic', before: [], after: [topic('a', [[1]])], changed: ['a'], deleted: [] },
  {
    name: 'a deleted topic',
    before: [topic('a', [[1]])],
    after: [],
    changed: ['a'],
    deleted: [{ name: 'a', id: 'id-of-a' }],
  },
  {
    name: 'more partitions',
    before: [topic('a', [[1]])],
    after: [topic('a', [[1], [1]])],
    changed: ['a'],
    deleted: [],
  },
  { name: 'other replicas', before: [topic('a', [[1]])], after: [topic('a', [[2]])], changed: ['a'], deleted: [] },
  { name: 'another leader', before: [topic('a', [[1]])], after: [topic('a', [[1]], 7)], changed: [], deleted: [] },
]
for (const { name, before, after, changed, deleted } of cases) {
  test(`groups are told of what they can see: ${name}`, () => {
    const topicIds = new Set([...before, ...after].map(({ id }) => id))
    const told = topicsChangedForGroups({ before: image(before), after: image(after), topicIds })
    const anyCreated = before.length === 0
    assert.deepEqual(told, { changed, anyCreated, deleted })
  })
}
