// A group coordinator on simulated partitions of its topic, and requests to it as clients make them.

import assert from 'node:assert/strict'
import { SimulatedClock } from '../../io/clock.sim.ts'
import { seededRandom } from '../../io/random.sim.ts'
import { silentLogger } from '../../lib/logger.ts'
import { ZERO_UUID } from '../../lib/uuid.ts'
import type { JoinGroupRequest } from '../../protocol/apis/join-group.ts'
import type { OffsetCommitRequest } from '../../protocol/apis/offset-commit.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { SimulatedCoordinatorPartition } from '../coordinator-partition.sim.ts'
import { groupConfigsDefault } from './group-config.ts'
import { GroupCoordinator, type GroupRequestContext } from './group-coordinator.ts'
import { type GroupSettings, groupSettingsDefault } from './group-settings.ts'
import { SimulatedTopics } from './topics-view.sim.ts'

export const ordersId = 'AAAAAAAAAAAAAAAAAAAAAQ'

/** A broker that leads all partitions of __consumer_offsets. `orders` has two partitions. */
export async function setUp(settings: Partial<GroupSettings> = {}, partitionCount = 2) {
  const clock = new SimulatedClock()
  const topics = new SimulatedTopics()
  topics.set('orders', 2, { id: ordersId })
  const partitions = Array.from({ length: partitionCount }, () => new SimulatedCoordinatorPartition())
  const topic = {
    count: partitionCount as number | null,
    leader: 7,
    created: 0,
    placed: true,
    serves: () => topic.placed,
    partitionCount: () => topic.count,
    async ensure() {
      topic.created++
      return (topic.count = partitionCount)
    },
    leaderOf: () => topic.leader,
  }
  const coordinator = new GroupCoordinator({
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    configs: groupConfigsDefault,
    settings: { ...groupSettingsDefault, initialRebalanceDelayMs: 0, ...settings },
    topic,
    topics,
  })
  await Promise.all(partitions.map((partition, index) => coordinator.elected(index, partition)))
  return { clock, coordinator, partitions, topic, topics }
}

export function context(
  apiVersion: number,
  options: { id?: number; clientId?: string; signal?: AbortSignal } = {},
): GroupRequestContext {
  const { id = 1, clientId = 'app', signal = new AbortController().signal } = options
  return { apiVersion, clientId, connection: { id, remoteAddress: '::ffff:10.1.2.3', signal } }
}

export function joinRequest(request: Partial<JoinGroupRequest> = {}): JoinGroupRequest {
  return {
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 60_000,
    memberId: '',
    groupInstanceId: null,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: Buffer.from('m') }],
    reason: null,
    ...request,
  }
}

export function commitRequest(
  topics: OffsetCommitRequest['topics'],
  request: Partial<OffsetCommitRequest> = {},
): OffsetCommitRequest {
  return {
    groupId: 'g',
    generationIdOrMemberEpoch: -1,
    memberId: '',
    groupInstanceId: null,
    retentionTimeMs: -1,
    topics,
    ...request,
  }
}

export function committedTopic(
  names: { name?: string; topicId?: string },
  ...offsets: [partition: number, offset: number][]
) {
  const partitions = offsets.map(([partitionIndex, committedOffset]) => {
    return { partitionIndex, committedOffset, committedLeaderEpoch: 4, committedMetadata: null }
  })
  return { name: '', topicId: ZERO_UUID, ...names, partitions }
}

/** A stable group of one member, which joined and synced as clients do. */
export async function oneMember({ clock, coordinator }: Awaited<ReturnType<typeof setUp>>, groupId = 'g') {
  const first = await coordinator.join(context(9), joinRequest({ groupId }))
  assert.equal(first.errorCode, ErrorCode.MEMBER_ID_REQUIRED)
  const { memberId } = first
  const joining = coordinator.join(context(9), joinRequest({ groupId, memberId }))
  await clock.advance(1)
  const { generationId } = await joining
  const synced = await coordinator.sync(context(5), {
    groupId,
    generationId,
    memberId,
    groupInstanceId: null,
    protocolType: 'consumer',
    protocolName: 'range',
    assignments: [{ memberId, assignment: Buffer.from('all') }],
  })
  assert.deepEqual([synced.errorCode, Buffer.from(synced.assignment).toString()], [ErrorCode.NONE, 'all'])
  return { memberId, generationId }
}
