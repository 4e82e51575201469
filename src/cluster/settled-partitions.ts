// Brings many partitions to where a rule wants them: looks at the image, writes what differs in guarded batches, and looks again, until
// the rule has nothing to say. What somebody else changed meanwhile, or what nobody knows the outcome of, is simply decided anew.

import { type Clock, nextTurn } from '../io/clock.ts'
import { encodeDocument, type PartitionDocument } from './documents.ts'
import type { ClusterView, PartitionImage, TopicImage } from './image.ts'
import { knownOutcome, readAgain } from './known-outcome.ts'
import type { CasItem, Guard, MetaStore, Revision } from './meta-store.ts'
import { partitionGuards, type PartitionWrite } from './partition-guards.ts'

export interface SettleOptions {
  readonly store: MetaStore
  readonly view: ClusterView
  readonly clock: Clock
  /** Without which nothing is written. */
  readonly fence: readonly [Guard, ...Guard[]]
  /** Of the newest image. */
  readonly topics: () => Iterable<TopicImage>
  /** Null: it is as it should be. Once its document is written it must answer null. */
  readonly rule: (partition: PartitionImage, topic: TopicImage) => PartitionDocument | null
  /** Asked before each batch. */
  readonly mayGoOn: () => boolean
}

export interface Settled {
  readonly outcome: 'settled' | 'fenced' | 'stopped'
  /** Partitions written; those with an unknown outcome do not count. */
  readonly changed: number
}

/** So many are encoded in one turn of the event loop: the broker's requests and its lease must not wait. */
const partitionsPerBatch = 1000

/** Rejects with the store's faults, other than `UnknownOutcome`. */
export async function settlePartitions(options: SettleOptions): Promise<Settled> {
  const { view, clock, mayGoOn } = options
  let changed = 0
  for (;;) {
    const changes = changesOf(options)
    if (changes.length === 0) return { outcome: 'settled', changed }
    let revision = 0
    for (let from = 0; from < changes.length; from += partitionsPerBatch) {
      if (!mayGoOn()) return { outcome: 'stopped', changed }
      const written = await write(options, changes.slice(from, from + partitionsPerBatch))
      if (written === 'fenced') return { outcome: 'fenced', changed }
      changed += written.changed
      revision = Math.max(revision, written.revision)
      await nextTurn(clock)
    }
    await view.reached(revision)
  }
}

/** Those first that get another leader: for them somebody waits. */
function changesOf({ topics, rule }: SettleOptions): PartitionWrite[] {
  const led: PartitionWrite[] = []
  const others: PartitionWrite[] = []
  for (const topic of topics()) {
    for (const partition of topic.partitions) {
      const document = rule(partition, topic)
      if (document === null) continue
      const changes = document.leader === partition.leader ? others : led
      changes.push({ topicId: topic.id, partition, document })
    }
  }
  return others.length === 0 ? led : [...led, ...others]
}

/** `revision`: from there on the image shows what came of it. */
async function write(
  { store, view, clock, fence }: SettleOptions,
  changes: readonly PartitionWrite[],
): Promise<{ changed: number; revision: Revision } | 'fenced'> {
  const { brokers } = view.image
  const items = changes.map((change): CasItem => {
    const guards = partitionGuards(change, brokers)
    return { guards, writes: [{ kind: 'put', key: guards[0].key, value: encodeDocument(change.document) }] }
  })
  const results = await knownOutcome(store.compareAndSwapMany(fence, items))
  if (results === 'fenced') return results
  if (results === null) {
    return { changed: 0, revision: await readAgain(store, clock, fence[0].key) }
  }
  let changed = 0
  let revision = 0
  for (const result of results) {
    if (result.ok) changed++
    revision = Math.max(revision, result.revision)
  }
  return { changed, revision }
}
