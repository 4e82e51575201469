// Members that read topics by regular expression (KIP-848). What an expression stands for is looked up for the whole group at once,
// kept in the log, and looked up again when topics are created, and from time to time.

import type { Millis } from '../../../io/clock.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import type { ConsumerGroupRecord, ResolvedRegex } from './consumer-group-record.ts'
import type { ConsumerGroupState } from './consumer-group-state.ts'
import { type ConsumerMember, regexOf } from './consumer-member.ts'
import type { Refusal } from './heartbeat-answer.ts'
import type { TopicsView } from '../topics-view.ts'
import { compileTopicRegex, TopicScan } from './topic-regex.ts'

/** Expressions of a group are not looked up again sooner than this. */
const refreshIntervalMsMin = 10_000

export interface RegexChange {
  /** Another one than before, or none any more. */
  readonly changed: boolean
  /** It is known already what the member reads now: the group needs a new assignment. */
  readonly resolved: boolean
  /** No member had it: it must be looked up. */
  readonly isNew: boolean
  readonly records: readonly ConsumerGroupRecord[]
}

const noChange: RegexChange = { changed: false, resolved: false, isNew: false, records: [] }

/** What follows from the expression a member has now; refused when it is none. */
export function regexChange(
  group: ConsumerGroupState,
  groupId: string,
  before: ConsumerMember,
  now: ConsumerMember,
): RegexChange | Refusal {
  if (before.subscribedTopicRegex === now.subscribedTopicRegex) return noChange
  const [old, regex] = [regexOf(before), regexOf(now)]
  const isLast = old !== null && group.membersWith(old) === 1
  const records: ConsumerGroupRecord[] = isLast ? [{ kind: 'consumerRegex', groupId, regex: old, value: null }] : []
  if (regex === null) return { changed: true, resolved: old !== null, isNew: false, records }
  if (group.membersWith(regex) > 0) {
    return { changed: true, resolved: group.regexes.has(regex), isNew: false, records }
  }
  const compiled = compileTopicRegex(regex)
  if (!compiled.ok) return { code: ErrorCode.INVALID_REGULAR_EXPRESSION, message: compiled.message }
  return { changed: true, resolved: false, isNew: true, records }
}

export interface RefreshRules {
  readonly intervalMs: Millis
  /** Revision of the cluster's metadata in which a topic was last created. */
  readonly topicsCreatedIn: number
  /** Of the cluster's metadata now. */
  readonly revision: number
}

/** Whether the group's expressions must be looked up. `inUse`: those its members will have; `anyNew`: one of them was in no use. */
export function refreshDue(
  group: ConsumerGroupState,
  { inUse, anyNew }: { readonly inUse: number; readonly anyNew: boolean },
  { intervalMs, topicsCreatedIn, revision }: RefreshRules,
  now: Millis,
): boolean {
  if (inUse === 0) return false
  // All were looked up together.
  const [last] = group.regexes.values()
  if (last === undefined) return true
  // One that another broker made later than it is here, by its clock, says nothing of the time since.
  if (now < last.timestamp) return true
  if (now <= last.timestamp + refreshIntervalMsMin) return false
  if (anyNew || inUse !== group.regexes.size || last.version < topicsCreatedIn) return true
  if (last.version > revision) return true // looked up in another cluster, whose log this was
  return now > last.timestamp + intervalMs
}

/** Looks up a group's expressions, all together, in as many turns as it takes. */
export class RegexLookup {
  readonly #scan: TopicScan
  readonly #regexes: readonly string[]
  readonly #version: number
  readonly #startedAt: Millis

  constructor(regexes: Iterable<string>, topics: TopicsView, now: Millis) {
    this.#regexes = [...regexes]
    // One that a Kafka with another idea of what is valid has accepted stands for nothing here.
    this.#scan = new TopicScan(this.#regexes, topics.names())
    this.#version = topics.revision
    this.#startedAt = now
  }

  /** Null until the last turn. */
  advance(): ReadonlyMap<string, ResolvedRegex> | null {
    if (!this.#scan.advance()) return null
    const resolved = (regex: string): ResolvedRegex => ({
      topics: (this.#scan.found.get(regex) ?? []).toSorted(),
      version: this.#version,
      timestamp: this.#startedAt,
    })
    return new Map(this.#regexes.map((regex) => [regex, resolved(regex)]))
  }
}
