// What the simulator knows of a member of a group, whichever protocol it speaks.

import type { Millis } from '../../src/io/clock.ts'
import type { ClusterClient } from '../clients/cluster-client.ts'
import type { CommitHistory } from './commit-history.ts'
import type { Ownership } from './ownership.ts'

/** What a member believes at this moment. */
export interface MemberView {
  /** Empty while it has none. */
  readonly memberId: string
  readonly instanceId: string | null
  /** Generation or member epoch; below 1 while it is no member. */
  readonly epoch: number
  readonly owned: ReadonlySet<string>
  readonly topics: readonly string[]
  /** Nothing is under way that it knows of. */
  readonly isSteady: boolean
}

export interface SimulatedMember {
  readonly view: MemberView
  /** Until it has left, is fenced for good, or its process ends: then never. Rejects with what breaks a rule. */
  run(): Promise<void>
  /** As a consumer that is closed in order; `run` ends. */
  leave(): Promise<void>
  /** Its process is gone, without a word to anybody. */
  died(): void
  subscribe(topics: readonly string[]): void
  /** Its application takes this long over what it polls next. */
  dawdle(ms: Millis): void
}

export interface MemberOptions {
  readonly client: ClusterClient
  readonly group: string
  /** KIP-345; null: dynamic. */
  readonly instanceId: string | null
  /** All there are: what it may subscribe to. */
  readonly allTopics: readonly string[]
  readonly topics: readonly string[]
  readonly ownership: Ownership
  readonly commits: CommitHistory
  /** Members of both protocols: then a classic one may be given more, or less, within one generation (KIP-848). */
  readonly isMixed: boolean
}

/** As consumers are usually configured, ten times as fast. */
export const memberTiming = {
  /** Longer than a broker's lease: a coordinator that has been replaced is silent by then. */
  sessionTimeoutMs: 5000,
  heartbeatMs: 700,
  /** max.poll.interval.ms, and so the time that members have to rejoin: a group may go on without one that is not yet missed. */
  pollGapMsMax: 3500,
  metadataAgeMsMax: 1000,
  /** Two that are not answered still leave time in a session: a connection to a host that lost power looks as good as any. */
  requestTimeoutMs: 1200,
} as const satisfies Record<string, Millis>
