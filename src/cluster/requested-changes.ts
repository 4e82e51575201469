// Changes of partitions that somebody asked for, decided by any broker: each is written if the partition is still as it was when it was
// decided, else decided anew. What is answered is in this broker's image.

import type { Clock } from '../io/clock.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { encodeDocument, type PartitionDocument } from './documents.ts'
import { type BrokerFence, notPartOfTheCluster } from './fence.ts'
import type { ClusterImage, ClusterView, PartitionImage } from './image.ts'
import { knownOutcome, readAgain } from './known-outcome.ts'
import type { CasItem, MetaStore, Revision } from './meta-store.ts'
import { partitionGuards, type PartitionWrite } from './partition-guards.ts'
import { partitionDocument } from './partition-image.ts'
import { refuse, type TopicRefusal } from './topic-rules.ts'

export interface RequestedChange {
  readonly topicId: string
  readonly index: number
  /** Null: nothing is to be done. Asked again when the partition has changed meanwhile. */
  readonly decide: (partition: PartitionImage, image: ClusterImage) => PartitionDocument | null | TopicRefusal
}

export interface ChangeOptions {
  readonly store: MetaStore
  readonly view: ClusterView
  readonly clock: Clock
  readonly fence: BrokerFence
}

/** Null: done. */
export type ChangeAnswer = TopicRefusal | null

interface Attempt {
  readonly position: number
  readonly write: PartitionWrite
}

/** Answers in the order of `changes`. Rejects with the store's faults, other than `UnknownOutcome`. */
export async function changeOnRequest(
  options: ChangeOptions,
  changes: readonly RequestedChange[],
): Promise<ChangeAnswer[]> {
  const { store, view, clock, fence } = options
  const answers = new Map<number, ChangeAnswer>()
  /** By position, what may have been written. */
  const uncertain = new Map<number, PartitionWrite>()
  let waiting = changes.map((_, position) => position)
  while (waiting.length > 0) {
    const attempts = decided(view.image, changes, waiting, { answers, uncertain })
    waiting = waiting.filter((position) => !answers.has(position))
    if (attempts.length === 0) continue
    const { brokers } = view.image
    const items = attempts.map(({ write }): CasItem => {
      const guards = partitionGuards(write, brokers)
      return { guards, writes: [{ kind: 'put', key: guards[0].key, value: encodeDocument(write.document) }] }
    })
    const results = await knownOutcome(store.compareAndSwapMany([fence], items))
    if (results === 'fenced') {
      for (const position of waiting) answers.set(position, notPartOfTheCluster())
      break
    }
    let revision: Revision = 0
    if (results === null) {
      for (const { position, write } of attempts) uncertain.set(position, write)
      revision = await readAgain(store, clock, fence.key)
    } else {
      for (const [i, result] of results.entries()) {
        if (result.ok) answers.set(attempts[i]!.position, null)
        revision = Math.max(revision, result.revision)
      }
      waiting = waiting.filter((position) => !answers.has(position))
    }
    await view.reached(revision)
  }
  return changes.map((_, position) => answers.get(position)!)
}

/** One attempt for each partition, by the newest image; who needs none has its answer. */
function decided(
  image: ClusterImage,
  changes: readonly RequestedChange[],
  waiting: readonly number[],
  { answers, uncertain }: { answers: Map<number, ChangeAnswer>; uncertain: Map<number, PartitionWrite> },
): Attempt[] {
  const attempts = new Map<PartitionImage, Attempt>()
  for (const position of waiting) {
    const { topicId, index, decide } = changes[position]!
    const partition = image.topicsById.get(topicId)?.partitions[index]
    if (partition === undefined) {
      answers.set(position, refuse(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'The topic was deleted meanwhile.'))
      continue
    }
    // Two changes of one partition come one after the other.
    if (attempts.has(partition)) continue
    const written = uncertain.get(position)
    if (written !== undefined && isOurs(partition, written)) {
      answers.set(position, null)
      continue
    }
    const document = decide(partition, image)
    if (document === null || 'ok' in document) answers.set(position, document)
    else attempts.set(partition, { position, write: { topicId, partition, document } })
  }
  return [...attempts.values()]
}

/** What was written with an unknown outcome is there. */
function isOurs(partition: PartitionImage, { partition: before, document }: PartitionWrite): boolean {
  if (partition.revision === before.revision) return false
  return JSON.stringify(partitionDocument(partition)) === JSON.stringify(document)
}
