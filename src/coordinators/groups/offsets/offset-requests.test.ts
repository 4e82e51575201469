import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ZERO_UUID } from '../../../lib/uuid.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { commitRequest, committedTopic, context, ordersId, setUp } from '../group-coordinator.sim.ts'
import { groupSettingsDefault } from '../group-settings.ts'

const { NONE, UNKNOWN_TOPIC_OR_PARTITION, UNKNOWN_TOPIC_ID, NOT_COORDINATOR } = ErrorCode
const unknownId = 'AAAAAAAAAAAAAAAAAAAAAg'

test('offsets are committed only for partitions that exist', async () => {
  const { coordinator } = await setUp()
  const topics = [
    committedTopic({ name: 'unknown' }, [0, 1]),
    committedTopic({ name: 'orders' }, [0, 1], [2, 1], [1, 1]),
  ]
  const answer = await coordinator.commitOffsets(context(9), commitRequest(topics))
  assert.deepEqual(answer.topics, [
    {
      name: 'unknown',
      topicId: ZERO_UUID,
      partitions: [{ partitionIndex: 0, errorCode: UNKNOWN_TOPIC_OR_PARTITION }],
    },
    {
      name: 'orders',
      topicId: ZERO_UUID,
      partitions: [
        { partitionIndex: 2, errorCode: UNKNOWN_TOPIC_OR_PARTITION },
        { partitionIndex: 0, errorCode: NONE },
        { partitionIndex: 1, errorCode: NONE },
      ],
    },
  ])
})

test('in version 10 topics are named by id', async () => {
  const { coordinator } = await setUp()
  const topics = [committedTopic({ topicId: unknownId }, [0, 1]), committedTopic({ topicId: ordersId }, [0, 8], [5, 1])]
  const answer = await coordinator.commitOffsets(context(10), commitRequest(topics))
  assert.deepEqual(
    answer.topics.map(({ name, topicId, partitions }) => [name, topicId, partitions.map(({ errorCode }) => errorCode)]),
    [
      ['', unknownId, [UNKNOWN_TOPIC_ID]],
      ['', ordersId, [UNKNOWN_TOPIC_OR_PARTITION, NONE]],
    ],
  )
  const fetch = (ids: string[] | null) => {
    const group = {
      groupId: 'g',
      memberId: null,
      memberEpoch: -1,
      topics: ids?.map((topicId) => ({ name: '', topicId, partitionIndexes: [0] })) ?? null,
    }
    return coordinator.fetchOffsets(context(10), { groupId: '', topics: [], groups: [group], requireStable: false })
  }
  const some = (await fetch([ordersId, unknownId])).groups[0]!
  assert.deepEqual(
    some.topics.map(({ topicId, partitions }) => [topicId, partitions[0]!.committedOffset, partitions[0]!.errorCode]),
    [
      [ordersId, 8, NONE],
      [unknownId, -1, UNKNOWN_TOPIC_ID],
    ],
  )
  const all = (await fetch(null)).groups[0]!
  assert.deepEqual(
    all.topics.map(({ topicId }) => topicId),
    [ordersId],
  )
})

test('many groups are asked at once from version 8 on', async () => {
  const { coordinator } = await setUp()
  for (const [groupId, offset] of [
    ['one', 1],
    ['two', 2],
  ] as const) {
    await coordinator.commitOffsets(
      context(9),
      commitRequest([committedTopic({ name: 'orders' }, [0, offset])], { groupId }),
    )
  }
  const groups = ['one', 'two', 'three'].map((groupId) => {
    return {
      groupId,
      memberId: null,
      memberEpoch: -1,
      topics: [{ name: 'orders', topicId: ZERO_UUID, partitionIndexes: [0] }],
    }
  })
  const answer = await coordinator.fetchOffsets(context(9), { groupId: '', topics: [], groups, requireStable: true })
  assert.deepEqual(
    answer.groups.map(({ groupId, topics }) => [groupId, topics[0]!.partitions[0]!.committedOffset]),
    [
      ['one', 1],
      ['two', 2],
      ['three', -1],
    ],
  )
})

test('offsets of a deleted topic are forgotten', async () => {
  const { clock, coordinator } = await setUp()
  await coordinator.commitOffsets(context(9), commitRequest([committedTopic({ name: 'orders' }, [0, 1])]))
  coordinator.topicsDeleted([{ name: 'orders', id: ordersId }])
  await clock.settle()
  const request = { groupId: 'g', topics: null, groups: [], requireStable: false }
  assert.deepEqual((await coordinator.fetchOffsets(context(7), request)).topics, [])
})

test('what was committed by name belongs to the topic of that moment, not to one created anew', async () => {
  const { coordinator, topics } = await setUp()
  await coordinator.commitOffsets(context(9), commitRequest([committedTopic({ name: 'orders' }, [0, 8])]))
  const newId = 'AAAAAAAAAAAAAAAAAAAAAw'
  topics.set('orders', 2, { id: newId })
  const wanted = [{ name: '', topicId: newId, partitionIndexes: [0] }]
  const groups = [{ groupId: 'g', memberId: null, memberEpoch: -1, topics: wanted }]
  const answer = await coordinator.fetchOffsets(context(10), { groupId: '', topics: [], groups, requireStable: false })
  assert.deepEqual(
    answer.groups[0]!.topics.map(({ partitions }) => [partitions[0]!.committedOffset, partitions[0]!.errorCode]),
    [[-1, NONE]],
  )
})

test('offsets are deleted only for partitions that exist, and an error of the group is all there is to say', async () => {
  const { coordinator } = await setUp()
  const topics = [
    { name: 'orders', partitions: [{ partitionIndex: 0 }] },
    { name: 'unknown', partitions: [{ partitionIndex: 0 }] },
  ]
  const { GROUP_ID_NOT_FOUND, INVALID_GROUP_ID } = ErrorCode
  const remove = (groupId: string) => coordinator.deleteOffsets(context(0), { groupId, topics })
  assert.deepEqual(await remove('g'), { errorCode: GROUP_ID_NOT_FOUND, throttleTimeMs: 0, topics: [] })
  assert.deepEqual(await remove(''), { errorCode: INVALID_GROUP_ID, throttleTimeMs: 0, topics: [] })
  await coordinator.commitOffsets(context(9), commitRequest([committedTopic({ name: 'orders' }, [0, 1])]))
  assert.deepEqual((await remove('g')).topics, [
    { name: 'unknown', partitions: [{ partitionIndex: 0, errorCode: UNKNOWN_TOPIC_OR_PARTITION }] },
    { name: 'orders', partitions: [{ partitionIndex: 0, errorCode: NONE }] },
  ])
})

test('whoever reads offsets that do not become durable in time looks for the coordinator anew: old consumers know no other answer', async () => {
  const { coordinator, partitions, clock } = await setUp({}, 1)
  partitions[0]!.commitsAtOnce = false
  const committed = coordinator.commitOffsets(context(9), commitRequest([committedTopic({ name: 'orders' }, [0, 5])]))
  const group = { groupId: 'g', memberId: null, memberEpoch: -1, topics: null }
  const request = { groupId: '', topics: null, requireStable: false, groups: [group] }
  const fetched = coordinator.fetchOffsets(context(9), request)
  await clock.advance(groupSettingsDefault.offsetsCommitTimeoutMs + 1)
  assert.equal((await fetched).groups[0]!.errorCode, NOT_COORDINATOR)
  assert.equal((await committed).topics[0]!.partitions[0]!.errorCode, ErrorCode.COORDINATOR_NOT_AVAILABLE)
})
