import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ZERO_UUID } from '../../lib/uuid.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { SimulatedCoordinatorPartition } from '../coordinator-partition.sim.ts'
import { commitRequest, committedTopic, context, joinRequest, oneMember, setUp } from './group-coordinator.sim.ts'

const { NONE, COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR } = ErrorCode

test('a member joins, syncs, sends heartbeats and leaves', async () => {
  const setting = await setUp()
  const { coordinator } = setting
  const { memberId, generationId } = await oneMember(setting)
  assert.match(memberId, /^app-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  const beat = { groupId: 'g', generationId, memberId, groupInstanceId: null }
  assert.equal((await coordinator.heartbeat(context(4), beat)).errorCode, NONE)
  const { groups } = await coordinator.describe(context(6), { groups: ['g'], includeAuthorizedOperations: false })
  assert.deepEqual(
    [groups[0]!.groupState, groups[0]!.members[0]!.clientId, groups[0]!.members[0]!.clientHost],
    ['Stable', 'app', '/10.1.2.3'],
  )
  const left = await coordinator.leave(context(5), {
    groupId: 'g',
    memberId: '',
    members: [{ memberId, groupInstanceId: null, reason: 'done' }],
  })
  assert.deepEqual(left, {
    throttleTimeMs: 0,
    errorCode: NONE,
    members: [{ memberId, groupInstanceId: null, errorCode: NONE }],
  })
})

test("before version 3 one member leaves, and its error is the answer's", async () => {
  const setting = await setUp()
  const { memberId } = await oneMember(setting)
  const leave = (id: string) => setting.coordinator.leave(context(2), { groupId: 'g', memberId: id, members: [] })
  assert.deepEqual(await leave('stranger'), { throttleTimeMs: 0, errorCode: ErrorCode.UNKNOWN_MEMBER_ID, members: [] })
  assert.deepEqual(await leave(memberId), { throttleTimeMs: 0, errorCode: NONE, members: [] })
})

test('a group goes on under the next leader of its partition', async () => {
  const before = await setUp()
  const { memberId, generationId } = await oneMember(before)
  await before.coordinator.commitOffsets(
    context(9),
    commitRequest([committedTopic({ name: 'orders' }, [0, 5])], { memberId, generationIdOrMemberEpoch: generationId }),
  )
  const after = await setUp()
  await Promise.all(before.partitions.map((partition, index) => after.coordinator.elected(index, partition.copy())))
  const beat = { groupId: 'g', generationId, memberId, groupInstanceId: null }
  assert.equal((await after.coordinator.heartbeat(context(4), beat)).errorCode, NONE)
  const fetched = await after.coordinator.fetchOffsets(context(7), {
    groupId: 'g',
    topics: null,
    groups: [],
    requireStable: true,
  })
  assert.deepEqual(fetched.topics, [
    {
      name: 'orders',
      topicId: ZERO_UUID,
      partitions: [{ partitionIndex: 0, committedOffset: 5, committedLeaderEpoch: 4, metadata: '', errorCode: NONE }],
    },
  ])
})

// ---- what needs no group

const invalidJoins = [
  { name: 'an empty group id', request: { groupId: '' }, code: ErrorCode.INVALID_GROUP_ID },
  {
    name: 'a session that is too short',
    request: { sessionTimeoutMs: 5_999 },
    code: ErrorCode.INVALID_SESSION_TIMEOUT,
  },
  {
    name: 'a session that is too long',
    request: { sessionTimeoutMs: 1_800_001 },
    code: ErrorCode.INVALID_SESSION_TIMEOUT,
  },
]
for (const { name, request, code } of invalidJoins) {
  test(`a join with ${name} is refused`, async () => {
    const { coordinator, partitions } = await setUp()
    assert.equal((await coordinator.join(context(9), joinRequest(request))).errorCode, code)
    assert.ok(partitions.every(({ batches }) => batches.length === 0))
  })
}

test('a client whose name leaves no room for a member id is refused', async () => {
  const { coordinator } = await setUp()
  const answer = await coordinator.join(context(9, { clientId: 'x'.repeat(32_767) }), joinRequest())
  assert.equal(answer.errorCode, ErrorCode.INVALID_REQUEST)
})

test('requests for the empty group id are refused, save for offsets', async () => {
  const { coordinator } = await setUp()
  const groupId = ''
  const member = { groupId, generationId: 1, memberId: 'm', groupInstanceId: null }
  const sync = { ...member, protocolType: null, protocolName: null, assignments: [] }
  const codes = [
    (await coordinator.sync(context(4), sync)).errorCode,
    (await coordinator.heartbeat(context(4), member)).errorCode,
    (await coordinator.leave(context(5), { groupId, memberId: '', members: [] })).errorCode,
  ]
  assert.deepEqual(
    codes,
    Array.from({ length: 3 }, () => ErrorCode.INVALID_GROUP_ID),
  )
  const topics = [committedTopic({ name: 'orders' }, [0, 1])]
  const committed = await coordinator.commitOffsets(context(9), commitRequest(topics, { groupId }))
  assert.equal(committed.topics[0]!.partitions[0]!.errorCode, NONE)
})

test('from version 5 on a sync must name the protocol', async () => {
  const setting = await setUp()
  const { memberId, generationId } = await oneMember(setting)
  const request = {
    groupId: 'g',
    generationId,
    memberId,
    groupInstanceId: null,
    protocolType: null,
    protocolName: null,
    assignments: [],
  }
  assert.equal((await setting.coordinator.sync(context(5), request)).errorCode, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
  assert.equal((await setting.coordinator.sync(context(4), request)).errorCode, NONE)
})

// ---- when this broker cannot answer

test('while groups are loading only heartbeats are answered as if nothing were', async () => {
  const { coordinator } = await setUp()
  const partition = new SimulatedCoordinatorPartition()
  partition.readGate = new Promise(() => {})
  for (const index of [0, 1]) void coordinator.elected(index, partition)
  const member = { groupId: 'g', generationId: 1, memberId: 'm', groupInstanceId: null }
  assert.equal((await coordinator.heartbeat(context(4), member)).errorCode, NONE)
  assert.equal((await coordinator.join(context(9), joinRequest())).errorCode, COORDINATOR_LOAD_IN_PROGRESS)
  assert.equal(
    (await coordinator.list(context(5), { statesFilter: [], typesFilter: [] })).errorCode,
    COORDINATOR_LOAD_IN_PROGRESS,
  )
})

test('what this broker does not lead it does not answer', async () => {
  const { coordinator } = await setUp()
  for (const index of [0, 1]) coordinator.resigned(index)
  const topics = [{ name: 'orders', partitionIndexes: [1] }]
  assert.equal((await coordinator.join(context(9), joinRequest())).errorCode, NOT_COORDINATOR)
  const request = { groupId: 'g', topics, groups: [], requireStable: false }
  assert.equal((await coordinator.fetchOffsets(context(7), request)).errorCode, NOT_COORDINATOR)
  const oldest = await coordinator.fetchOffsets(context(1), request)
  assert.equal(oldest.topics[0]!.partitions[0]!.errorCode, NOT_COORDINATOR, 'version 1 has nowhere else to say it')
  const committed = await coordinator.commitOffsets(
    context(9),
    commitRequest([committedTopic({ name: 'orders' }, [0, 1])]),
  )
  assert.equal(committed.topics[0]!.partitions[0]!.errorCode, NOT_COORDINATOR)
  const described = await coordinator.describe(context(6), { groups: ['g'], includeAuthorizedOperations: false })
  assert.equal(described.groups[0]!.errorCode, NOT_COORDINATOR)
  assert.deepEqual(await coordinator.list(context(5), { statesFilter: [], typesFilter: [] }), {
    throttleTimeMs: 0,
    errorCode: NONE,
    groups: [],
  })
})

test('a broker that has lost its place in the cluster answers for no group, though it leads', async () => {
  const { coordinator, topic } = await setUp()
  topic.placed = false
  assert.equal((await coordinator.join(context(9), joinRequest())).errorCode, NOT_COORDINATOR)
  topic.placed = true
  assert.equal((await coordinator.join(context(9), joinRequest())).errorCode, ErrorCode.MEMBER_ID_REQUIRED)
})

test('a member that waits hears when this broker stops leading', async () => {
  const { clock, coordinator } = await setUp({ initialRebalanceDelayMs: 3_000 })
  const waiting = coordinator.join(context(3), joinRequest())
  await clock.settle()
  coordinator.close()
  assert.equal((await waiting).errorCode, NOT_COORDINATOR)
})

test('the groups of all partitions are listed, filtered without regard to case', async () => {
  const setting = await setUp()
  for (const groupId of ['a', 'b', 'c']) await oneMember(setting, groupId)
  const list = async (statesFilter: string[], typesFilter: string[]) => {
    const { groups } = await setting.coordinator.list(context(5), { statesFilter, typesFilter })
    return groups.map(({ groupId }) => groupId).toSorted()
  }
  assert.deepEqual(await list([], []), ['a', 'b', 'c'])
  assert.deepEqual(await list(['STABLE'], ['Classic']), ['a', 'b', 'c'])
  assert.deepEqual(await list(['Empty'], []), [])
})

// ---- finding the coordinator

test('the first who looks for a coordinator creates its topic, and is answered with the leader', async () => {
  const { coordinator, topic } = await setUp()
  topic.count = null
  assert.equal(await coordinator.coordinatorFor('g'), 7)
  assert.equal(await coordinator.coordinatorFor('g'), 7)
  assert.equal(topic.created, 1)
})

test('nobody is named while the topic cannot be created', async () => {
  const { coordinator, topic } = await setUp()
  topic.count = null
  topic.ensure = () => Promise.reject(new Error('no brokers'))
  assert.equal(await coordinator.coordinatorFor('g'), -1)
})

test('whoever finds its coordinator here waits for the load to end, within reason', async () => {
  const { clock, coordinator } = await setUp()
  const partition = new SimulatedCoordinatorPartition()
  let open = () => {}
  partition.readGate = new Promise((resolve) => {
    open = resolve
  })
  for (const index of [0, 1]) void coordinator.elected(index, partition)
  let found = 0
  const count = () => {
    found++
  }
  const first = coordinator.coordinatorFor('g').then(count)
  await clock.advance(999)
  assert.equal(found, 0)
  await clock.advance(1)
  await first
  const second = coordinator.coordinatorFor('g').then(count)
  open()
  await second
  assert.equal(found, 2)
})

// ---- connections

test('a member is gone with its connection where that is asked for, and only there', async () => {
  for (const [removeMembersOnDisconnect, state] of [
    [true, 'Empty'],
    [false, 'Stable'],
  ] as const) {
    const setting = await setUp({ removeMembersOnDisconnect })
    await oneMember(setting)
    setting.coordinator.connectionClosed(1)
    const { groups } = await setting.coordinator.describe(context(6), {
      groups: ['g'],
      includeAuthorizedOperations: false,
    })
    assert.equal(groups[0]!.groupState, state)
  }
})

// ---- deletion

test('groups of all partitions are deleted at once, each named once, the one without a name too', async () => {
  const { coordinator } = await setUp({}, 3)
  const names = ['a', 'b', 'c', 'd', '']
  for (const groupId of names) {
    await coordinator.commitOffsets(
      context(9),
      commitRequest([committedTopic({ name: 'orders' }, [0, 1])], { groupId }),
    )
  }
  const { results } = await coordinator.deleteGroups(context(2), { groupsNames: [...names, 'a', 'unknown'] })
  const sorted = results.toSorted((one, other) => (one.groupId < other.groupId ? -1 : 1))
  assert.deepEqual(
    sorted.map(({ groupId, errorCode }) => [groupId, errorCode]),
    [
      ['', NONE],
      ['a', NONE],
      ['b', NONE],
      ['c', NONE],
      ['d', NONE],
      ['unknown', ErrorCode.GROUP_ID_NOT_FOUND],
    ],
  )
  assert.deepEqual((await coordinator.list(context(5), { statesFilter: [], typesFilter: [] })).groups, [])
})

test('a broker that coordinates nothing deletes nothing', async () => {
  const { coordinator, topic } = await setUp()
  topic.count = null
  const { NOT_COORDINATOR } = ErrorCode
  const { results } = await coordinator.deleteGroups(context(2), { groupsNames: ['a', 'b'] })
  assert.deepEqual(
    results.map(({ errorCode }) => errorCode),
    [NOT_COORDINATOR, NOT_COORDINATOR],
  )
  assert.equal((await coordinator.deleteOffsets(context(0), { groupId: 'a', topics: [] })).errorCode, NOT_COORDINATOR)
})

test('groups whose commits come in the same turn share a batch', async () => {
  const { coordinator, partitions } = await setUp({}, 1)
  await Promise.all(
    ['a', 'b', 'c'].map((groupId) =>
      coordinator.commitOffsets(context(9), commitRequest([committedTopic({ name: 'orders' }, [0, 1])], { groupId })),
    ),
  )
  assert.deepEqual([partitions[0]!.batches.length, partitions[0]!.recordsCount], [1, 3])
})

// ---- a log that does not take a generation

/** Two members of a generation that has yet to sync; what is stored is the generation before, of the first alone. */
async function twoToSync(setting: Awaited<ReturnType<typeof setUp>>) {
  const { coordinator } = setting
  const one = await oneMember(setting)
  const { memberId: two } = await coordinator.join(context(9), joinRequest())
  const joining = coordinator.join(context(9), joinRequest({ memberId: two }))
  const [again] = await Promise.all([coordinator.join(context(9), joinRequest({ memberId: one.memberId })), joining])
  const sync = (memberId: string, generationId: number, leads = false) =>
    coordinator.sync(context(5), {
      groupId: 'g',
      generationId,
      memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: leads ? [{ memberId, assignment: Buffer.from('all') }] : [],
    })
  return { one: one.memberId, two, before: one.generationId, generationId: again.generationId, sync }
}

const lostGenerations = {
  'there is no room': { refusal: 'diskFull', code: ErrorCode.COORDINATOR_NOT_AVAILABLE },
  'the batch is too large': { refusal: 'recordListTooLarge', code: ErrorCode.UNKNOWN_SERVER_ERROR },
} as const
for (const [what, { refusal, code }] of Object.entries(lostGenerations)) {
  test(`where ${what} for the assignments, all who wait hear it, and the group goes on from what is stored`, async () => {
    const setting = await setUp({}, 1)
    const { coordinator, partitions, clock } = setting
    const { one, two, before, generationId, sync } = await twoToSync(setting)
    const waiting = sync(two, generationId)
    partitions[0]!.nextRefusal = refusal
    const led = sync(one, generationId, true)
    await clock.advance(0)
    assert.deepEqual([(await waiting).errorCode, (await led).errorCode], [code, code])
    await clock.advance(0)
    const beat = async (memberId: string, generation: number) => {
      const request = { groupId: 'g', generationId: generation, memberId, groupInstanceId: null }
      return (await coordinator.heartbeat(context(4), request)).errorCode
    }
    assert.equal(await beat(one, generationId), ErrorCode.ILLEGAL_GENERATION)
    assert.equal(await beat(one, before), NONE)
    assert.equal(await beat(two, generationId), ErrorCode.UNKNOWN_MEMBER_ID)
    const back = await coordinator.join(context(9), joinRequest({ memberId: one }))
    assert.equal((await sync(one, back.generationId, true)).errorCode, NONE)
    assert.equal(await beat(one, back.generationId), NONE)
  })
}

test('a static member whose new id cannot be stored is refused, and its old id is good still', async () => {
  const setting = await setUp({}, 1)
  const { coordinator, partitions, clock } = setting
  const joining = coordinator.join(context(9), joinRequest({ groupInstanceId: 'shop-1' }))
  await clock.advance(1)
  const { memberId, generationId } = await joining
  const ids = { groupId: 'g', generationId, memberId, groupInstanceId: 'shop-1' }
  const protocol = { protocolType: 'consumer', protocolName: 'range' }
  await coordinator.sync(context(5), { ...ids, ...protocol, assignments: [] })
  partitions[0]!.nextRefusal = 'diskFull'
  const back = await coordinator.join(context(9), joinRequest({ groupInstanceId: 'shop-1' }))
  assert.equal(back.errorCode, ErrorCode.COORDINATOR_NOT_AVAILABLE)
  await clock.advance(0)
  assert.equal((await coordinator.heartbeat(context(4), ids)).errorCode, NONE)
})
