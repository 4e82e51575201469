// What an operator does with partitions and brokers: more of them, other places, other leaders, and the rates at which they move. Kafka's one
// broker can show what is refused, and what changes nothing.

import {
  alterPartitionReassignments,
  createPartitions,
  describeConfigs,
  electLeaders,
  incrementalAlterConfigs,
  listPartitionReassignments,
  metadata,
  unregisterBroker,
} from '../../../src/protocol/apis/index.ts'
import { waitFor } from '../../support/wait-for.ts'
import { closed, type Dialogue, rangeOf } from '../dialogue.ts'

const timeoutMs = 10_000

export async function growing(dialogue: Dialogue): Promise<void> {
  await dialogue.inEach(rangeOf(createPartitions), async (version) => {
    const topic = dialogue.name('grown', version)
    await dialogue.topic(topic)
    const ask = (
      what: string,
      count: number,
      assignments: readonly (readonly number[])[] | null = null,
      name = topic,
    ) => {
      const assigned = assignments?.map((brokerIds) => ({ brokerIds })) ?? null
      return dialogue.step(what, createPartitions, version, {
        topics: [{ name, count, assignments: assigned }],
        timeoutMs,
      })
    }
    await dialogue.step('no topic', createPartitions, version, { topics: [], timeoutMs })
    await dialogue.step('only looked at', createPartitions, version, {
      topics: [{ name: topic, count: 5, assignments: null }],
      timeoutMs,
      validateOnly: true,
    })
    await ask('more', 3)
    await ask('as many', 3)
    await ask('fewer', 1)
    await ask('none', 0)
    await ask('less than none', -1)
    await ask('placed', 4, [[1]])
    await ask('placed too few', 6, [[1]])
    await ask('placed too many', 5, [[1], [1]])
    await ask('placed nowhere', 5, [[]])
    await ask('placed twice on a broker', 5, [[1, 1]])
    await ask('placed on an unknown broker', 5, [[99]])
    await ask('placed on a negative broker', 5, [[-1]])
    await ask('an unknown topic', 3, null, dialogue.name('nowhere'))
    await ask('a bad name', 3, null, 'no/such')
    await ask('no name', 3, null, '')
    const again = { name: topic, count: 7, assignments: null }
    await dialogue.step('a topic twice', createPartitions, version, { topics: [again, again], timeoutMs })
    const countOf = async () => {
      const answer = await dialogue.ask(metadata, 12, { topics: [{ name: topic }], allowAutoTopicCreation: false })
      return answer === closed ? -1 : answer.topics[0]!.partitions.length
    }
    await waitFor('the partitions', async () => (await countOf()) >= 4)
    dialogue.note('in the end', version, await countOf())
  })
}

export async function moving(dialogue: Dialogue): Promise<void> {
  await dialogue.inEach(rangeOf(alterPartitionReassignments), async (version) => {
    const topic = dialogue.name('moved', version)
    await dialogue.topic(topic, {}, 2)
    const ask = (what: string, replicas: readonly number[] | null, { name = topic, partitionIndex = 0 } = {}) =>
      dialogue.step(what, alterPartitionReassignments, version, {
        timeoutMs,
        topics: [{ name, partitions: [{ partitionIndex, replicas }] }],
      })
    await dialogue.step('nothing', alterPartitionReassignments, version, { timeoutMs, topics: [] })
    await ask('to where it is', [1])
    await ask('nowhere', [])
    await ask('to an unknown broker', [99])
    await ask('to an unknown broker beside', [1, 99])
    await ask('twice to a broker', [1, 1])
    await ask('to a negative broker', [-1])
    await ask('back, though it does not move', null)
    await ask('an unknown topic', [1], { name: dialogue.name('nowhere') })
    await ask('back, an unknown topic', null, { name: dialogue.name('nowhere') })
    await ask('an unknown partition', [1], { partitionIndex: 7 })
    await ask('a negative partition', [1], { partitionIndex: -1 })
    await dialogue.step('some well, some badly', alterPartitionReassignments, version, {
      timeoutMs,
      topics: [
        {
          name: topic,
          partitions: [
            { partitionIndex: 0, replicas: [1] },
            { partitionIndex: 1, replicas: [99] },
          ],
        },
        { name: dialogue.name('nowhere'), partitions: [{ partitionIndex: 0, replicas: [1] }] },
      ],
    })
    await dialogue.step('with as many replicas', alterPartitionReassignments, version, {
      timeoutMs,
      allowReplicationFactorChange: version === 0,
      topics: [{ name: topic, partitions: [{ partitionIndex: 0, replicas: [1] }] }],
    })
  })
  const still = dialogue.name('still')
  await dialogue.topic(still)
  const list = (what: string, topics: readonly { name: string; partitionIndexes: readonly number[] }[] | null) =>
    dialogue.each(`under way: ${what}`, listPartitionReassignments, () => ({ timeoutMs, topics }))
  await list('all', null)
  await list('none asked for', [])
  await list('one that does not move', [{ name: still, partitionIndexes: [0] }])
  await list('no partition', [{ name: still, partitionIndexes: [] }])
  await list('an unknown partition', [{ name: still, partitionIndexes: [7, -1] }])
  await list('an unknown topic', [{ name: dialogue.name('nowhere'), partitionIndexes: [0] }])
}

export async function electing(dialogue: Dialogue): Promise<void> {
  const topic = dialogue.name('elected')
  await dialogue.topic(topic, {}, 2)
  const ask = (
    what: string,
    topicPartitions: readonly { topic: string; partitions: readonly number[] }[] | null,
    electionType = 0,
  ) => dialogue.each(what, electLeaders, () => ({ electionType, topicPartitions, timeoutMs }))
  await ask('preferred', [{ topic, partitions: [0, 1] }])
  await ask('nothing', [])
  await ask('no partition', [{ topic, partitions: [] }])
  await ask('an unknown topic', [{ topic: dialogue.name('nowhere'), partitions: [0] }])
  await ask('an unknown partition', [{ topic, partitions: [7, -1] }])
  await dialogue.inEach(rangeOf(electLeaders), async (version) => {
    const answer = await dialogue.ask(electLeaders, version, { electionType: 0, topicPartitions: null, timeoutMs })
    const results = answer === closed ? [] : answer.replicaElectionResults
    dialogue.note(
      'all',
      version,
      results.filter((result) => dialogue.isOwn(result.topic)),
    )
  })
  const since1 = [1, rangeOf(electLeaders)[1]] as const
  for (const electionType of [1, 2, -1]) {
    const topicPartitions = [{ topic, partitions: [0] }]
    await dialogue.each(
      `type ${electionType}`,
      electLeaders,
      () => ({ electionType, topicPartitions, timeoutMs }),
      since1,
    )
  }
}

export async function unregistering(dialogue: Dialogue): Promise<void> {
  for (const brokerId of [99, -1]) await dialogue.each(`broker ${brokerId}`, unregisterBroker, () => ({ brokerId }))
}

const leaderRate = 'leader.replication.throttled.rate'
const followerRate = 'follower.replication.throttled.rate'
const brokerType = 4
const set = 0
const remove = 1
const append = 2

export async function throttling(dialogue: Dialogue): Promise<void> {
  await dialogue.inEach(rangeOf(incrementalAlterConfigs), async (version) => {
    const change = (what: string, resourceName: string, name: string, configOperation: number, value: string | null) =>
      dialogue.step(what, incrementalAlterConfigs, version, {
        resources: [{ resourceType: brokerType, resourceName, configs: [{ name, configOperation, value }] }],
      })
    const describe = async (resourceName: string) => {
      const resources = [{ resourceType: brokerType, resourceName, configurationKeys: [leaderRate, followerRate] }]
      const answer = await dialogue.ask(describeConfigs, 4, { resources, includeSynonyms: true })
      return answer === closed ? [] : answer.results[0]!.configs
    }
    /** Kafka's broker hears of it after the answer. */
    const known = async (what: string, count: number) => {
      await waitFor(what, async () => (await describe('1')).length === count)
      dialogue.note(`${what}: the broker`, version, await describe('1'))
      dialogue.note(`${what}: all brokers`, version, await describe(''))
    }
    await change('no number', '1', leaderRate, set, 'x')
    await change('below zero', '1', leaderRate, set, '-1')
    await change('appended', '1', leaderRate, append, '5')
    await change('set', '1', leaderRate, set, '5000')
    await known('set', 1)
    await change('set for all', '', followerRate, set, '7000')
    await known('set for all', 2)
    await change('removed for all', '', followerRate, remove, null)
    await change('removed', '1', leaderRate, remove, null)
    await known('removed', 0)
    await change('removed again', '1', leaderRate, remove, null)
  })
}
