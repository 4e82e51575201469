// A group's coordinator goes to another broker: by a death, a controlled shutdown, an election. Whoever is in the group stays in it, in the
// same generation, and what it committed is there; nobody is made to join again who was settled before.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { consumerGroupDescribe } from '../../src/protocol/apis/consumer-group-describe.ts'
import {
  consumerGroupHeartbeat,
  type ConsumerGroupHeartbeatResponse,
} from '../../src/protocol/apis/consumer-group-heartbeat.ts'
import { createTopics } from '../../src/protocol/apis/create-topics.ts'
import { describeGroups } from '../../src/protocol/apis/describe-groups.ts'
import { electLeaders } from '../../src/protocol/apis/elect-leaders.ts'
import { heartbeat } from '../../src/protocol/apis/heartbeat.ts'
import { joinGroup, type JoinGroupResponse } from '../../src/protocol/apis/join-group.ts'
import { offsetCommit } from '../../src/protocol/apis/offset-commit.ts'
import { offsetFetch } from '../../src/protocol/apis/offset-fetch.ts'
import { syncGroup } from '../../src/protocol/apis/sync-group.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { type EmbeddedCluster, startBroker, startCluster } from '../../src/testkit/index.ts'
import { GroupClient } from '../support/group-client.ts'
import { waitFor, within } from '../support/wait-for.ts'

const { NONE, MEMBER_ID_REQUIRED, NOT_COORDINATOR, UNKNOWN_MEMBER_ID } = ErrorCode
const offsets = '__consumer_offsets'
const topic = 'orders'

const portsOf = (cluster: EmbeddedCluster) => cluster.brokers.map(({ port }) => port)

function coordinatorOf(cluster: EmbeddedCluster): number {
  const id = cluster.leaderOf(offsets, 0)
  assert.ok(id !== null)
  return id
}

async function started(): Promise<EmbeddedCluster> {
  const cluster = await startCluster({ settings: { 'offsets.topic.num.partitions': 1 } })
  const admin = new GroupClient('any', portsOf(cluster))
  try {
    await admin.askAt(portsOf(cluster)[0]!, createTopics, 7, {
      topics: [{ name: topic, numPartitions: 2, replicationFactor: 3 }],
      timeoutMs: 10_000,
    })
    await admin.coordinator() // creates the topic of the groups
    await cluster.settled()
    return cluster
  } finally {
    admin.close()
  }
}

/** A member of a classic group of one or two. */
class ClassicMember {
  readonly client: GroupClient
  memberId = ''
  generation = -1

  constructor(ports: readonly number[]) {
    this.client = new GroupClient('g', ports)
  }

  get #request() {
    const protocols = [{ name: 'range', metadata: Buffer.from('m') }]
    const { memberId, client } = this
    return {
      groupId: client.groupId,
      memberId,
      sessionTimeoutMs: 30_000,
      rebalanceTimeoutMs: 30_000,
      protocolType: 'consumer',
      protocols,
    }
  }

  /** Gets its id; what comes of joining with it is the second promise's affair. */
  async join(): Promise<JoinGroupResponse> {
    const join = () => this.client.ask(joinGroup, 9, this.#request, ({ errorCode }) => errorCode)
    let joined = await join()
    if (joined.errorCode === MEMBER_ID_REQUIRED) {
      this.memberId = joined.memberId
      joined = await join()
    }
    assert.equal(joined.errorCode, NONE)
    this.memberId = joined.memberId
    this.generation = joined.generationId
    return joined
  }

  /** Asks the coordinator of the moment, and it alone. */
  joinAt(port: number): Promise<JoinGroupResponse> {
    return this.client.askAt(port, joinGroup, 9, this.#request)
  }

  async sync(joined: JoinGroupResponse): Promise<void> {
    const { memberId, generation, client } = this
    const assignments = joined.members.map((member) => ({ memberId: member.memberId, assignment: Buffer.from('a') }))
    const request = { groupId: client.groupId, memberId, generationId: generation, assignments }
    const agreed = { protocolType: 'consumer', protocolName: 'range' }
    const synced = await client.ask(syncGroup, 5, { ...request, ...agreed }, ({ errorCode }) => errorCode)
    assert.equal(synced.errorCode, NONE)
  }

  async heartbeat(): Promise<ErrorCode> {
    const { memberId, generation, client } = this
    const request = { groupId: client.groupId, memberId, generationId: generation }
    return (await client.ask(heartbeat, 4, request, ({ errorCode }) => errorCode)).errorCode
  }

  async commit(offset: number): Promise<ErrorCode> {
    const { memberId, generation, client } = this
    const partition = { partitionIndex: 0, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: '' }
    const request = {
      groupId: client.groupId,
      memberId,
      generationIdOrMemberEpoch: generation,
      topics: [{ name: topic, partitions: [partition] }],
    }
    const codeOf = (answer: { topics: readonly { partitions: readonly { errorCode: ErrorCode }[] }[] }) =>
      answer.topics[0]!.partitions[0]!.errorCode
    return codeOf(await client.ask(offsetCommit, 9, request, codeOf))
  }

  async committed(): Promise<number> {
    const group = { groupId: this.client.groupId, topics: [{ name: topic, partitionIndexes: [0] }] }
    const answer = await this.client.ask(offsetFetch, 8, { groups: [group] }, ({ groups }) => groups[0]!.errorCode)
    return answer.groups[0]!.topics[0]!.partitions[0]!.committedOffset
  }

  async group() {
    const request = { groups: [this.client.groupId] }
    const { groups } = await this.client.ask(describeGroups, 5, request, (answer) => answer.groups[0]!.errorCode)
    return groups[0]!
  }
}

/** A member of a KIP-848 group. It takes what it is given, and says so with its next heartbeat. */
class ConsumerMember {
  readonly client: GroupClient
  readonly memberId = randomUUID()
  epoch = 0
  #owned: NonNullable<ConsumerGroupHeartbeatResponse['assignment']>['topicPartitions'] = []

  constructor(ports: readonly number[]) {
    this.client = new GroupClient('k', ports)
  }

  get partitions(): number {
    return this.#owned.reduce((sum, { partitions }) => sum + partitions.length, 0)
  }

  async heartbeat(): Promise<ErrorCode> {
    const { memberId, epoch, client } = this
    const wants = { rebalanceTimeoutMs: 30_000, subscribedTopicNames: [topic] }
    const answer = await client.ask(
      consumerGroupHeartbeat,
      1,
      {
        groupId: client.groupId,
        memberId,
        memberEpoch: epoch,
        topicPartitions: this.#owned,
        ...(epoch === 0 && wants),
      },
      ({ errorCode }) => errorCode,
    )
    if (answer.errorCode !== NONE) return answer.errorCode
    this.epoch = answer.memberEpoch
    if (answer.assignment !== null) this.#owned = answer.assignment.topicPartitions
    return NONE
  }

  async group() {
    const request = { groupIds: [this.client.groupId] }
    const { groups } = await this.client.ask(consumerGroupDescribe, 1, request, (answer) => answer.groups[0]!.errorCode)
    return groups[0]!
  }
}

/** Two members that have settled. */
async function groupOfTwo(cluster: EmbeddedCluster): Promise<[ClassicMember, ClassicMember]> {
  const one = new ClassicMember(portsOf(cluster))
  const other = new ClassicMember(portsOf(cluster))
  await one.sync(await one.join())
  const joining = other.join()
  await waitFor('the first to be called back', async () => (await one.heartbeat()) === ErrorCode.REBALANCE_IN_PROGRESS)
  const both = await Promise.all([one.join(), joining])
  await Promise.all([one.sync(both[0]), other.sync(both[1])])
  assert.equal(one.generation, other.generation)
  return [one, other]
}

async function electPreferred(cluster: EmbeddedCluster): Promise<void> {
  const admin = new GroupClient('any', portsOf(cluster))
  await waitFor('the preferred leader', async () => {
    for (const port of portsOf(cluster)) {
      const topicPartitions = [{ topic: offsets, partitions: [0] }]
      await admin.askAt(port, electLeaders, 2, { electionType: 0, topicPartitions, timeoutMs: 5_000 })
    }
    return true
  })
  admin.close()
}

const moves: Record<string, (cluster: EmbeddedCluster) => Promise<void>> = {
  'is killed': async (cluster) => {
    const before = coordinatorOf(cluster)
    await cluster.kill(before)
    await waitFor('another coordinator', () => ![null, before].includes(cluster.leaderOf(offsets, 0)))
  },
  'is shut down in order, and comes back': async (cluster) => {
    const before = coordinatorOf(cluster)
    await cluster.restart(before)
    assert.notEqual(coordinatorOf(cluster), before)
  },
  'is another by an election': async (cluster) => {
    const before = coordinatorOf(cluster)
    await cluster.restart(before)
    await cluster.settled()
    await electPreferred(cluster)
    await waitFor('the one from before', () => coordinatorOf(cluster) === before)
  },
}

describe('when the coordinator', { concurrency: false }, () => {
  for (const [what, move] of Object.entries(moves)) {
    test(`${what}, a classic group goes on in its generation, with its members and its offsets`, async () => {
      await using cluster = await started()
      const members = await groupOfTwo(cluster)
      const [one, other] = members
      assert.equal(await one.commit(42), NONE)
      const before = await one.group()
      await move(cluster)
      for (const member of members) assert.equal(await within('a heartbeat', member.heartbeat()), NONE)
      assert.deepEqual(await one.group(), before)
      assert.equal(before.groupState, 'Stable')
      assert.equal(await other.committed(), 42)
      assert.equal(await other.commit(43), NONE)
      for (const { client } of members) client.close()
    })
  }

  for (const [what, move] of Object.entries(moves)) {
    test(`${what}, a consumer group goes on in its epoch, and every member keeps what it has`, async () => {
      await using cluster = await started()
      const members = [new ConsumerMember(portsOf(cluster)), new ConsumerMember(portsOf(cluster))]
      await waitFor('one partition for each', async () => {
        for (const member of members) assert.equal(await member.heartbeat(), NONE)
        return members.every(({ partitions }) => partitions === 1) && members[0]!.epoch === members[1]!.epoch
      })
      const before = await members[0]!.group()
      assert.equal(before.groupState, 'Stable')
      await move(cluster)
      for (const member of members) {
        const { epoch } = member
        assert.equal(await within('a heartbeat', member.heartbeat()), NONE)
        assert.deepEqual([member.epoch, member.partitions], [epoch, 1])
      }
      assert.deepEqual(await members[0]!.group(), before)
      for (const { client } of members) client.close()
    })
  }

  test('goes away, whoever waits to join there is told, and who was settled stays so', async () => {
    await using cluster = await started()
    const one = new ClassicMember(portsOf(cluster))
    await one.sync(await one.join())
    // The leadership is not where it is preferred, so that an election moves it while its broker lives.
    await cluster.restart(coordinatorOf(cluster))
    await cluster.settled()
    assert.equal(await one.heartbeat(), NONE)

    const late = new ClassicMember(portsOf(cluster))
    const port = cluster.brokers.find(({ id }) => id === coordinatorOf(cluster))!.port
    late.memberId = (await late.joinAt(port)).memberId
    const waiting = late.joinAt(port)
    await waitFor('a rebalance', async () => (await one.heartbeat()) === ErrorCode.REBALANCE_IN_PROGRESS)
    await electPreferred(cluster)
    assert.equal((await within('the end of the wait', waiting)).errorCode, NOT_COORDINATOR)

    // The rebalance is forgotten with the coordinator that began it. Who was new is so again.
    assert.equal(await one.heartbeat(), NONE)
    const unknown = await late.joinAt(await late.client.coordinator())
    assert.equal(unknown.errorCode, UNKNOWN_MEMBER_ID)
    late.memberId = ''
    const joining = late.join()
    await waitFor('a rebalance', async () => (await one.heartbeat()) === ErrorCode.REBALANCE_IN_PROGRESS)
    await Promise.all([one.join(), joining])
    assert.equal(late.generation, one.generation)
    one.client.close()
    late.client.close()
  })

  test('is the only broker, and stops and starts again, its members stay', async (t) => {
    const data = await mkdtemp(join(tmpdir(), 'odradek-moves-'))
    t.after(() => rm(data, { recursive: true, force: true }))
    const broker = await startBroker({ data })
    const member = new ClassicMember([broker.port])
    await member.sync(await member.join())
    await broker.stop()
    await using again = await startBroker({ data, port: broker.port })
    assert.equal(await member.heartbeat(), NONE)
    assert.equal((await member.group()).groupState, 'Stable')
    member.client.close()
    assert.ok(again)
  })
})
