// The history of a group as whoever asks its coordinator gets it: from what a group did to the answer, through the wire.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../../../io/clock.sim.ts'
import { seededRandom } from '../../../io/random.sim.ts'
import { silentLogger } from '../../../lib/logger.ts'
import { describeGroupHistory } from '../../../protocol/apis/describe-group-history.ts'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../../protocol/consumer-protocol.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { decodeResponse, encodeResponse } from '../../../protocol/frame.ts'
import { SimulatedCoordinatorPartition } from '../../coordinator-partition.sim.ts'
import { groupConfigsDefault } from '../group-config.ts'
import { GroupCoordinator, type GroupRequestContext } from '../group-coordinator.ts'
import { groupSettingsDefault } from '../group-settings.ts'
import { SimulatedTopics } from '../topics-view.sim.ts'
import type { DescribedHistory } from './described-history.ts'

const context: GroupRequestContext = {
  apiVersion: 0,
  clientId: 'billing-1',
  connection: { id: 1, remoteAddress: '::ffff:10.1.2.3', signal: new AbortController().signal },
}

async function setUp() {
  const clock = new SimulatedClock()
  const topics = new SimulatedTopics()
  topics.set('orders', 2)
  const topic = { serves: () => true, partitionCount: () => 1, ensure: async () => 1, leaderOf: () => 1 }
  const settings = { ...groupSettingsDefault, initialRebalanceDelayMs: 0 }
  const coordinatorOf = () =>
    new GroupCoordinator({
      clock,
      random: seededRandom(1),
      logger: silentLogger,
      configs: groupConfigsDefault,
      settings,
      topic,
      topics,
    })
  const coordinator = coordinatorOf()
  const partition = new SimulatedCoordinatorPartition()
  await coordinator.elected(0, partition)
  return { clock, coordinator, coordinatorOf, partition, topics }
}

type Setting = Awaited<ReturnType<typeof setUp>>

/** One member that joins, gets both partitions of orders, commits 1240 for the second, and is heard of no more. */
async function oneMember({ clock, coordinator }: Setting): Promise<void> {
  const metadata = consumerProtocolSubscription.encode({ topics: ['orders'] }, 0)
  const request = {
    groupId: 'billing',
    sessionTimeoutMs: 45_000,
    rebalanceTimeoutMs: 60_000,
    memberId: '',
    groupInstanceId: 'pod-1',
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata }],
    reason: null,
  }
  const joining = coordinator.join({ ...context, apiVersion: 9 }, request)
  await clock.advance(1)
  const { memberId, generationId } = await joining
  const assignment = consumerProtocolAssignment.encode(
    {
      assignedPartitions: [{ topic: 'orders', partitions: [0, 1] }],
      userData: null,
    },
    0,
  )
  const synced = coordinator.sync(
    { ...context, apiVersion: 5 },
    {
      groupId: 'billing',
      generationId,
      memberId,
      groupInstanceId: 'pod-1',
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [{ memberId, assignment }],
    },
  )
  await clock.advance(1)
  assert.equal((await synced).errorCode, ErrorCode.NONE)
  const committing = coordinator.commitOffsets(
    { ...context, apiVersion: 8 },
    {
      groupId: 'billing',
      generationIdOrMemberEpoch: generationId,
      memberId,
      groupInstanceId: 'pod-1',
      retentionTimeMs: -1,
      topics: [
        {
          name: 'orders',
          topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
          partitions: [{ partitionIndex: 1, committedOffset: 1240, committedLeaderEpoch: -1, committedMetadata: '' }],
        },
      ],
    },
  )
  await clock.advance(1)
  assert.equal((await committing).topics[0]!.partitions[0]!.errorCode, ErrorCode.NONE)
}

async function historyOf(coordinator: GroupCoordinator, groupId: string): Promise<DescribedHistory> {
  const answer = await coordinator.describeHistory(context, { groups: [groupId] })
  const bytes = Buffer.concat(encodeResponse(describeGroupHistory, 0, 7, answer)).subarray(4)
  const { body } = decodeResponse(describeGroupHistory, 0, bytes)
  assert.deepEqual(body, answer)
  return body.groups[0]!
}

test('a group that lost a member says which, and how far it had come', async () => {
  const setting = await setUp()
  await oneMember(setting)
  await setting.clock.advance(50_000)
  const { errorCode, rebalances, happenings } = await historyOf(setting.coordinator, 'billing')
  assert.equal(errorCode, ErrorCode.NONE)
  const silent =
    /^pod-1 \(10\.1\.2\.3, \w{8}\) was silent for 45 s while its last committed offset was orders-1@1240 \(45 s before\)$/
  const [first, second] = rebalances
  assert.match(first!.causes[0]!, /^pod-1 \(10\.1\.2\.3, \w{8}\) joined$/)
  assert.deepEqual(first!.changes[0]!.gained, { names: ['orders-0', 'orders-1'], more: 0 })
  assert.deepEqual([first!.membersBefore, first!.membersAfter, first!.epoch, first!.protocol], [0, 1, 1, 'range'])
  assert.match(second!.causes[0]!, silent)
  assert.deepEqual([second!.membersBefore, second!.membersAfter], [1, 0])
  const gone = happenings.find(({ kind }) => kind === 'memberSilent')
  assert.match(gone!.words, silent)
  assert.deepEqual([gone!.member!.groupInstanceId, gone!.member!.clientId], ['pod-1', 'billing-1'])
})

test('a consumer group (KIP-848) says the same, and what became of its topics', async () => {
  const { clock, coordinator, topics } = await setUp()
  const beat = async (memberEpoch: number, owned: number[] | null) => {
    const answering = coordinator.consumerHeartbeat(
      { ...context, apiVersion: 1 },
      {
        groupId: 'counting',
        memberId: 'Qm9uam91ciE',
        memberEpoch,
        instanceId: null,
        rackId: null,
        rebalanceTimeoutMs: memberEpoch === 0 ? 60_000 : -1,
        subscribedTopicNames: memberEpoch === 0 ? ['orders'] : null,
        subscribedTopicRegex: null,
        serverAssignor: null,
        topicPartitions:
          owned?.length === 0 ? [] : owned && [{ topicId: topics.byName('orders')!.id, partitions: owned }],
      },
    )
    await clock.advance(1)
    const { errorCode, memberEpoch: epoch } = await answering
    assert.equal(errorCode, ErrorCode.NONE)
    return epoch
  }
  const joined = await beat(0, [])
  await beat(joined, [0, 1])
  topics.set('orders', 3)
  coordinator.topicsChanged(['orders'], { anyCreated: false })
  await beat(joined, null)
  await clock.advance(2_000) // group.consumer.assignment.interval.ms
  const grown = await beat(joined, null)
  await beat(grown, [0, 1, 2])
  await clock.advance(60_000)
  const { rebalances } = await historyOf(coordinator, 'counting')
  assert.deepEqual(
    rebalances.map(({ causes }) => causes.map((cause) => cause.replace('Qm9uam91', 'ID'))),
    [
      ['billing-1 (10.1.2.3, ID) joined'],
      ['topic orders changed, and has 3 partitions now'],
      ['billing-1 (10.1.2.3, ID) was silent for 45 s while nothing was committed of its 3 partitions'],
    ],
  )
})

test('where the coordinator is another one now, history begins with that', async () => {
  const setting = await setUp()
  await oneMember(setting)
  setting.coordinator.resigned(0)
  assert.equal((await historyOf(setting.coordinator, 'billing')).errorCode, ErrorCode.NOT_COORDINATOR)
  const next = setting.coordinatorOf()
  await next.elected(0, setting.partition)
  const { rebalances, happenings } = await historyOf(next, 'billing')
  assert.deepEqual(rebalances, [])
  assert.deepEqual(
    happenings.map(({ words }) => words),
    ['this broker became the coordinator and found the group Stable; what was before it does not know'],
  )
})

test('of a group there is none of nothing is told, and that is said', async () => {
  const { coordinator } = await setUp()
  const { errorCode, happenings } = await historyOf(coordinator, 'nobody')
  assert.deepEqual([errorCode, happenings], [ErrorCode.GROUP_ID_NOT_FOUND, []])
})
