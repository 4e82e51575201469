// What happened to one group, as far back as there is room: the last happenings in words, and the last rebalances with their causes.

import type { Millis } from '../../../io/clock.ts'
import type { Happening, NotedMember } from './group-note.ts'
import { requestWords, wordsOf } from './happening-words.ts'
import { keptMember, objectBytes, weightOfMember, weightOfText } from './kept-text.ts'
import { type Rebalance, RebalanceUnderWay } from './rebalance.ts'

/** Happenings kept of one group. */
export const happeningsMax = 100
/** Rebalances kept of one group, the one under way included. */
export const rebalancesMax = 10
/** How long before a rebalance something may have happened and still be what caused it: both are told in the same step. */
const causeAgeMaxMs = 1_000

export interface KeptHappening {
  /** Wall time. */
  readonly at: Millis
  /** More than 1 for what happened again and again, with nothing between: `at` is the first of them, `lastAt` the last. */
  readonly times: number
  readonly lastAt: Millis
  readonly kind: Happening['kind']
  readonly member: NotedMember | null
  readonly words: string
}

export class GroupHistory {
  readonly #happenings: KeptHappening[] = []
  /** Those that have ended. */
  readonly #rebalances: { readonly rebalance: Rebalance; readonly weight: number }[] = []
  #underWay: RebalanceUnderWay | null = null
  /** What may be the cause of a rebalance that has not been told of yet. */
  #before: { readonly at: Millis; readonly words: string }[] = []
  /** When a cause of the rebalance under way was told last. */
  #lastCauseAt: Millis = -Infinity
  /** After the last rebalance; null where it is not known. */
  #members: number | null
  #weight = 0

  /** `members`: how many the group has now, null where that is not known. */
  constructor(members: number | null) {
    this.#members = members
  }

  /** Oldest first. */
  get happenings(): readonly KeptHappening[] {
    return this.#happenings
  }

  /** Oldest first. */
  get rebalances(): readonly Rebalance[] {
    const ended = this.#rebalances.map(({ rebalance }) => rebalance)
    return this.#underWay === null ? ended : [...ended, this.#underWay.running()]
  }

  /** Bytes it takes, about. */
  get weight(): number {
    return this.#weight + (this.#underWay?.weight ?? 0)
  }

  /** `at`: wall time. */
  add(what: Happening, at: Millis): void {
    const words = wordsOf(what, at)
    const last = this.#happenings.at(-1)
    // A consumer that assigns itself partitions commits every few seconds.
    if (what.kind === 'offsetsSet' && last?.words === words) {
      this.#happenings[this.#happenings.length - 1] = { ...last, times: last.times + 1, lastAt: at }
      return
    }
    const member = 'member' in what && what.member != null ? keptMember(what.member) : null
    this.#keep({ at, times: 1, lastAt: at, kind: what.kind, member, words })
    this.#follow(what, at, words)
  }

  #follow(what: Happening, at: Millis, words: string): void {
    switch (what.kind) {
      case 'coordinatorStarted':
        this.#interrupt()
        this.#members = what.state === 'Empty' ? 0 : null
        return
      case 'memberJoined':
      case 'memberReplaced':
      case 'memberLeft':
      case 'memberSilent':
      case 'memberDisconnected':
      case 'memberOverdue':
      case 'subscriptionChanged':
      case 'topicsChanged':
      case 'converted':
        if (this.#underWay !== null) this.#addCause(this.#underWay, words, at)
        else this.#before = [...this.#before.filter((each) => isRecent(each, at)), { at, words }].slice(-rebalancesMax)
        return
      case 'rebalanceStarted':
        this.#begin(what, at)
        return
      case 'assignmentChanged':
        this.#underWay?.addChange(what.member, what.gained, what.lost)
        return
      case 'rebalanceEnded': {
        // Of one that began before this broker was the coordinator only the end is known.
        const underWay = this.#underWay ?? new RebalanceUnderWay(at - what.durationMs, this.#members, this.#causes(at))
        this.#members = what.members
        this.#underWay = null
        this.#lastCauseAt = -Infinity
        this.#before = []
        this.#end(underWay.done(what), underWay.weight)
        return
      }
      case 'groupDeleted':
        this.#interrupt()
        this.#members = 0
        return
      case 'offsetsSet':
      case 'offsetsDeleted':
    }
  }

  /** Who asked for it, and why, is told where nothing else that happened just then says it: a member that joins asks as well. */
  #begin({ member, reason }: Happening & { kind: 'rebalanceStarted' }, at: Millis): void {
    if (this.#underWay === null) {
      const causes = this.#causes(at)
      this.#underWay = new RebalanceUnderWay(at, this.#members, causes)
      if (causes.length > 0) this.#lastCauseAt = at
    }
    this.#before = []
    const words = requestWords(member ?? null, reason)
    if (words !== null && at - this.#lastCauseAt > causeAgeMaxMs) this.#addCause(this.#underWay, words, at)
  }

  #addCause(rebalance: RebalanceUnderWay, words: string, at: Millis): void {
    rebalance.addCause(words)
    this.#lastCauseAt = at
  }

  #causes(at: Millis): readonly string[] {
    return this.#before.filter((each) => isRecent(each, at)).map(({ words }) => words)
  }

  #interrupt(): void {
    this.#before = []
    if (this.#underWay === null) return
    const underWay = this.#underWay
    this.#underWay = null
    this.#lastCauseAt = -Infinity
    this.#end(underWay.interrupted(), underWay.weight)
  }

  #end(rebalance: Rebalance, weight: number): void {
    this.#rebalances.push({ rebalance, weight })
    this.#weight += weight
    if (this.#rebalances.length >= rebalancesMax) this.#weight -= this.#rebalances.shift()!.weight
  }

  #keep(happening: KeptHappening): void {
    this.#happenings.push(happening)
    this.#weight += weightOf(happening)
    if (this.#happenings.length > happeningsMax) this.#weight -= weightOf(this.#happenings.shift()!)
  }
}

const isRecent = (one: { readonly at: Millis }, at: Millis): boolean => at - one.at <= causeAgeMaxMs

function weightOf({ words, member }: KeptHappening): number {
  return objectBytes + weightOfText(words) + (member === null ? 0 : weightOfMember(member))
}
