// What a member does with its partitions: goes on from what the group has committed, works its way forward, and commits how far it came.
// Nothing is read: how far a group has come is what its members say.

import { offsetCommit } from '../../src/protocol/apis/offset-commit.ts'
import { offsetFetch } from '../../src/protocol/apis/offset-fetch.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import type { Offset } from '../../src/storage/partition-log.ts'
import type { ClusterClient } from '../clients/cluster-client.ts'
import type { CommitFate, CommitHistory } from './commit-history.ts'
import type { CoordinatorLine } from './coordinator-line.ts'
import { byTopic, partitionName } from './partition-name.ts'

/** Who commits, as the request says it. */
export interface Committer {
  readonly memberId: string
  readonly instanceId: string | null
  /** Generation or member epoch. */
  readonly epoch: number
  /** As the history of commits knows it. */
  readonly by: string
  readonly protocol: 'classic' | 'consumer'
}

interface Progress {
  position: Offset
  committed: Offset
}

export interface ProcessingOptions {
  readonly client: ClusterClient
  readonly line: CoordinatorLine
  readonly group: string
  readonly commits: CommitHistory
}

/** Nothing came of the commit, and nothing will. */
const refusals: ReadonlySet<number> = new Set<ErrorCode>([
  ErrorCode.REBALANCE_IN_PROGRESS,
  ErrorCode.ILLEGAL_GENERATION,
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.FENCED_INSTANCE_ID,
  ErrorCode.STALE_MEMBER_EPOCH,
  ErrorCode.GROUP_ID_NOT_FOUND,
])

export class Processing {
  readonly #options: ProcessingOptions
  readonly #progress = new Map<string, Progress>()

  constructor(options: ProcessingOptions) {
    this.#options = options
  }

  forget(partition: string): void {
    this.#progress.delete(partition)
  }

  /** Looks up where to go on in those it does not know yet. The code: NONE, or what the coordinator said instead. */
  async resume(owned: ReadonlySet<string>, who: Committer): Promise<ErrorCode> {
    const { line, group, commits } = this.#options
    const missing = [...owned].filter((partition) => !this.#progress.has(partition))
    if (missing.length === 0) return ErrorCode.NONE
    const asked = new Map(missing.map((partition) => [partition, commits.asking(partition)]))
    const topics = byTopic(missing).map(({ topic, partitions }) => ({ name: topic, partitionIndexes: partitions }))
    const member = who.protocol === 'classic' ? {} : { memberId: who.memberId, memberEpoch: who.epoch }
    const body = { groups: [{ groupId: group, topics, ...member }], requireStable: true }
    const answer = await line.ask(offsetFetch, who.protocol === 'classic' ? 8 : 9, body)
    const found = answer?.groups[0]
    if (found === undefined) return ErrorCode.COORDINATOR_NOT_AVAILABLE
    line.heard(found.errorCode)
    if (found.errorCode !== ErrorCode.NONE) return found.errorCode
    for (const { name, partitions } of found.topics) {
      for (const { partitionIndex, committedOffset, errorCode } of partitions) {
        const partition = partitionName(name, partitionIndex)
        const question = asked.get(partition)
        if (errorCode !== ErrorCode.NONE || question === undefined) continue
        commits.told(partition, committedOffset, question)
        if (!owned.has(partition)) continue
        this.#progress.set(partition, { position: Math.max(0, committedOffset), committed: committedOffset })
      }
    }
    return ErrorCode.NONE
  }

  work(owned: ReadonlySet<string>): void {
    const { random } = this.#options.client
    for (const partition of owned) {
      const progress = this.#progress.get(partition)
      if (progress !== undefined && random.chance(0.3)) progress.position += 1 + random.below(20)
    }
  }

  /** All that is not committed yet, in one request. Null: there was nothing to ask for. */
  async commit(owned: ReadonlySet<string>, who: Committer): Promise<ErrorCode | null> {
    const { line, group, commits } = this.#options
    const sent = new Map<string, { progress: Progress; position: Offset; settle: (fate: CommitFate) => void }>()
    for (const partition of owned) {
      const progress = this.#progress.get(partition)
      if (progress === undefined || progress.position <= progress.committed) continue
      const { position } = progress
      sent.set(partition, { progress, position, settle: commits.commits(who.by, partition, position) })
    }
    if (sent.size === 0) return null
    const topics = byTopic(sent.keys()).map(({ topic, partitions }) => ({
      name: topic,
      partitions: partitions.map((partitionIndex) => {
        const committedOffset = sent.get(partitionName(topic, partitionIndex))!.position
        return { partitionIndex, committedOffset, committedMetadata: null }
      }),
    }))
    const answer = await line.ask(offsetCommit, 9, {
      groupId: group,
      generationIdOrMemberEpoch: who.epoch,
      memberId: who.memberId,
      groupInstanceId: who.instanceId,
      topics,
    })
    if (answer === null) {
      for (const { settle } of sent.values()) settle('unknown')
      return ErrorCode.COORDINATOR_NOT_AVAILABLE
    }
    let worst: ErrorCode = ErrorCode.NONE
    for (const { name, partitions } of answer.topics) {
      for (const { partitionIndex, errorCode } of partitions) {
        const one = sent.get(partitionName(name, partitionIndex))
        if (errorCode === ErrorCode.NONE && one !== undefined) one.progress.committed = one.position
        one?.settle(errorCode === ErrorCode.NONE ? 'committed' : refusals.has(errorCode) ? 'refused' : 'unknown')
        if (errorCode !== ErrorCode.NONE) worst = errorCode
        line.heard(errorCode)
      }
    }
    return worst
  }
}
