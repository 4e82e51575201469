// What a consumer group reads, all in all: when it is looked at again, and when it has changed so that the group needs a new target.

import type { Millis } from '../../../io/clock.ts'
import type { GroupEffect } from '../group-event.ts'
import { noted } from '../history/group-note.ts'
import type { ConsumerGroupContext } from './consumer-group-context.ts'
import type { ConsumerGroupRecord } from './consumer-group-record.ts'
import type { ConsumerGroupState, MemberChange } from './consumer-group-state.ts'
import { type ConsumerMember, regexOf } from './consumer-member.ts'
import { regexTimer } from './consumer-timers.ts'
import { refreshDue, RegexLookup } from './regex-subscription.ts'
import { type ResolvedRegexes, Subscriptions } from './subscriptions.ts'

/** It is looked at again after this long, should a change have been missed (Kafka: fixed). */
const refreshIntervalMs = 2_147_483_647

export interface NextEpoch {
  readonly epoch: number
  readonly records: readonly ConsumerGroupRecord[]
  readonly effects: readonly GroupEffect[]
}

export class GroupSubscription {
  readonly #groupId: string
  readonly #group: ConsumerGroupState
  readonly #context: ConsumerGroupContext
  /** Wall milliseconds after which the topics are looked at again. */
  #dueAt: Millis = 0
  /** Topics the group reads that have changed since they were last looked at. */
  readonly #changed = new Set<string>()
  #lookup: RegexLookup | 'wanted' | null = null

  constructor(groupId: string, group: ConsumerGroupState, context: ConsumerGroupContext) {
    this.#groupId = groupId
    this.#group = group
    this.#context = context
  }

  /** They are looked at with the next heartbeat. */
  topicsChanged(names: readonly string[]): void {
    for (const name of names) {
      if (!this.#group.subscriptions.reads(name)) continue
      this.#changed.add(name)
      this.#dueAt = 0
    }
  }

  /** What was decided on last did not come to be: whatever was seen is to be seen again. */
  lookAgain(): void {
    this.#dueAt = 0
  }

  /** The group's epoch from now on: the next one when its members read something else, or what they read has changed. */
  nextEpoch(change: MemberChange, membersReadAnew: boolean, now: Millis): NextEpoch {
    const { epoch, metadataHash, hasPartitionMetadata } = this.#group
    if (!membersReadAnew && now < this.#dueAt) return { epoch, records: [], effects: [] }
    const hash = this.#hashOf(this.#group.membersAfter(change), this.#group.regexes)
    const topicsChanged = hash !== metadataHash && !membersReadAnew
    const effects = topicsChanged ? [this.#topicsChanged([])] : []
    this.#lookedAt(now)
    const next = membersReadAnew || topicsChanged ? epoch + 1 : epoch
    const records: ConsumerGroupRecord[] = next > epoch ? [this.#epochRecord(next, hash)] : []
    if (hasPartitionMetadata) records.push({ kind: 'consumerPartitionMetadata', groupId: this.#groupId, value: null })
    return { epoch: next, records, effects }
  }

  /** With these members alone: the next epoch, and no regular expression that none of them has. */
  without(left: readonly ConsumerMember[]): ConsumerGroupRecord[] {
    const inUse = new Set(left.map(regexOf))
    const unused = [...this.#group.regexes.keys()].filter((regex) => !inUse.has(regex))
    return [
      ...unused.map((regex) => ({ kind: 'consumerRegex' as const, groupId: this.#groupId, regex, value: null })),
      this.#epochRecord(this.#group.epoch + 1, this.#hashOf(left, this.#group.regexes)),
    ]
  }

  /** Asks for a lookup of the group's regular expressions when one is due. `anyNew`: the member has one that no other had. */
  lookUpIfDue(before: ConsumerMember, now: ConsumerMember, anyNew: boolean, time: Millis): GroupEffect[] {
    if (this.#lookup !== null || (!anyNew && !this.#group.usesRegexes)) return []
    const inUse = new Set(this.#group.regexesInUse)
    const [old, regex] = [regexOf(before), regexOf(now)]
    if (old !== null && old !== regex && this.#group.membersWith(old) === 1) inUse.delete(old)
    if (regex !== null) inUse.add(regex)
    const rules = {
      intervalMs: this.#context.settings.consumerRegexRefreshIntervalMs,
      topicsCreatedIn: this.#context.topicsCreatedIn(),
      revision: this.#context.topics.revision,
    }
    if (!refreshDue(this.#group, { inUse: inUse.size, anyNew }, rules, time)) return []
    this.#lookup = 'wanted'
    return [regexTimer(this.#groupId)]
  }

  /** One turn of the lookup. With the last one comes what was found, and the next epoch if that is something else than before. */
  lookUp(now: Millis): { readonly moves: boolean; readonly effects: readonly GroupEffect[] } {
    if (this.#lookup === 'wanted' || this.#lookup === null) {
      this.#lookup = new RegexLookup(this.#group.regexesInUse, this.#context.topics, now)
    }
    const resolved = this.#lookup.advance()
    if (resolved === null) return { moves: false, effects: [regexTimer(this.#groupId)] }
    this.#lookup = null
    const records: ConsumerGroupRecord[] = []
    const regexes = new Map(this.#group.regexes)
    const changed = new Set<string>()
    for (const [regex, value] of resolved) {
      if (this.#group.membersWith(regex) === 0) continue
      for (const topic of difference(regexes.get(regex)?.topics ?? [], value.topics)) changed.add(topic)
      regexes.set(regex, value)
      records.push({ kind: 'consumerRegex', groupId: this.#groupId, regex, value })
    }
    const hash = this.#hashOf(this.#group.members, regexes)
    const moves = changed.size > 0 || hash !== this.#group.metadataHash
    const effects = moves ? [this.#topicsChanged([...changed])] : []
    if (moves) {
      records.push(this.#epochRecord(this.#group.epoch + 1, hash))
      this.#lookedAt(now)
    }
    return { moves, effects: records.length === 0 ? effects : [...effects, { kind: 'append', records }] }
  }

  #lookedAt(now: Millis): void {
    this.#dueAt = now + refreshIntervalMs
    this.#changed.clear()
  }

  #topicsChanged(found: readonly string[]): GroupEffect {
    return noted(this.#groupId, { kind: 'topicsChanged', topics: [...new Set([...found, ...this.#changed])] })
  }

  #hashOf(members: Iterable<ConsumerMember>, regexes: ResolvedRegexes): bigint {
    return this.#context.hashes.of(new Subscriptions(members, regexes).topics)
  }

  #epochRecord(epoch: number, metadataHash: bigint): ConsumerGroupRecord {
    return { kind: 'consumerEpoch', groupId: this.#groupId, value: { epoch, metadataHash } }
  }
}

/** What is in one and not in the other. */
function difference(one: readonly string[], other: readonly string[]): string[] {
  const [ones, others] = [new Set(one), new Set(other)]
  return [...one.filter((each) => !others.has(each)), ...other.filter((each) => !ones.has(each))]
}
