import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linesOf } from './cluster-lines.ts'
import { type ClusterAnswers, isSound, reportOf } from './cluster-report.ts'

interface Described {
  readonly leader: number
  readonly isr: readonly number[]
  readonly replicas?: readonly number[]
  readonly offline?: readonly number[]
}

/** Brokers 1 and 2 are there, 3 is away; each partition is one of the topic `orders`. */
function answers(partitions: readonly Described[], moving: ClusterAnswers['reassignments'] = []): ClusterAnswers {
  const broker = (brokerId: number, isFenced: boolean) => {
    return { brokerId, host: '127.0.0.1', port: 9090 + brokerId, rack: brokerId === 1 ? 'a' : null, isFenced }
  }
  return {
    cluster: {
      throttleTimeMs: 0,
      errorCode: 0,
      errorMessage: null,
      endpointType: 1,
      clusterId: 'some-cluster',
      controllerId: 2,
      brokers: [broker(2, false), broker(1, false), broker(3, true)],
      clusterAuthorizedOperations: 0,
    },
    metadata: {
      throttleTimeMs: 0,
      brokers: [],
      clusterId: 'some-cluster',
      controllerId: 2,
      topics: [
        {
          errorCode: 0,
          name: 'orders',
          topicId: '',
          isInternal: false,
          topicAuthorizedOperations: 0,
          partitions: partitions
            .map(({ leader, isr, replicas = [1, 2, 3], offline = [3] }, index) => ({
              errorCode: 0 as const,
              partitionIndex: index,
              leaderId: leader,
              leaderEpoch: 0,
              replicaNodes: replicas,
              isrNodes: isr,
              offlineReplicas: offline.filter((id) => replicas.includes(id)),
            }))
            .toReversed(),
        },
      ],
      clusterAuthorizedOperations: 0,
      errorCode: 0,
    },
    reassignments: moving,
  }
}

test('a sound cluster has nothing to list', () => {
  const report = reportOf(answers([{ leader: 1, isr: [1, 2], replicas: [1, 2] }]))
  assert.equal(isSound(report), true)
  assert.deepEqual(linesOf(report), [
    'cluster some-cluster, broker 2 is the controller',
    '  broker 1  127.0.0.1:9091  rack a  leads 1  of 1',
    '  broker 2  127.0.0.1:9092          leads 0  of 1',
    '  broker 3  127.0.0.1:9093          away     of 0',
    '1 partition of 1 topic: each has its leader and all of its replicas',
  ])
})

test('a cluster without topics says so', () => {
  const { metadata, ...rest } = answers([])
  const report = reportOf({ ...rest, metadata: { ...metadata, topics: [] } })
  assert.equal(linesOf(report).at(-1), 'no topics yet')
})

const cases: { what: string; partition: Described; line: string }[] = [
  {
    what: 'a replica on a broker that is away',
    partition: { leader: 1, isr: [1, 2] },
    line: 'orders-0: led by 1, 2 of 3 in sync: broker 3 is not there',
  },
  {
    what: 'a replica that is behind',
    partition: { leader: 1, isr: [1], replicas: [1, 2] },
    line: 'orders-0: led by 1, 1 of 2 in sync: broker 2 has not caught up',
  },
  {
    what: 'a replica whose log failed',
    partition: { leader: 1, isr: [1], replicas: [1, 2], offline: [2] },
    line: 'orders-0: led by 1, 1 of 2 in sync: broker 2 has no log of it: its disk failed',
  },
  {
    what: 'a partition whose last replica in sync is away',
    partition: { leader: -1, isr: [3] },
    line: 'orders-0: waits for broker 3, in sync last; broker 1 has not caught up, broker 2 has not caught up, broker 3 is not there',
  },
  {
    what: 'a partition whose replicas in sync are away',
    partition: { leader: -1, isr: [3, 4], replicas: [3, 4], offline: [3, 4] },
    line: 'orders-0: waits for one of broker 3 4, in sync last; broker 3 is not there, broker 4 is not there',
  },
  {
    what: 'a partition nobody can vouch for',
    partition: { leader: -1, isr: [], replicas: [1] },
    line: 'orders-0: none is known to have all that was acknowledged; broker 1 has not caught up',
  },
]

for (const { what, partition, line } of cases) {
  test(`says why: ${what}`, () => {
    const report = reportOf(answers([partition]))
    assert.equal(isSound(report), false)
    assert.equal(linesOf(report).at(-1), `  ${line}`)
  })
}

test('a reassignment says what it waits for', () => {
  const moving = [
    {
      name: 'orders',
      partitions: [{ partitionIndex: 0, replicas: [2, 1], addingReplicas: [2], removingReplicas: [1] }],
    },
  ]
  const report = reportOf(answers([{ leader: 1, isr: [1], replicas: [2, 1], offline: [] }], moving))
  assert.equal(linesOf(report).at(-1), '  orders-0: to 2, from 1, waits until 2 has caught up')
})

test('partitions of a topic of which there is the same to say share a line', () => {
  const alike = Array.from({ length: 50 }, (_, index) => ({ leader: 1 + (index % 2), isr: [1, 2] }))
  const report = reportOf(answers([...alike, { leader: 1, isr: [1] }]))
  assert.deepEqual(linesOf(report).slice(-3), [
    'not fully replicated (--json lists each):',
    '  orders, 50 partitions: 2 of 3 in sync: broker 3 is not there',
    '  orders-50: led by 1, 1 of 3 in sync: broker 2 has not caught up, broker 3 is not there',
  ])
})

test('partitions come in order, the lines end somewhere, and the report does not', () => {
  const report = reportOf(
    answers(Array.from({ length: 25 }, (_, index) => ({ leader: 1, isr: [1], replicas: [1, 10 + index] }))),
  )
  assert.deepEqual(
    report.underReplicated.map(({ partition }) => partition),
    Array.from({ length: 25 }, (_, index) => index),
  )
  assert.equal(linesOf(report).at(-1), '  and 5 partitions more (--json lists them all)')
})

test('a broker that only partitions know is listed without an address', () => {
  const report = reportOf(answers([{ leader: 1, isr: [1], replicas: [1, 7], offline: [7] }]))
  assert.deepEqual(report.brokers.at(-1), { id: 7, address: null, rack: null, away: true, leads: 0, replicas: 1 })
})
