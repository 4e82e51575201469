// The handlers of the group APIs, with their answers written and read back in every version: a field that a version lacks must not
// be set there, and null not where it does not go.

import assert from 'node:assert/strict'
import test from 'node:test'

import { groupSettingsDefault } from '../../coordinators/groups/group-settings.ts'
import { SimulatedTopics } from '../../coordinators/groups/topics-view.sim.ts'
import { SimulatedCoordinatorPartition } from '../../coordinators/coordinator-partition.sim.ts'
import { groupConfigsDefault } from '../../coordinators/groups/group-config.ts'
import { GroupCoordinator } from '../../coordinators/groups/group-coordinator.ts'
import { SimulatedClock } from '../../io/clock.sim.ts'
import { seededRandom } from '../../io/random.sim.ts'
import { silentLogger } from '../../lib/logger.ts'
import { deleteGroups } from '../../protocol/apis/delete-groups.ts'
import { consumerGroupDescribe } from '../../protocol/apis/consumer-group-describe.ts'
import { consumerGroupHeartbeat } from '../../protocol/apis/consumer-group-heartbeat.ts'
import { describeGroups } from '../../protocol/apis/describe-groups.ts'
import { findCoordinator } from '../../protocol/apis/find-coordinator.ts'
import { heartbeat } from '../../protocol/apis/heartbeat.ts'
import { joinGroup } from '../../protocol/apis/join-group.ts'
import { leaveGroup } from '../../protocol/apis/leave-group.ts'
import { listGroups } from '../../protocol/apis/list-groups.ts'
import { offsetCommit } from '../../protocol/apis/offset-commit.ts'
import { offsetDelete } from '../../protocol/apis/offset-delete.ts'
import { offsetFetch } from '../../protocol/apis/offset-fetch.ts'
import { syncGroup } from '../../protocol/apis/sync-group.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import {
  type AnyApi,
  type Message,
  type RequestInput,
  type RequestOf,
  type ResponseOf,
  WireReader,
  WireWriter,
} from '../../protocol/schema/index.ts'
import { AnswerSize } from '../answer-size.ts'
import { FetchTurns } from '../fetch-turns.ts'
import type { Handler, RequestContext } from '../handler.ts'
import type { Services } from '../services.ts'
import { handleDeleteGroups } from './delete-groups.ts'
import { handleConsumerGroupDescribe } from './consumer-group-describe.ts'
import { handleConsumerGroupHeartbeat } from './consumer-group-heartbeat.ts'
import { handleDescribeGroups } from './describe-groups.ts'
import { handleFindCoordinator } from './find-coordinator.ts'
import { handleHeartbeat } from './heartbeat.ts'
import { handleJoinGroup } from './join-group.ts'
import { handleLeaveGroup } from './leave-group.ts'
import { handleListGroups } from './list-groups.ts'
import { handleOffsetCommit } from './offset-commit.ts'
import { handleOffsetDelete } from './offset-delete.ts'
import { handleOffsetFetch } from './offset-fetch.ts'
import { handleSyncGroup } from './sync-group.ts'

const { NONE } = ErrorCode
const ordersId = 'AAAAAAAAAAAAAAAAAAAAAQ'

async function setUp() {
  const clock = new SimulatedClock()
  const topics = new SimulatedTopics()
  topics.set('orders', 1, { id: ordersId })
  const groups = new GroupCoordinator({
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    configs: groupConfigsDefault,
    settings: { ...groupSettingsDefault, initialRebalanceDelayMs: 0 },
    topic: { serves: () => true, partitionCount: () => 1, ensure: async () => 1, leaderOf: () => 3 },
    topics,
  })
  await groups.elected(0, new SimulatedCoordinatorPartition())
  const endpointFor: Services['endpointFor'] = (id) =>
    id === 3 ? { listener: 'PLAINTEXT', host: 'h3', port: 9093 } : null

  /** Through the wire both ways. */
  async function call<A extends AnyApi>(
    handler: Handler<A, 'groups' | 'endpointFor'>,
    api: A,
    apiVersion: number,
    request: RequestInput<A>,
  ): Promise<ResponseOf<A>> {
    const context = { apiVersion, clientId: 'app', principal: 'User:ANONYMOUS', connection, groups, endpointFor }
    const answering = handler(context, throughTheWire(api.request, apiVersion, request) as RequestOf<A>)
    await clock.advance(1)
    const response = await answering
    assert.ok(response !== null)
    return throughTheWire(api.response, apiVersion, response) as ResponseOf<A>
  }
  return { clock, groups, call }
}

const connection: RequestContext['connection'] = {
  id: 1,
  listener: 'PLAINTEXT',
  localHost: '127.0.0.1',
  localPort: 9092,
  remoteAddress: '127.0.0.1',
  remotePort: 5000,
  clientSoftwareName: 'unknown',
  clientSoftwareVersion: 'unknown',
  fetchTurns: new FetchTurns(),
  answerSize: new AnswerSize(),
  signal: new AbortController().signal,
}

function throughTheWire<T>(message: Message<T>, version: number, value: unknown): T {
  const writer = new WireWriter()
  writer.begin()
  message.at(version).write(writer, value as T)
  const reader = new WireReader(writer.endAsCopy())
  const read = message.at(version).read(reader)
  reader.finish()
  return read
}

function versionsOf({ versions: [first, last] }: { readonly versions: readonly [number, number] }): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

type Setting = Awaited<ReturnType<typeof setUp>>

/** A stable group of one, in any version of JoinGroup. */
async function join({ call }: Setting, version: number) {
  const protocols = [{ name: 'range', metadata: Buffer.from('m') }]
  const request = {
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    protocolType: 'consumer',
    protocols,
  }
  let joined = await call(handleJoinGroup, joinGroup, version, request)
  if (version >= 4) {
    assert.equal(joined.errorCode, ErrorCode.MEMBER_ID_REQUIRED)
    joined = await call(handleJoinGroup, joinGroup, version, { ...request, memberId: joined.memberId })
  }
  assert.equal(joined.errorCode, NONE)
  return joined
}

async function joinAndSync(setting: Setting, version = 5) {
  const { memberId, generationId } = await join(setting, 9)
  const assignments = [{ memberId, assignment: Buffer.from('all') }]
  const agreed = version >= 5 ? { protocolType: 'consumer', protocolName: 'range' } : {}
  const request = { groupId: 'g', generationId, memberId, assignments, ...agreed }
  const synced = await setting.call(handleSyncGroup, syncGroup, version, request)
  assert.equal(synced.errorCode, NONE)
  return { memberId, generationId, synced }
}

for (const version of versionsOf(joinGroup)) {
  test(`JoinGroup ${version}: a member joins an empty group and leads it`, async () => {
    const joined = await join(await setUp(), version)
    assert.deepEqual([joined.generationId, joined.leader, joined.protocolName], [1, joined.memberId, 'range'])
    assert.equal(joined.protocolType, version >= 7 ? 'consumer' : null)
    assert.deepEqual(
      joined.members.map(({ memberId }) => memberId),
      [joined.memberId],
    )
  })

  test(`JoinGroup ${version}: a refusal can be written`, async () => {
    const { call } = await setUp()
    const request = { groupId: 'g', sessionTimeoutMs: 1, protocolType: 'consumer', protocols: [] }
    assert.equal(
      (await call(handleJoinGroup, joinGroup, version, request)).errorCode,
      ErrorCode.INVALID_SESSION_TIMEOUT,
    )
  })
}

for (const version of versionsOf(syncGroup)) {
  test(`SyncGroup ${version}: the leader gets what it assigned to itself`, async () => {
    const { synced } = await joinAndSync(await setUp(), version)
    assert.equal(Buffer.from(synced.assignment).toString(), 'all')
    assert.deepEqual([synced.protocolType, synced.protocolName], version >= 5 ? ['consumer', 'range'] : [null, null])
  })
}

for (const version of versionsOf(heartbeat)) {
  test(`Heartbeat ${version}: a member is told that all is well`, async () => {
    const setting = await setUp()
    const { memberId, generationId } = await joinAndSync(setting)
    const answer = await setting.call(handleHeartbeat, heartbeat, version, { groupId: 'g', generationId, memberId })
    assert.deepEqual(answer, { throttleTimeMs: 0, errorCode: NONE })
  })
}

for (const version of versionsOf(leaveGroup)) {
  test(`LeaveGroup ${version}: a member leaves, a stranger cannot`, async () => {
    const setting = await setUp()
    const { memberId } = await joinAndSync(setting)
    const leave = async (id: string) => {
      const who = version < 3 ? { memberId: id } : { members: [{ memberId: id }] }
      const answer = await setting.call(handleLeaveGroup, leaveGroup, version, { groupId: 'g', ...who })
      return version < 3 ? answer.errorCode : answer.members[0]!.errorCode
    }
    assert.deepEqual([await leave('stranger'), await leave(memberId)], [ErrorCode.UNKNOWN_MEMBER_ID, NONE])
  })
}

for (const version of versionsOf(offsetCommit)) {
  test(`OffsetCommit ${version}: an offset is committed and fetched in every version of OffsetFetch`, async () => {
    const { call } = await setUp()
    const partitions = [{ partitionIndex: 0, committedOffset: 42, committedLeaderEpoch: 3, committedMetadata: 'm' }]
    const topic = version >= 10 ? { topicId: ordersId } : { name: 'orders' }
    const answer = await call(handleOffsetCommit, offsetCommit, version, {
      groupId: 'g',
      topics: [{ ...topic, partitions }],
    })
    assert.deepEqual(answer.topics[0]!.partitions, [{ partitionIndex: 0, errorCode: NONE }])
    for (const fetchVersion of versionsOf(offsetFetch)) {
      const [fetched] = topicsOf(await call(handleOffsetFetch, offsetFetch, fetchVersion, fetchOf(fetchVersion)))
      assert.deepEqual(fetched!.partitions[0], {
        partitionIndex: 0,
        committedOffset: 42,
        committedLeaderEpoch: fetchVersion >= 5 && version >= 6 ? 3 : -1,
        metadata: 'm',
        errorCode: NONE,
      })
    }
  })
}

function fetchOf(version: number): RequestInput<typeof offsetFetch> {
  const partitionIndexes = [0]
  if (version < 8) return { groupId: 'g', topics: [{ name: 'orders', partitionIndexes }] }
  const topic = version >= 10 ? { topicId: ordersId } : { name: 'orders' }
  return { groups: [{ groupId: 'g', topics: [{ ...topic, partitionIndexes }] }] }
}

function topicsOf({ topics, groups }: ResponseOf<typeof offsetFetch>) {
  return groups[0]?.topics ?? topics
}

for (const version of versionsOf(offsetFetch)) {
  test(`OffsetFetch ${version}: a refusal of the whole group can be written`, async () => {
    const { call, groups } = await setUp()
    groups.close()
    const answer = await call(handleOffsetFetch, offsetFetch, version, fetchOf(version))
    const code = version === 1 ? answer.topics[0]!.partitions[0]!.errorCode : (answer.groups[0] ?? answer).errorCode
    assert.equal(code, ErrorCode.NOT_COORDINATOR)
  })
}

for (const version of versionsOf(describeGroups)) {
  test(`DescribeGroups ${version}: a group and one that is not there`, async () => {
    const setting = await setUp()
    const { memberId } = await joinAndSync(setting)
    const request = { groups: ['g', 'none'], includeAuthorizedOperations: version >= 3 }
    const { groups } = await setting.call(handleDescribeGroups, describeGroups, version, request)
    assert.deepEqual(
      groups.map(({ groupState, errorCode }) => [groupState, errorCode]),
      [
        ['Stable', NONE],
        ['Dead', version >= 6 ? ErrorCode.GROUP_ID_NOT_FOUND : NONE],
      ],
    )
    assert.deepEqual([groups[0]!.members[0]!.memberId, groups[0]!.protocolData], [memberId, 'range'])
    assert.equal(groups[0]!.authorizedOperations, version >= 3 ? 0b1101_0100_1000 : -0x8000_0000)
    assert.equal(groups[1]!.errorMessage, version >= 6 ? 'Group none not found.' : null)
  })
}

test('DescribeGroups says nothing of allowed operations when nobody asks', async () => {
  const setting = await setUp()
  await joinAndSync(setting)
  const { groups } = await setting.call(handleDescribeGroups, describeGroups, 6, { groups: ['g'] })
  assert.equal(groups[0]!.authorizedOperations, -0x8000_0000)
})

for (const version of versionsOf(listGroups)) {
  test(`ListGroups ${version}: the groups of this broker`, async () => {
    const setting = await setUp()
    await joinAndSync(setting)
    const { groups } = await setting.call(handleListGroups, listGroups, version, {})
    assert.deepEqual(groups, [
      {
        groupId: 'g',
        protocolType: 'consumer',
        groupState: version >= 4 ? 'Stable' : '',
        groupType: version >= 5 ? 'classic' : '',
      },
    ])
  })
}

for (const version of versionsOf(offsetDelete)) {
  test(`OffsetDelete ${version}: what was committed is forgotten, of partitions that exist`, async () => {
    const { call } = await setUp()
    const partitions = [{ partitionIndex: 0, committedOffset: 42, committedLeaderEpoch: 3, committedMetadata: 'm' }]
    await call(handleOffsetCommit, offsetCommit, 9, { groupId: 'g', topics: [{ name: 'orders', partitions }] })
    const indexes = [{ partitionIndex: 0 }, { partitionIndex: 1 }]
    const topics = [{ name: 'orders', partitions: indexes }]
    const answer = await call(handleOffsetDelete, offsetDelete, version, { groupId: 'g', topics })
    assert.equal(answer.errorCode, NONE)
    assert.deepEqual(answer.topics, [
      {
        name: 'orders',
        partitions: [
          { partitionIndex: 1, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION },
          { partitionIndex: 0, errorCode: NONE },
        ],
      },
    ])
    const [fetched] = topicsOf(await call(handleOffsetFetch, offsetFetch, 9, fetchOf(9)))
    assert.equal(fetched!.partitions[0]!.committedOffset, -1)
  })
}

for (const version of versionsOf(deleteGroups)) {
  test(`DeleteGroups ${version}: an empty group goes, one with members stays`, async () => {
    const setting = await setUp()
    const { memberId } = await joinAndSync(setting)
    const groupsNames = ['g', 'unknown', 'g']
    const remove = async () => (await setting.call(handleDeleteGroups, deleteGroups, version, { groupsNames })).results
    const unknown = { groupId: 'unknown', errorCode: ErrorCode.GROUP_ID_NOT_FOUND }
    assert.deepEqual(await remove(), [{ groupId: 'g', errorCode: ErrorCode.NON_EMPTY_GROUP }, unknown])
    await setting.call(handleLeaveGroup, leaveGroup, 3, { groupId: 'g', members: [{ memberId }] })
    assert.deepEqual(await remove(), [{ groupId: 'g', errorCode: NONE }, unknown])
    assert.deepEqual((await setting.call(handleListGroups, listGroups, 4, {})).groups, [])
  })
}

for (const version of versionsOf(findCoordinator)) {
  test(`FindCoordinator ${version}: where a group's coordinator is`, async () => {
    const { call } = await setUp()
    const request = version < 4 ? { key: 'g' } : { coordinatorKeys: ['g', 'h'] }
    const answer = await call(handleFindCoordinator, findCoordinator, version, request)
    const found = version < 4 ? [answer] : answer.coordinators
    assert.equal(found.length, version < 4 ? 1 : 2)
    for (const { errorCode, nodeId, host, port } of found)
      assert.deepEqual([errorCode, nodeId, host, port], [NONE, 3, 'h3', 9093])
  })
}

test('a join that is refused has no protocol, in the form its version has for that', async () => {
  const { call } = await setUp()
  for (const [version, protocolName] of [
    [6, ''],
    [7, null],
  ] as const) {
    const answer = await call(handleJoinGroup, joinGroup, version, { groupId: '' })
    assert.deepEqual([answer.errorCode, answer.protocolName], [ErrorCode.INVALID_GROUP_ID, protocolName])
  }
})

test('a sync without its protocol is refused before its group is looked at', async () => {
  const { call } = await setUp()
  const answer = await call(handleSyncGroup, syncGroup, 5, { groupId: '' })
  assert.equal(answer.errorCode, ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
})

const notServed = [
  { keyType: 1, name: 'a transaction', code: ErrorCode.COORDINATOR_NOT_AVAILABLE },
  { keyType: 2, name: 'a share group', code: ErrorCode.INVALID_REQUEST },
  { keyType: 9, name: 'who knows what', code: ErrorCode.INVALID_REQUEST },
]
for (const { keyType, name, code } of notServed) {
  test(`nobody coordinates ${name}`, async () => {
    const { call } = await setUp()
    const { coordinators } = await call(handleFindCoordinator, findCoordinator, 6, { keyType, coordinatorKeys: ['k'] })
    const errorMessage = keyType === 9 ? 'INVALID_REQUEST' : ''
    assert.deepEqual(coordinators, [{ key: 'k', nodeId: -1, host: '', port: -1, errorCode: code, errorMessage }])
    const one = await call(handleFindCoordinator, findCoordinator, 1, { keyType, key: 'k' })
    assert.deepEqual([one.errorCode, one.nodeId], [code, -1])
  })
}

test('a coordinator whose address is not known is not available', async () => {
  const setting = await setUp()
  const context = { apiVersion: 4, clientId: 'app', principal: 'User:ANONYMOUS', connection, groups: setting.groups }
  const request = throughTheWire(findCoordinator.request, 4, { coordinatorKeys: ['g'] })
  const answer = await handleFindCoordinator({ ...context, endpointFor: () => null }, request)
  assert.equal(answer!.coordinators[0]!.errorCode, ErrorCode.COORDINATOR_NOT_AVAILABLE)
})

for (const version of versionsOf(consumerGroupHeartbeat)) {
  test(`a member of a KIP-848 group joins, is described and leaves, version ${version}`, async () => {
    const { call } = await setUp()
    const joining = {
      groupId: 'g',
      // Before version 1 ids are made here.
      memberId: version === 0 ? '' : 'own-id',
      memberEpoch: 0,
      rebalanceTimeoutMs: 60_000,
      subscribedTopicNames: ['orders'],
      topicPartitions: [],
    }
    const joined = await call(handleConsumerGroupHeartbeat, consumerGroupHeartbeat, version, joining)
    assert.equal(joined.errorCode, NONE)
    assert.equal(joined.memberEpoch, 2)
    assert.deepEqual(joined.assignment, { topicPartitions: [{ topicId: ordersId, partitions: [0] }] })
    const memberId = joined.memberId!
    if (version === 0) assert.match(memberId, /^[\w-]{22}$/)
    else assert.equal(memberId, 'own-id')

    const { groups } = await call(handleConsumerGroupDescribe, consumerGroupDescribe, version, {
      groupIds: ['g', 'other', ''],
      includeAuthorizedOperations: true,
    })
    const [group, other, nameless] = groups
    assert.deepEqual([group?.groupState, group?.assignorName, group?.groupEpoch], ['Stable', 'uniform', 2])
    assert.deepEqual(group?.members[0]?.assignment, {
      topicPartitions: [{ topicId: ordersId, topicName: 'orders', partitions: [0] }],
    })
    assert.equal(group.members[0].memberType, version === 0 ? -1 : 1)
    assert.notEqual(group.authorizedOperations, -0x8000_0000)
    assert.deepEqual([other?.errorCode, other?.errorMessage], [ErrorCode.GROUP_ID_NOT_FOUND, 'Group other not found.'])
    assert.equal(other?.authorizedOperations, -0x8000_0000)
    assert.equal(nameless?.errorCode, ErrorCode.INVALID_GROUP_ID)

    const leaving = { groupId: 'g', memberId, memberEpoch: -1 }
    const left = await call(handleConsumerGroupHeartbeat, consumerGroupHeartbeat, version, leaving)
    assert.deepEqual([left.errorCode, left.memberEpoch], [NONE, -1])
  })
}

test('a KIP-848 heartbeat that makes no sense is refused before any group sees it', async () => {
  const { call } = await setUp()
  const request = { groupId: 'g', memberId: '', memberEpoch: 0 }
  const answer = await call(handleConsumerGroupHeartbeat, consumerGroupHeartbeat, 1, request)
  assert.deepEqual([answer.errorCode, answer.errorMessage], [ErrorCode.INVALID_REQUEST, "MemberId can't be empty."])
  const assignor = { ...request, memberId: 'm', memberEpoch: 3, serverAssignor: 'sticky' }
  const unsupported = await call(handleConsumerGroupHeartbeat, consumerGroupHeartbeat, 1, assignor)
  assert.equal(unsupported.errorCode, ErrorCode.UNSUPPORTED_ASSIGNOR)
})
