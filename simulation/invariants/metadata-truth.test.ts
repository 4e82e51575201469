import assert from 'node:assert/strict'
import { test } from 'node:test'
import type {
  BrokerImage,
  ClusterImage,
  KnownBrokerImage,
  PartitionImage,
  TopicImage,
} from '../../src/cluster/image.ts'
import { MetadataTruth } from './metadata-truth.ts'

const fine: PartitionImage = {
  index: 0,
  revision: 1,
  replicas: [1, 2, 3],
  isr: [1, 2],
  leader: 1,
  leaderEpoch: 4,
  partitionEpoch: 9,
  adding: [],
  removing: [],
  failed: [],
}

const configs = new Map<string, string>()
let revision = 0

function imageOf(partitions: readonly PartitionImage[], brokerEpoch = 7): ClusterImage {
  const topic: TopicImage = { name: 'orders', id: 'id', internal: false, partitions, configs }
  const known: KnownBrokerImage = {
    id: 1,
    lastEpoch: brokerEpoch,
    incarnation: 'i',
    directoryId: 'd',
    endpoints: [],
    rack: null,
  }
  const broker: BrokerImage = { id: 1, epoch: brokerEpoch, endpoints: [], rack: null, directoryId: 'd', leaving: false }
  return {
    revision: ++revision,
    clusterId: 'c',
    controllerId: 1,
    brokers: new Map([[1, broker]]),
    knownBrokers: new Map([[1, known]]),
    topicsByName: new Map([['orders', topic]]),
    topicsById: new Map([['id', topic]]),
    configs: new Map(),
  }
}

const changes: { name: string; change: Partial<PartitionImage>; holds: boolean }[] = [
  { name: 'an ISR that grows', change: { isr: [1, 2, 3] }, holds: true },
  { name: 'a leader from the ISR', change: { leader: 2, leaderEpoch: 5 }, holds: true },
  { name: 'no leader at all', change: { leader: -1, leaderEpoch: 5 }, holds: true },
  { name: 'an ISR with a broker that holds no replica', change: { isr: [1, 4] }, holds: false },
  { name: 'an ISR with a broker twice', change: { isr: [1, 1] }, holds: false },
  { name: 'an empty ISR without a leader', change: { isr: [], leader: -1, leaderEpoch: 5 }, holds: true },
  { name: 'an empty ISR with a leader', change: { isr: [] }, holds: false },
  { name: 'a leader that is not in the ISR', change: { leader: 3, leaderEpoch: 5 }, holds: false },
  { name: 'a leader that was not in the ISR', change: { leader: 3, isr: [3], leaderEpoch: 5 }, holds: false },
  { name: 'a leader in the epoch of the last one', change: { leader: 2 }, holds: false },
  { name: 'a leader epoch that falls', change: { leaderEpoch: 3 }, holds: false },
  { name: 'a partition epoch that stays', change: { partitionEpoch: 9 }, holds: false },
]

for (const { name, change, holds } of changes) {
  test(`${name} ${holds ? 'keeps' : 'breaks'} the rule`, () => {
    const rule = new MetadataTruth()
    rule.check(imageOf([fine]))
    const next = imageOf([{ ...fine, revision: 2, partitionEpoch: 10, ...change }])
    if (holds) assert.equal(rule.check(next), true)
    else assert.throws(() => rule.check(next), { rule: rule.name })
  })
}

test('a topic that loses a partition breaks the rule', () => {
  const rule = new MetadataTruth()
  rule.check(imageOf([fine, { ...fine, index: 1 }]))
  assert.throws(() => rule.check(imageOf([fine])), { rule: rule.name })
})

test('a broker that comes back under an older epoch breaks the rule', () => {
  const rule = new MetadataTruth()
  rule.check(imageOf([fine], 7))
  assert.throws(() => rule.check(imageOf([fine], 6)), { rule: rule.name })
})
