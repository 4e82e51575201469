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

/** So much is looked at, and so much written, in one turn of the event loop: the broker's requests and its lease must not wait. */
const partitionsPerTurn = 10_000
const partitionsPerBatch = 1000

/** Rejects with the store's faults, other than `UnknownOutcome`. */
export async function settlePartitions(options: SettleOptions): Promise<Settled> {
  let changed = 0
  for (;;) {
    const pass = new Pass(options)
    // Those first that get another leader: for them somebody waits.
    for (const electing of [true, false]) {
      const outcome = await pass.run(electing)
      if (outcome !== 'done') return { outcome, changed: changed + pass.changed }
    }
    changed += pass.changed
    if (!pass.tried) return { outcome: 'settled', changed }
    await options.view.reached(pass.revision)
  }
}

/** One look at all partitions, as they are in one image. */
class Pass {
  readonly #options: SettleOptions
  readonly #topics: Iterable<TopicImage>
  tried = false
  changed = 0
  /** From there on the image shows what came of it. */
  revision: Revision = 0

  constructor(options: SettleOptions) {
    this.#options = options
    this.#topics = [...options.topics()]
  }

  /** Those whose leader changes, or the others. */
  async run(electing: boolean): Promise<'done' | 'fenced' | 'stopped'> {
    const { rule, clock } = this.#options
    let waiting: PartitionWrite[] = []
    let looked = 0
    for (const topic of this.#topics) {
      for (const partition of topic.partitions) {
        if (++looked % partitionsPerTurn === 0) await nextTurn(clock)
        const document = rule(partition, topic)
        if (document === null || (document.leader !== partition.leader) !== electing) continue
        waiting.push({ topicId: topic.id, partition, document })
        if (waiting.length < partitionsPerBatch) continue
        const outcome = await this.#write(waiting)
        if (outcome !== 'done') return outcome
        waiting = []
      }
    }
    return waiting.length === 0 ? 'done' : this.#write(waiting)
  }

  async #write(changes: readonly PartitionWrite[]): Promise<'done' | 'fenced' | 'stopped'> {
    if (!this.#options.mayGoOn()) return 'stopped'
    this.tried = true
    const written = await write(this.#options, changes)
    if (written === 'fenced') return written
    this.changed += written.changed
    this.revision = Math.max(this.revision, written.revision)
    await nextTurn(this.#options.clock)
    return 'done'
  }
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
