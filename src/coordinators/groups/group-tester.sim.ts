// Speaks to a group's state machine as members would, and keeps what comes back: for tests of the rules, without log or clock.

import type { ReplyTo } from '../effect.ts'
import { type GroupConfigs, groupConfigsDefault } from './group-config.ts'
import type {
  CommitEvent,
  DeleteGroupsEvent,
  DeleteOffsetsEvent,
  FetchEvent,
  GroupEffect,
  GroupEvent,
  GroupTimerEvent,
  JoinEvent,
  SyncEvent,
} from './group-event.ts'
import type { GroupRecord } from './group-record.ts'
import { type GroupSettings, groupSettingsDefault } from './group-settings.ts'
import { GroupShard } from './group-shard.ts'
import type { Happening } from './history/group-note.ts'
import { SimulatedTopics } from './topics-view.sim.ts'

export interface Timer {
  readonly dueAt: number
  readonly event: GroupEvent
}

export interface JoinOptions {
  readonly group?: string
  readonly memberId?: string
  readonly instanceId?: string | null
  readonly protocols?: readonly (readonly [name: string, metadata: string | Uint8Array])[]
  readonly reason?: string
  readonly protocolType?: string
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
  readonly version?: number
  readonly connectionId?: number
  /** The id the member gets should it need one. */
  readonly newMemberId?: string
}

const groupId = 'g'

export class GroupTester {
  shard: GroupShard
  readonly settings: GroupSettings
  readonly topics = new SimulatedTopics()
  /** May be replaced at any time. */
  configs: GroupConfigs = groupConfigsDefault
  readonly #configs: GroupConfigs = { consumerGroup: (id) => this.configs.consumerGroup(id) }
  now = 1_000_000
  /** Every effect so far, in order. */
  readonly effects: GroupEffect[] = []
  readonly records: GroupRecord[] = []
  readonly notes: Happening[] = []
  readonly timers = new Map<string, Timer>()
  readonly #answers = new Map<number, unknown>()
  #nextReply = 1
  #nextMember = 1

  constructor(settings: Partial<GroupSettings> = {}) {
    this.settings = { ...groupSettingsDefault, ...settings }
    this.shard = new GroupShard({ settings: this.settings, configs: this.#configs, topics: this.topics })
    this.#perform(this.shard.loaded(this.now))
  }

  /** Runs one event as the runtime would: effects in order, appends applied at once. */
  step(event: GroupEvent): readonly GroupEffect[] {
    const effects = this.shard.step(event, this.now)
    this.#perform(effects)
    return effects
  }

  /** A new machine that knows only what was appended. Everybody who waited is forgotten. */
  restart(): void {
    this.shard = new GroupShard({ settings: this.settings, configs: this.#configs, topics: this.topics })
    for (const record of this.records) this.shard.apply(record, -1)
    this.timers.clear()
    this.#perform(this.shard.loaded(this.now))
  }

  /** The answer, or undefined while the request waits. */
  answer<Response>(replyTo: ReplyTo<Response>): Response | undefined {
    return this.#answers.get(replyTo) as Response | undefined
  }

  /** Lets time pass; timers fire in order. */
  advance(ms: number): void {
    const until = this.now + ms
    for (;;) {
      const next = [...this.timers].toSorted(([, one], [, other]) => one.dueAt - other.dueAt)[0]
      if (next === undefined || next[1].dueAt > until) break
      this.timers.delete(next[0])
      this.now = next[1].dueAt
      this.step(next[1].event)
    }
    this.now = until
  }

  fire(event: GroupTimerEvent): readonly GroupEffect[] {
    return this.step(event)
  }

  join(options: JoinOptions = {}): JoinEvent['replyTo'] {
    const event = this.joinEvent(options)
    this.step(event)
    return event.replyTo
  }

  joinEvent(options: JoinOptions = {}): JoinEvent {
    const protocols = options.protocols ?? [['range', 'm']]
    return {
      kind: 'join',
      groupId: options.group ?? groupId,
      replyTo: this.#reply(),
      sender: this.#sender(options.version ?? 9, options.connectionId ?? 1),
      newMemberId: options.newMemberId ?? `member-${this.#nextMember++}`,
      request: {
        groupId: options.group ?? groupId,
        sessionTimeoutMs: options.sessionTimeoutMs ?? 10_000,
        rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 60_000,
        memberId: options.memberId ?? '',
        groupInstanceId: options.instanceId ?? null,
        protocolType: options.protocolType ?? 'consumer',
        protocols: protocols.map(([name, metadata]) => ({ name, metadata: Buffer.from(metadata) })),
        reason: options.reason ?? null,
      },
    }
  }

  sync(
    memberId: string,
    generationId: number,
    assignments: Readonly<Record<string, string | Uint8Array>> = {},
    options: { instanceId?: string; protocolType?: string; protocolName?: string; connectionId?: number } = {},
  ): SyncEvent['replyTo'] {
    const replyTo: SyncEvent['replyTo'] = this.#reply()
    this.step({
      kind: 'sync',
      groupId,
      replyTo,
      sender: this.#sender(5, options.connectionId ?? 1),
      request: {
        groupId,
        generationId,
        memberId,
        groupInstanceId: options.instanceId ?? null,
        protocolType: options.protocolType ?? null,
        protocolName: options.protocolName ?? null,
        assignments: Object.entries(assignments).map(([id, text]) => ({ memberId: id, assignment: Buffer.from(text) })),
      },
    })
    return replyTo
  }

  /** The error code. */
  heartbeat(memberId: string, generationId: number, instanceId: string | null = null, connectionId = 1): number {
    const replyTo = this.#reply<{ errorCode: number }>()
    const request = { groupId, generationId, memberId, groupInstanceId: instanceId }
    this.step({ kind: 'heartbeat', groupId, replyTo: replyTo as never, sender: this.#sender(4, connectionId), request })
    return this.answer(replyTo)!.errorCode
  }

  /** The error codes of the members. */
  leave(...members: readonly { memberId?: string; instanceId?: string; reason?: string }[]): number[] {
    const replyTo = this.#reply<{ members: { errorCode: number }[] }>()
    const leaving = members.map(({ memberId = '', instanceId = null, reason = null }) => ({
      memberId,
      groupInstanceId: instanceId,
      reason,
    }))
    this.step({ kind: 'leave', groupId, replyTo: replyTo as never, members: leaving })
    return this.answer(replyTo)!.members.map(({ errorCode }) => errorCode)
  }

  /** The error code of the only partition. */
  commit(
    offset: number,
    options: {
      group?: string
      memberId?: string
      generation?: number
      instanceId?: string | null
      version?: number
      topic?: string
      partition?: number
      metadata?: string | null
      retentionTimeMs?: number
      topicId?: string
    } = {},
  ): number {
    const replyTo: CommitEvent['replyTo'] = this.#reply()
    this.step({
      kind: 'commitOffsets',
      groupId: options.group ?? groupId,
      replyTo,
      sender: this.#sender(options.version ?? 9, 1),
      request: {
        groupId: options.group ?? groupId,
        generationIdOrMemberEpoch: options.generation ?? -1,
        memberId: options.memberId ?? '',
        groupInstanceId: options.instanceId ?? null,
        retentionTimeMs: options.retentionTimeMs ?? -1,
        topics: [
          {
            name: options.topic ?? 't',
            topicId: options.topicId ?? 'AAAAAAAAAAAAAAAAAAAAAA',
            partitions: [
              {
                partitionIndex: options.partition ?? 0,
                committedOffset: offset,
                committedLeaderEpoch: -1,
                committedMetadata: options.metadata ?? null,
              },
            ],
          },
        ],
      },
    })
    return this.answer(replyTo)!.topics[0]!.partitions[0]!.errorCode
  }

  fetch(
    options: {
      group?: string
      topic?: string
      partition?: number
      topicId?: string
      requireStable?: boolean
    } = {},
  ) {
    const replyTo = this.#reply<{
      topics: { partitions: { committedOffset: number; errorCode: number; metadata: string | null }[] }[]
    }>()
    this.step({
      kind: 'fetchOffsets',
      groupId: options.group ?? groupId,
      replyTo: replyTo as never,
      topics: [
        {
          name: options.topic ?? 't',
          topicId: options.topicId ?? 'AAAAAAAAAAAAAAAAAAAAAA',
          partitionIndexes: [options.partition ?? 0],
        },
      ],
      memberId: null,
      memberEpoch: -1,
      requireStable: options.requireStable ?? false,
    })
    return this.answer(replyTo)!.topics[0]!.partitions[0]!
  }

  /** Of the whole group: the answer as it is. */
  fetchAll(options: { group?: string; memberId?: string | null; memberEpoch?: number; requireStable?: boolean } = {}) {
    const replyTo: FetchEvent['replyTo'] = this.#reply()
    this.step({
      kind: 'fetchOffsets',
      groupId: options.group ?? groupId,
      replyTo,
      topics: null,
      memberId: options.memberId ?? null,
      memberEpoch: options.memberEpoch ?? -1,
      requireStable: options.requireStable ?? false,
    })
    return this.answer(replyTo)!
  }

  /** The error code of the only partition, or of the whole answer. */
  deleteOffsets(topic = 't', options: { group?: string; partition?: number } = {}): number {
    const replyTo: DeleteOffsetsEvent['replyTo'] = this.#reply()
    const topics = [{ name: topic, partitions: [{ partitionIndex: options.partition ?? 0 }] }]
    this.step({ kind: 'deleteOffsets', groupId: options.group ?? groupId, replyTo, topics })
    const { errorCode, topics: answered } = this.answer(replyTo)!
    return answered[0]?.partitions[0]?.errorCode ?? errorCode
  }

  /** The error codes, in order. */
  deleteGroups(...groupIds: readonly string[]): number[] {
    const replyTo: DeleteGroupsEvent['replyTo'] = this.#reply()
    this.step({ kind: 'deleteGroups', groupIds, replyTo })
    return this.answer(replyTo)!.map(({ errorCode }) => errorCode)
  }

  describe(group = groupId, apiVersion = 6) {
    const replyTo = this.#reply<{
      errorCode: number
      groupState: string
      protocolType: string
      protocolData: string
      members: { memberId: string; memberAssignment: Uint8Array; memberMetadata: Uint8Array }[]
    }>()
    this.step({ kind: 'describe', groupId: group, replyTo: replyTo as never, apiVersion })
    return this.answer(replyTo)!
  }

  list(states: readonly string[] = [], types: readonly string[] = []) {
    const replyTo = this.#reply<{ groupId: string; groupState: string; protocolType: string; groupType: string }[]>()
    this.step({ kind: 'list', replyTo, states: new Set(states), types: new Set(types) })
    return this.answer(replyTo)!
  }

  /** A dynamic member joins as clients do since version 4: asked for its id, then with it. */
  enter(options: JoinOptions = {}): { readonly memberId: string; readonly replyTo: JoinEvent['replyTo'] } {
    const { memberId } = this.answer(this.join(options))!
    return { memberId, replyTo: this.join({ ...options, memberId }) }
  }

  /** A stable group of `count` members, all of the same protocol; the first one leads. */
  stable(count: number, options: JoinOptions = {}): { readonly ids: string[]; readonly generation: number } {
    const members = Array.from({ length: count }, () => this.enter(options))
    this.advance(2 * this.settings.initialRebalanceDelayMs)
    const ids = members.map(({ memberId }) => memberId)
    const { generationId } = this.answer(members[0]!.replyTo)!
    for (const id of ids.slice(1)) this.sync(id, generationId)
    this.sync(ids[0]!, generationId, Object.fromEntries(ids.map((id) => [id, `a-${id}`])))
    return { ids, generation: generationId }
  }

  #perform(effects: readonly GroupEffect[]): void {
    for (const effect of effects) {
      this.effects.push(effect)
      switch (effect.kind) {
        case 'append':
          for (const record of effect.records) {
            this.records.push(record)
            this.shard.apply(record, -1)
          }
          break
        case 'reply':
          if (this.#answers.has(effect.replyTo)) throw new Error(`request ${effect.replyTo} is answered twice`)
          this.#answers.set(effect.replyTo, effect.response)
          break
        case 'setTimer':
          this.timers.set(effect.key, { dueAt: this.now + effect.afterMs, event: effect.event })
          break
        case 'cancelTimer':
          this.timers.delete(effect.key)
          break
        case 'note':
          this.notes.push(effect.note.what)
      }
    }
  }

  #sender(apiVersion: number, connectionId: number) {
    return { apiVersion, clientId: 'client', clientHost: '/127.0.0.1', connectionId }
  }

  #reply<Response>(): ReplyTo<Response> {
    return this.#nextReply++
  }
}
