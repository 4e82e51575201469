// A member of a classic group of consumers: joins, takes its partitions, reads from what was committed, commits, sends heartbeats, and
// joins again when the group or its coordinator says so. The leader of a generation gives every member every n-th partition.

import type { Millis } from '../../src/io/clock.ts'
import { fetch } from '../../src/protocol/apis/fetch.ts'
import { heartbeat } from '../../src/protocol/apis/heartbeat.ts'
import { joinGroup, type JoinGroupResponse } from '../../src/protocol/apis/join-group.ts'
import { leaveGroup } from '../../src/protocol/apis/leave-group.ts'
import { offsetCommit } from '../../src/protocol/apis/offset-commit.ts'
import { offsetFetch } from '../../src/protocol/apis/offset-fetch.ts'
import { syncGroup } from '../../src/protocol/apis/sync-group.ts'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../src/protocol/consumer-protocol.ts'
import { ErrorCode, errorName, isRetriable } from '../../src/protocol/error-code.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../../src/protocol/schema/index.ts'
import { nextOffsetOf } from '../../src/records/batch.ts'
import { batchesIn } from '../../src/records/batches-in.ts'
import type { Offset } from '../../src/storage/partition-log.ts'
import { Violation } from '../contracts.ts'
import type { ClusterClient } from './cluster-client.ts'
import { Disconnected } from './connection.ts'

/** What became of a commit: `unknown`: it may be in force, now or later. */
export type CommitFate = 'committed' | 'refused' | 'unknown'

export interface MemberListener {
  assigned(member: string, generation: number, partitions: readonly number[]): void
  /** `asking` is called when the request leaves; what it answers comes back with the committed offset, -1 for none. */
  asking(partition: number): unknown
  resumes(partition: number, committed: Offset, asked: unknown): void
  read(partition: number, from: Offset, to: Offset): void
  /** Before it is known what becomes of it. */
  commits(partition: number, offset: Offset): (fate: CommitFate) => void
}

export interface GroupMemberOptions {
  readonly client: ClusterClient
  readonly group: string
  readonly topic: string
  readonly sessionTimeoutMs: Millis
  readonly listener: MemberListener
}

interface Reading {
  readonly partition: number
  position: Offset
  committed: Offset
}

const rebalanceTimeoutMs = 3000
const protocol = 'every-nth'
const protocolType = 'consumer'

/** The member has to join anew. */
const rejoin: ReadonlySet<number> = new Set<ErrorCode>([
  ErrorCode.REBALANCE_IN_PROGRESS,
  ErrorCode.ILLEGAL_GENERATION,
  ErrorCode.UNKNOWN_MEMBER_ID,
])

const movedCoordinator: ReadonlySet<number> = new Set<ErrorCode>([
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
])

export class GroupMember {
  readonly #options: GroupMemberOptions
  #memberId = ''
  #generation = -1
  #isStopped = false
  /** Of the present generation. */
  #isMember = false

  constructor(options: GroupMemberOptions) {
    this.#options = options
  }

  /** Until `stop`, or until its client is closed. Rejects with what breaks a rule. */
  async run(): Promise<void> {
    const { client, topic } = this.#options
    while (!this.#isStopped && !client.isClosed) {
      await client.refresh(topic)
      // Whoever leads a generation must know what there is to give.
      const joined = client.topic(topic) === undefined ? null : await this.#join()
      const partitions = joined === null ? null : await this.#sync(joined)
      if (partitions === null) {
        await client.pause()
        continue
      }
      this.#isMember = true
      this.#options.listener.assigned(this.#memberId, this.#generation, partitions)
      await Promise.all([this.#consume(partitions), this.#beat()])
    }
  }

  /** Leaves the group, if it can be told. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#isMember = false
    const members = [{ memberId: this.#memberId, groupInstanceId: null }]
    await this.#ask(leaveGroup, 5, { groupId: this.#options.group, members })
  }

  async #join(): Promise<JoinGroupResponse | null> {
    const { group, topic, sessionTimeoutMs } = this.#options
    const metadata = consumerProtocolSubscription.encode({ topics: [topic], userData: null, ownedPartitions: [] })
    const body = {
      groupId: group,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      memberId: this.#memberId,
      groupInstanceId: null,
      protocolType,
      protocols: [{ name: protocol, metadata }],
    }
    const answer = await this.#ask(joinGroup, 7, body, rebalanceTimeoutMs + 2000)
    if (answer === null) return null
    if (answer.errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
      this.#memberId = answer.memberId
      return this.#join()
    }
    if (this.#isRefused(answer.errorCode, 'JoinGroup')) return null
    this.#memberId = answer.memberId
    this.#generation = answer.generationId
    return answer
  }

  async #sync({ leader, members }: JoinGroupResponse): Promise<readonly number[] | null> {
    const { client, group, topic } = this.#options
    const count = client.topic(topic)?.partitions.length ?? 0
    const sorted = members.map(({ memberId }) => memberId).toSorted()
    const assignments = sorted.map((memberId, i) => {
      const partitions = Array.from({ length: count }, (_, index) => index).filter((p) => p % sorted.length === i)
      const assignedPartitions = [{ topic, partitions }]
      return { memberId, assignment: consumerProtocolAssignment.encode({ assignedPartitions, userData: null }) }
    })
    const answer = await this.#ask(syncGroup, 5, {
      groupId: group,
      generationId: this.#generation,
      memberId: this.#memberId,
      groupInstanceId: null,
      protocolType,
      protocolName: protocol,
      assignments: leader === this.#memberId ? assignments : [],
    })
    if (answer === null || this.#isRefused(answer.errorCode, 'SyncGroup')) return null
    return consumerProtocolAssignment.decode(answer.assignment).assignedPartitions[0]?.partitions ?? []
  }

  async #beat(): Promise<void> {
    const { client, group, sessionTimeoutMs } = this.#options
    while (this.#isMember && !client.isClosed) {
      await client.sleep(sessionTimeoutMs / 6)
      if (!this.#isMember || client.isClosed) return
      const [generationId, memberId] = [this.#generation, this.#memberId]
      const answer = await this.#ask(heartbeat, 4, { groupId: group, generationId, memberId, groupInstanceId: null })
      if (answer !== null && this.#isRefused(answer.errorCode, 'Heartbeat')) continue
    }
  }

  async #consume(partitions: readonly number[]): Promise<void> {
    const { client } = this.#options
    const readings: Reading[] = []
    for (const partition of partitions) {
      const committed = await this.#committed(partition)
      if (committed === null) return
      readings.push({ partition, position: Math.max(0, committed), committed })
    }
    while (this.#isMember && !client.isClosed) {
      for (const reading of readings) {
        await this.#read(reading)
        if (!this.#isMember || client.isClosed) return
        if (reading.position > reading.committed && client.random.chance(0.5)) await this.#commit(reading)
      }
      await client.sleep(50 + client.random.below(150))
    }
  }

  /** What the group has committed; null when this member is none any more. */
  async #committed(partition: number): Promise<Offset | null> {
    const { client, group, topic, listener } = this.#options
    const groups = [{ groupId: group, topics: [{ name: topic, partitionIndexes: [partition] }] }]
    while (this.#isMember && !client.isClosed) {
      const asked = listener.asking(partition)
      const answer = await this.#ask(offsetFetch, 8, { groups, requireStable: true })
      const found = answer?.groups[0]
      const one = found?.topics[0]?.partitions[0]
      const code = found?.errorCode || one?.errorCode || ErrorCode.NONE
      if (found !== undefined && !this.#isRefused(code, 'OffsetFetch') && one !== undefined) {
        listener.resumes(partition, one.committedOffset, asked)
        return one.committedOffset
      }
      await client.pause()
    }
    return null
  }

  async #commit(reading: Reading): Promise<void> {
    const { group, topic, listener } = this.#options
    const { partition, position } = reading
    const settle = listener.commits(partition, position)
    const partitions = [{ partitionIndex: partition, committedOffset: position, committedMetadata: null }]
    const answer = await this.#ask(offsetCommit, 8, {
      groupId: group,
      generationIdOrMemberEpoch: this.#generation,
      memberId: this.#memberId,
      groupInstanceId: null,
      topics: [{ name: topic, partitions }],
    })
    const code = answer?.topics[0]?.partitions[0]?.errorCode
    if (code === undefined) return settle('unknown')
    if (code === ErrorCode.NONE) {
      reading.committed = position
      return settle('committed')
    }
    settle(rejoin.has(code) ? 'refused' : 'unknown')
    this.#isRefused(code, 'OffsetCommit')
  }

  async #read(reading: Reading): Promise<void> {
    const { client, topic, listener } = this.#options
    const { partition, position } = reading
    const known = client.partition(topic, partition)
    const topicId = client.topic(topic)?.id
    if (known === undefined || topicId === undefined) return client.refresh(topic)
    const { leader, leaderEpoch: currentLeaderEpoch } = known
    try {
      const partitions = [{ partition, currentLeaderEpoch, fetchOffset: position, partitionMaxBytes: 4000 }]
      const answer = await client.ask(leader, fetch, 16, {
        maxWaitMs: 100,
        minBytes: 1,
        maxBytes: 4000,
        isolationLevel: 1,
        topics: [{ topicId, partitions }],
        forgottenTopicsData: [],
        rackId: '',
      })
      const said = answer.responses[0]?.partitions[0]
      if (said === undefined)
        throw new Violation('every partition is answered', `${topic}-${partition} was not, in Fetch`)
      if (said.errorCode === ErrorCode.OFFSET_OUT_OF_RANGE) {
        throw new Violation(
          'what consumers have read stays',
          `${client.name} has read ${topic}-${partition} to ${position}, and is out of range at its leader, broker ${leader}`,
        )
      }
      if (said.errorCode !== ErrorCode.NONE) {
        if (!client.heardOf(topic, partition, said.currentLeader, answer.nodeEndpoints)) await client.refresh(topic)
        return
      }
      for (const chunk of said.records ?? []) {
        for (const batch of batchesIn(chunk)) reading.position = Math.max(reading.position, nextOffsetOf(batch))
      }
      if (reading.position > position) listener.read(partition, position, reading.position)
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error
      await client.refresh(topic)
    }
  }

  /** Null: there is no coordinator, or it did not answer. Never rejects with `Disconnected`. */
  async #ask<A extends AnyApi>(
    api: A,
    version: number,
    body: RequestInput<A>,
    timeoutMs?: Millis,
  ): Promise<ResponseOf<A> | null> {
    const { client, group } = this.#options
    const coordinator = await client.coordinatorOf(group)
    if (coordinator === null) return null
    try {
      return await client.ask(coordinator, api, version, body, timeoutMs)
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error
      client.forgetCoordinator(group)
      return null
    }
  }

  #isRefused(code: ErrorCode, what: string): boolean {
    if (code === ErrorCode.NONE) return false
    const { client, group } = this.#options
    if (movedCoordinator.has(code)) client.forgetCoordinator(group)
    else if (rejoin.has(code)) {
      this.#isMember = false
      if (code === ErrorCode.UNKNOWN_MEMBER_ID) this.#memberId = ''
    } else if (!isRetriable(code)) {
      throw new Violation('a group is only refused what passes', `${client.name} ${what}: ${errorName(code)}`)
    }
    return true
  }
}
