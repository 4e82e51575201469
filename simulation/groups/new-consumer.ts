// A consumer of the KIP-848 protocol, as Kafka's: heartbeats carry what it wants and owns, and bring what it is to own. It polls beside them,
// and only there partitions come and go.
//
//   joining ----- a heartbeat of epoch 0 is answered ---------> steady       with an epoch, and perhaps partitions
//   steady ------ an answer names other partitions -----------> reconciling  at the next poll: commits, gives up, takes, says so at once
//   reconciling - the heartbeat that says so is answered -----> steady
//   any --------- fenced, or unknown; polled too late --------> lost         nothing is its own any more; at the next poll it joins anew

import type { Millis } from '../../src/io/clock.ts'
import {
  consumerGroupHeartbeat,
  type ConsumerGroupHeartbeatResponse,
} from '../../src/protocol/apis/consumer-group-heartbeat.ts'
import { ErrorCode, errorName, isRetriable } from '../../src/protocol/error-code.ts'
import { Violation } from '../contracts.ts'
import { CoordinatorLine } from './coordinator-line.ts'
import { type MemberOptions, memberTiming, type MemberView, type SimulatedMember } from './member.ts'
import type { Membership } from './ownership.ts'
import { byTopic, partitionName } from './partition-name.ts'
import { type Committer, Processing } from './processing.ts'

const joiningEpoch = 0
const leavingEpoch = -1
/** KIP-345 in KIP-848: back soon. */
const leavingForNowEpoch = -2
const pollPauseMsMax: Millis = 200
/** After an answer that did not come, or helped nobody. */
const retryMs: Millis = 200

type Target = NonNullable<ConsumerGroupHeartbeatResponse['assignment']>['topicPartitions']

/** What the last heartbeat that was answered said; from then on only changes are said. */
interface Said {
  readonly topics: string
  readonly owned: string
}

export class NewConsumer implements SimulatedMember {
  readonly #options: MemberOptions
  readonly #line: CoordinatorLine
  readonly #processing: Processing
  readonly #memberId: string
  readonly #usesRegex: boolean
  readonly #assignor: string | null
  readonly #owned = new Set<string>()
  #topics: readonly string[]
  #epoch = joiningEpoch
  #membership: Membership | null = null
  #memberships = 0
  /** By topic id: it may name topics that it has not heard of yet. Null: what it has. */
  #target: Target | null = null
  #isLost = false
  #said: Said | null = null
  #heartbeatMs: Millis = memberTiming.heartbeatMs
  #lastPollMs: Millis = 0
  #lastRefreshMs: Millis = -Infinity
  #dawdleMs: Millis = 0
  #isOver = false
  #wake: () => void = () => {}

  constructor(options: MemberOptions) {
    this.#options = options
    const { client, group, commits, topics, instanceId } = options
    // What a static member wishes is the same in each of its lives.
    const wishes = client.world.random(`${instanceId ?? client.name} wishes`)
    this.#topics = topics
    this.#line = new CoordinatorLine(client, group)
    this.#processing = new Processing({ client, line: this.#line, group, commits })
    this.#memberId = Buffer.from(client.random.bytes(16)).toString('base64url')
    this.#usesRegex = wishes.chance(0.3)
    this.#assignor = wishes.pick([null, null, 'uniform', 'range'])
  }

  get view(): MemberView {
    return {
      memberId: this.#memberId,
      instanceId: this.#options.instanceId,
      epoch: this.#epoch,
      owned: this.#owned,
      topics: this.#topics,
      isSteady: this.#epoch > joiningEpoch && this.#target === null && !this.#isLost && !this.#hasNews,
    }
  }

  async run(): Promise<void> {
    this.#lastPollMs = this.#now
    await Promise.all([this.#pollOn(), this.#beatOn()])
  }

  async leave(): Promise<void> {
    const membership = this.#membership
    this.#isOver = true
    this.#wake()
    if (membership === null) return
    if (!this.#isLost) await this.#processing.commit(this.#owned, this.#committer())
    this.#lose()
    await this.#tellItLeaves()
  }

  died(): void {
    if (this.#membership !== null) this.#options.ownership.gone(this.#membership)
    this.#membership = null
  }

  subscribe(topics: readonly string[]): void {
    this.#topics = topics
    this.#wake()
  }

  dawdle(ms: Millis): void {
    this.#dawdleMs = ms
  }

  get #now(): Millis {
    return this.#options.client.world.clock.monotonic()
  }

  // ---- Polling

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
    if (this.#membership !== null) {
      // What it got from its last poll; whether its group has gone on without it, it may not know yet.
      this.#processing.work(this.#owned)
      if (client.random.chance(0.3)) await this.#commit()
    }
    if (this.#isLost) this.#forgetAll()
    if (this.#now - this.#lastRefreshMs > memberTiming.metadataAgeMsMax) {
      this.#lastRefreshMs = this.#now
      await client.refresh(...allTopics)
    }
    if (this.#membership === null) return
    if (this.#target !== null) {
      await this.#reconcile(this.#target)
      return
    }
    await this.#processing.resume(this.#owned, this.#committer())
  }

  async #commit(): Promise<void> {
    const { ownership } = this.#options
    const membership = this.#membership
    const asked = ownership.asking()
    const code = await this.#processing.commit(this.#owned, this.#committer())
    if (code === null || membership === null || membership !== this.#membership) return
    // The next heartbeat brings another epoch, or the news that there is none.
    if (code !== ErrorCode.STALE_MEMBER_EPOCH) this.#heard(code, 'OffsetCommit', membership, asked)
  }

  /** What is no longer its own is committed and given up before anything else is taken. */
  async #reconcile(target: Target): Promise<void> {
    const { ownership, client } = this.#options
    const membership = this.#membership
    const names = new Set<string>()
    for (const { topicId, partitions } of target) {
      const topic = client.nameOf(topicId)
      if (topic === undefined) return // Metadata will tell.
      for (const partition of partitions) names.add(partitionName(topic, partition))
    }
    if ([...this.#owned].some((name) => !names.has(name))) {
      await this.#commit()
      // The application's listener takes a while.
      await client.sleep(client.random.below(client.random.chance(0.2) ? 2000 : 100))
    }
    if (membership === null || membership !== this.#membership) return
    for (const name of this.#owned) {
      if (names.has(name)) continue
      this.#owned.delete(name)
      this.#processing.forget(name)
      ownership.gaveUp(membership, name)
    }
    for (const name of names) {
      if (this.#owned.has(name)) continue
      this.#owned.add(name)
      ownership.took(membership, name)
    }
    if (this.#target === target) this.#target = null
    this.#wake()
  }

  // ---- Heartbeats

  async #beatOn(): Promise<void> {
    const { client } = this.#options
    while (!this.#isOver) {
      if (this.#now - this.#lastPollMs > memberTiming.pollGapMsMax) {
        await this.#polledTooLate()
      } else if (!this.#isLost) {
        const isAnswered = await this.#beat()
        if (isAnswered && !this.#isOver && this.#hasNews && this.#membership !== null) continue
        if (!isAnswered) await client.sleep(client.random.below(retryMs))
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        void client.sleep(this.#membership === null ? retryMs : this.#heartbeatMs).then(resolve)
      })
    }
  }

  /** False: nobody answered, or to no avail. */
  async #beat(): Promise<boolean> {
    const { group, instanceId, ownership, client } = this.#options
    const membership = this.#membership
    const asked = ownership.asking()
    const said = this.#news
    const before = this.#said
    const isNew = (what: keyof Said) => before === null || before[what] !== said[what]
    const answer = await this.#line.ask(consumerGroupHeartbeat, 1, {
      groupId: group,
      memberId: this.#memberId,
      memberEpoch: this.#epoch,
      instanceId,
      rackId: before === null ? client.rack : null,
      rebalanceTimeoutMs: before === null ? memberTiming.pollGapMsMax : -1,
      subscribedTopicNames: isNew('topics') ? (this.#usesRegex ? [] : [...this.#topics]) : null,
      subscribedTopicRegex: isNew('topics') ? (this.#usesRegex ? this.#topics.join('|') : null) : null,
      serverAssignor: before === null ? this.#assignor : null,
      topicPartitions: isNew('owned') ? this.#ownedById() : null,
    })
    if (this.#isOver || membership !== this.#membership || this.#isLost) return false
    if (answer === null || answer.errorCode !== ErrorCode.NONE) this.#said = null
    if (answer === null) return false
    if (answer.errorCode !== ErrorCode.NONE) {
      this.#heard(answer.errorCode, 'ConsumerGroupHeartbeat', membership, asked)
      return false
    }
    this.#said = said
    this.#welcomed(answer, asked)
    return true
  }

  #welcomed({ memberEpoch, heartbeatIntervalMs, assignment }: ConsumerGroupHeartbeatResponse, asked: number): void {
    const { client, ownership } = this.#options
    if (this.#membership === null) {
      this.#memberships += 1
      this.#membership = { name: `${client.name} (${this.#memberId}, ${this.#memberships})` }
    }
    if (memberEpoch < this.#epoch || memberEpoch <= joiningEpoch) {
      throw new Violation(
        'member epochs go back only when a member joins anew',
        `${this.#membership.name} had ${this.#epoch}, and is given ${memberEpoch}`,
      )
    }
    this.#epoch = memberEpoch
    this.#heartbeatMs = heartbeatIntervalMs
    ownership.confirmed(this.#membership, asked)
    if (assignment !== null) this.#target = assignment.topicPartitions
  }

  async #polledTooLate(): Promise<void> {
    if (this.#membership === null) return
    this.#options.client.note('polled too late')
    const leaves = this.#tellItLeaves()
    this.#lose()
    await leaves
  }

  async #tellItLeaves(): Promise<void> {
    const { group, instanceId } = this.#options
    const memberEpoch = instanceId === null ? leavingEpoch : leavingForNowEpoch
    await this.#line.ask(consumerGroupHeartbeat, 1, {
      groupId: group,
      memberId: this.#memberId,
      memberEpoch,
      instanceId,
      rackId: null,
      subscribedTopicNames: null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: null,
    })
  }

  // ---- What the coordinator says

  #heard(code: ErrorCode, what: string, membership: Membership | null, asked: number): void {
    const { client, ownership } = this.#options
    this.#line.heard(code)
    if (code === ErrorCode.NONE) {
      if (membership !== null) ownership.confirmed(membership, asked)
    } else if (code === ErrorCode.FENCED_MEMBER_EPOCH || code === ErrorCode.UNKNOWN_MEMBER_ID) {
      this.#lose()
    } else if (code === ErrorCode.UNRELEASED_INSTANCE_ID && this.#memberships === 0) {
      client.note(`${what}: the last one with its instance id is still there`)
    } else if (code === ErrorCode.FENCED_INSTANCE_ID || code === ErrorCode.UNRELEASED_INSTANCE_ID) {
      client.note(`${what}: another process has its instance id`)
      this.#lose()
      this.#isOver = true
    } else if (!isRetriable(code)) {
      throw new Violation('a group is only refused what passes', `${client.name} ${what}: ${errorName(code)}`)
    }
  }

  #lose(): void {
    if (this.#membership !== null) this.#options.ownership.gone(this.#membership)
    this.#membership = null
    this.#epoch = joiningEpoch
    this.#target = null
    this.#said = null
    this.#isLost = true
  }

  #forgetAll(): void {
    for (const name of this.#owned) this.#processing.forget(name)
    this.#owned.clear()
    this.#isLost = false
    this.#wake()
  }

  get #news(): Said {
    return { topics: this.#topics.join(), owned: [...this.#owned].toSorted().join() }
  }

  get #hasNews(): boolean {
    const { topics, owned } = this.#news
    return this.#said?.topics !== topics || this.#said.owned !== owned
  }

  #ownedById() {
    const { client } = this.#options
    return byTopic(this.#owned).map(({ topic, partitions }) => {
      return { topicId: client.topic(topic)!.id, partitions: [...partitions] }
    })
  }

  #committer(): Committer {
    return {
      memberId: this.#memberId,
      instanceId: this.#options.instanceId,
      epoch: this.#epoch,
      by: `${this.#options.client.name} ${this.#memberships}`,
      protocol: 'consumer',
    }
  }
}
