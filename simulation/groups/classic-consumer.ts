// A consumer of the classic protocol, as Kafka's: one loop polls, works, commits and joins; another sends heartbeats beside it.
//
//   out ----- a poll --------------------------> joining    eager: commits and gives up all; cooperative: keeps what it has
//   joining - JoinGroup is answered -----------> syncing    or still out: refused, or nobody answered
//   syncing - SyncGroup brings the assignment -> stable     cooperative: what it has to give up goes, and it joins once more
//   stable -- REBALANCE_IN_PROGRESS, its own wish (other topics, more partitions) -> out, at its next poll
//   any ----- unknown, of an old generation, polled too late -> out, and what it had is lost

import type { Millis } from '../../src/io/clock.ts'
import { heartbeat } from '../../src/protocol/apis/heartbeat.ts'
import { joinGroup, type JoinGroupResponse } from '../../src/protocol/apis/join-group.ts'
import { leaveGroup } from '../../src/protocol/apis/leave-group.ts'
import { syncGroup } from '../../src/protocol/apis/sync-group.ts'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../src/protocol/consumer-protocol.ts'
import { ErrorCode, errorName, isRetriable } from '../../src/protocol/error-code.ts'
import { Violation } from '../contracts.ts'
import { type AssignedMember, type ClientAssignor, cooperativeSticky, range } from './client-assignors.ts'
import { CoordinatorLine } from './coordinator-line.ts'
import { type MemberOptions, memberTiming, type MemberView, type SimulatedMember } from './member.ts'
import type { Membership, Moment } from './ownership.ts'
import { byTopic, namesOf, type TopicPartitions } from './partition-name.ts'
import { type Committer, Processing } from './processing.ts'
import { Tenure } from './tenure.ts'

export type ClassicMode = 'eager' | 'cooperative'

interface OwnMembership extends Membership {
  /** The last generation whose assignment it got. */
  generation: number
  assigned: string
}

const assignors: Readonly<Record<ClassicMode, { readonly name: string; readonly assign: ClientAssignor }>> = {
  eager: { name: 'range', assign: range },
  cooperative: { name: 'cooperative-sticky', assign: cooperativeSticky },
}
const protocolType = 'consumer'
/** Beyond the time that a join may wait for others. */
const joinMarginMs: Millis = 2000
const pollPauseMsMax: Millis = 200

export class ClassicConsumer implements SimulatedMember {
  readonly #options: MemberOptions
  readonly #mode: ClassicMode
  readonly #line: CoordinatorLine
  readonly #processing: Processing
  readonly #owned = new Set<string>()
  #topics: readonly string[]
  #phase: 'out' | 'joining' | 'syncing' | 'stable' = 'out'
  #wantsToJoin = true
  #memberId = ''
  #generation = -1
  #membership: OwnMembership | null = null
  readonly #tenure = new Tenure()
  /** It is out, and learns it at its next poll. */
  #isLost = false
  /** Has given up, before a rebalance, what that takes. */
  #isPrepared = false
  /** What the leader assigned from; null: another one leads. */
  #assignedFrom: string | null = null
  #lastPollMs: Millis = 0
  #lastRefreshMs: Millis = -Infinity
  #dawdleMs: Millis = 0
  #isOver = false

  constructor(options: MemberOptions, mode: ClassicMode) {
    this.#options = options
    this.#mode = mode
    this.#topics = options.topics
    const { client, group, commits } = options
    this.#line = new CoordinatorLine(client, group)
    this.#processing = new Processing({ client, line: this.#line, group, commits })
  }

  get view(): MemberView {
    return {
      memberId: this.#memberId,
      instanceId: this.#options.instanceId,
      epoch: this.#generation,
      owned: this.#owned,
      topics: this.#topics,
      isSteady: this.#phase === 'stable' && !this.#wantsToJoin && !this.#isLost,
    }
  }

  async run(): Promise<void> {
    this.#lastPollMs = this.#now
    await Promise.all([this.#pollOn(), this.#beat()])
  }

  async leave(): Promise<void> {
    const { ownership, group, instanceId } = this.#options
    const membership = this.#membership
    this.#isOver = true
    if (membership === null) return
    if (!this.#isLost) await this.#processing.commit(this.#owned, this.#committer())
    ownership.gone(membership)
    this.#owned.clear()
    this.#membership = null
    // KIP-345: a static member says nothing, and comes back.
    if (instanceId !== null) return
    const members = [{ memberId: this.#memberId, groupInstanceId: null, reason: 'the consumer is being closed' }]
    await this.#line.ask(leaveGroup, 5, { groupId: group, members })
  }

  died(): void {
    if (this.#membership !== null) this.#options.ownership.gone(this.#membership)
    this.#membership = null
  }

  subscribe(topics: readonly string[]): void {
    this.#topics = topics
    this.#wantsToJoin = true
  }

  dawdle(ms: Millis): void {
    this.#dawdleMs = ms
  }

  get #now(): Millis {
    return this.#options.client.world.clock.monotonic()
  }

  async #pollOn(): Promise<void> {
    const { client } = this.#options
    while (!this.#isOver) {
      const dawdleMs = this.#dawdleMs
      this.#dawdleMs = 0
      await client.sleep(dawdleMs + client.random.below(pollPauseMsMax))
      if (this.#isOver) return
      this.#lastPollMs = this.#now
      await this.#poll()
      this.#lastPollMs = this.#now
    }
  }

  async #poll(): Promise<void> {
    const { client, allTopics } = this.#options
    if (this.#phase === 'stable') {
      // What it got from its last poll; whether its group has gone on without it, it may not know yet.
      this.#processing.work(this.#owned)
      if (client.random.chance(0.3)) await this.#commit()
    }
    if (this.#isLost) this.#forgetAll()
    if (this.#now - this.#lastRefreshMs > memberTiming.metadataAgeMsMax) {
      this.#lastRefreshMs = this.#now
      await client.refresh(...allTopics)
      if (this.#assignedFrom !== null && this.#assignedFrom !== this.#counted()) this.#wantsToJoin = true
    }
    if (this.#phase !== 'stable' || this.#wantsToJoin) {
      await this.#join()
      return
    }
    const said = await this.#processing.resume(this.#owned, this.#committer())
    if (said !== ErrorCode.NONE && !isRetriable(said)) this.#impossible('OffsetFetch', said)
  }

  async #commit(): Promise<void> {
    const { ownership } = this.#options
    const membership = this.#membership
    const asked = ownership.asking()
    const code = await this.#processing.commit(this.#owned, this.#committer())
    if (code === null || membership === null || membership !== this.#membership) return
    this.#heard(code, 'OffsetCommit', membership, asked)
  }

  // ---- Joining

  async #join(): Promise<void> {
    if (this.#options.allTopics.some((topic) => this.#options.client.topic(topic) === undefined)) return
    await this.#prepare()
    if (this.#isLost) this.#forgetAll()
    const joined = await this.#askToJoin()
    if (joined === null || this.#isOver) return
    // A heartbeat from before may have said so meanwhile.
    if (this.#isLost) this.#forgetAll()
    const assigned = await this.#sync(joined)
    if (assigned === null) {
      if (this.#phase === 'syncing') this.#phase = 'out'
      this.#wantsToJoin = true
      return
    }
    this.#take(new Set(namesOf(assigned)))
  }

  /** Before the first try: what is done is committed, and those who rebalance eagerly stop. */
  async #prepare(): Promise<void> {
    if (this.#isPrepared) return
    this.#isPrepared = true
    if (this.#membership === null) return
    if (this.#owned.size > 0) await this.#commit()
    const ends = [...this.#owned].filter((name) => this.#mode === 'eager' || !this.#reads(name))
    for (const name of ends) this.#giveUp(name)
  }

  async #askToJoin(): Promise<JoinGroupResponse | null> {
    const { group, instanceId, ownership, isMixed } = this.#options
    const topics = this.#topics
    this.#phase = 'joining'
    this.#wantsToJoin = false
    this.#assignedFrom = null
    const asked = ownership.asking()
    const askedMs = this.#now
    const metadata = consumerProtocolSubscription.encode({
      topics: [...topics],
      userData: null,
      ownedPartitions: byTopic(this.#owned).map(({ topic, partitions }) => ({ topic, partitions: [...partitions] })),
      generationId: this.#membership?.generation ?? -1,
      rackId: null,
    })
    const body = {
      groupId: group,
      sessionTimeoutMs: memberTiming.sessionTimeoutMs,
      rebalanceTimeoutMs: memberTiming.pollGapMsMax,
      memberId: this.#memberId,
      groupInstanceId: instanceId,
      protocolType,
      protocols: [{ name: assignors[this.#mode].name, metadata }],
      reason: null,
    }
    const answer = await this.#line.ask(joinGroup, 9, body, memberTiming.pollGapMsMax + joinMarginMs)
    this.#phase = 'out'
    if (answer === null) return null
    if (answer.errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
      this.#memberId = answer.memberId
      return this.#askToJoin()
    }
    if (answer.errorCode !== ErrorCode.NONE) {
      this.#heard(answer.errorCode, 'JoinGroup', this.#membership, asked)
      return null
    }
    const { memberId, generationId } = answer
    if (this.#membership !== null && memberId !== this.#memberId) {
      throw new Violation('a member keeps its id', `${this.#membership.name} is called ${memberId} when it rejoins`)
    }
    this.#memberId = memberId
    this.#generation = generationId
    this.#isPrepared = false
    this.#membership ??= { name: `${this.#options.client.name} (${memberId})`, generation: -1, assigned: '' }
    if (generationId < this.#membership.generation) {
      const last = this.#membership.generation
      const what = `${this.#membership.name} joined generation ${generationId} after ${last}`
      throw new Violation('generations only grow', what)
    }
    // A static member that is late stays in the group, and learns only now that a generation went by without it.
    if (isMixed) this.#tenure.joined(askedMs, this.#now)
    if (instanceId === null) this.#confirm(this.#membership, asked)
    else if (generationId > this.#membership.generation + 1) ownership.missed(this.#membership)
    this.#phase = 'syncing'
    return answer
  }

  async #sync({
    leader,
    members,
    skipAssignment,
    protocolName,
  }: JoinGroupResponse): Promise<readonly TopicPartitions[] | null> {
    const { group, instanceId, ownership } = this.#options
    const membership = this.#membership!
    const isLeader = leader === this.#memberId
    if (isLeader) this.#assignedFrom = this.#counted()
    const asked = ownership.asking()
    const answer = await this.#line.ask(syncGroup, 5, {
      groupId: group,
      generationId: this.#generation,
      memberId: this.#memberId,
      groupInstanceId: instanceId,
      protocolType,
      protocolName,
      assignments: isLeader && !skipAssignment ? this.#assignments(members) : [],
    })
    if (answer === null || membership !== this.#membership || this.#isOver) return null
    if (answer.errorCode !== ErrorCode.NONE) {
      this.#heard(answer.errorCode, 'SyncGroup', membership, asked)
      return null
    }
    return consumerProtocolAssignment.decode(answer.assignment).assignedPartitions
  }

  #assignments(members: JoinGroupResponse['members']) {
    const { client } = this.#options
    const described = members.map(({ memberId, groupInstanceId, metadata }): AssignedMember => {
      const { topics, ownedPartitions, generationId } = consumerProtocolSubscription.decode(metadata)
      const owned = namesOf(ownedPartitions)
      return { memberId, instanceId: groupInstanceId, topics, owned, ownedSince: generationId }
    })
    const read = new Set(described.flatMap(({ topics }) => topics))
    const counts = new Map([...read].toSorted().map((topic) => [topic, client.topic(topic)?.partitions.length ?? 0]))
    const assigned = assignors[this.#mode].assign(described, counts)
    return [...assigned].map(([memberId, names]) => {
      const assignedPartitions = byTopic(names).map(({ topic, partitions }) => ({ topic, partitions: [...partitions] }))
      return { memberId, assignment: consumerProtocolAssignment.encode({ assignedPartitions, userData: null }) }
    })
  }

  #take(assigned: ReadonlySet<string>): void {
    const { ownership, isMixed } = this.#options
    const membership = this.#membership!
    const names = [...assigned].toSorted().join()
    if (!isMixed && membership.generation === this.#generation && membership.assigned !== names) {
      const what = `${membership.name} was given ${membership.assigned} in generation ${this.#generation}, and is given ${names}`
      throw new Violation('a generation has one assignment', what)
    }
    membership.generation = this.#generation
    membership.assigned = names
    this.#phase = 'stable'
    // It has changed its mind since, or had other topics in its last life.
    if ([...assigned].some((name) => !this.#reads(name))) {
      this.#wantsToJoin = true
      return
    }
    for (const name of this.#owned) {
      if (assigned.has(name)) continue
      this.#giveUp(name)
      this.#wantsToJoin = true
    }
    for (const name of assigned) {
      if (this.#owned.has(name)) continue
      this.#owned.add(name)
      ownership.took(membership, name)
    }
    if (this.#tenure.isInDoubt) ownership.readmitted(membership)
    this.#tenure.assigned()
  }

  // ---- Heartbeats

  async #beat(): Promise<void> {
    const { client, group, instanceId, ownership } = this.#options
    while (!this.#isOver) {
      await client.sleep(memberTiming.heartbeatMs)
      const membership = this.#membership
      if (this.#isOver || membership === null || this.#isLost) continue
      if (this.#phase !== 'stable' && this.#phase !== 'syncing') continue
      if (this.#now - this.#lastPollMs > memberTiming.pollGapMsMax) {
        await this.#polledTooLate(membership)
        continue
      }
      const asked = ownership.asking()
      const askedMs = this.#now
      const generationId = this.#generation
      const body = { groupId: group, generationId, memberId: this.#memberId, groupInstanceId: instanceId }
      const answer = await this.#line.ask(heartbeat, 4, body)
      this.#tenure.beaten(askedMs, this.#phase === 'stable' && answer?.errorCode === ErrorCode.NONE)
      if (answer === null || membership !== this.#membership || generationId !== this.#generation) continue
      this.#heard(answer.errorCode, 'Heartbeat', membership, asked)
    }
  }

  /** The application hangs, it seems: others shall have the partitions. A static member is silent from here on. */
  async #polledTooLate(membership: Membership): Promise<void> {
    const { group, instanceId, client } = this.#options
    client.note('polled too late')
    const memberId = this.#memberId
    if (membership === this.#membership) this.#lose()
    if (instanceId !== null) return
    const members = [{ memberId, groupInstanceId: null, reason: 'the poll interval is over' }]
    await this.#line.ask(leaveGroup, 5, { groupId: group, members })
  }

  // ---- What the coordinator says

  #heard(code: ErrorCode, what: string, membership: OwnMembership | null, asked: number): void {
    this.#line.heard(code)
    const { client } = this.#options
    if (code === ErrorCode.NONE || code === ErrorCode.REBALANCE_IN_PROGRESS) {
      if (membership !== null && this.#phase !== 'out') this.#confirm(membership, asked)
      if (code === ErrorCode.REBALANCE_IN_PROGRESS) this.#wantsToJoin = true
    } else if (code === ErrorCode.FENCED_INSTANCE_ID) {
      client.note(`${what}: another process has its instance id`)
      this.#lose()
      this.#isOver = true
    } else if (code === ErrorCode.UNKNOWN_MEMBER_ID || code === ErrorCode.ILLEGAL_GENERATION) {
      this.#lose()
      if (code === ErrorCode.UNKNOWN_MEMBER_ID) this.#memberId = ''
    } else if (!isRetriable(code)) {
      this.#impossible(what, code)
    }
  }

  #confirm(membership: OwnMembership, asked: Moment): void {
    if (!this.#tenure.isInDoubt) this.#options.ownership.confirmed(membership, asked)
  }

  #lose(): void {
    if (this.#membership !== null) this.#options.ownership.gone(this.#membership)
    this.#membership = null
    this.#tenure.ended()
    this.#generation = -1
    this.#phase = 'out'
    this.#isLost = true
    this.#wantsToJoin = true
  }

  #forgetAll(): void {
    this.#isLost = false
    for (const name of this.#owned) this.#processing.forget(name)
    this.#owned.clear()
  }

  #giveUp(name: string): void {
    this.#owned.delete(name)
    this.#processing.forget(name)
    if (this.#membership !== null) this.#options.ownership.gaveUp(this.#membership, name)
  }

  #reads(name: string): boolean {
    return byTopic([name]).every(({ topic }) => this.#topics.includes(topic))
  }

  /** Partitions of every topic, as it sees them now. */
  #counted(): string {
    const { client, allTopics } = this.#options
    return allTopics.map((topic) => `${topic} ${client.topic(topic)?.partitions.length ?? 0}`).join()
  }

  #committer(): Committer {
    return {
      memberId: this.#memberId,
      instanceId: this.#options.instanceId,
      epoch: this.#generation,
      by: `${this.#options.client.name} ${this.#generation}`,
      protocol: 'classic',
    }
  }

  #impossible(what: string, code: ErrorCode): never {
    throw new Violation(
      'a group is only refused what passes',
      `${this.#options.client.name} ${what}: ${errorName(code)}`,
    )
  }
}
