// Ids for idempotent producers: unique in the cluster for ever. Each broker takes blocks of a thousand from the metadata store
// (as Kafka, KIP-730), and the next one while it still has some left, so that a producer seldom waits for the store.

import type { Clock } from '../io/clock.ts'
import { administered, type Standing, writesOfMember } from './administration.ts'
import { decodeDocument, encodeDocument } from './documents.ts'
import { producerIdBlockKey } from './keys.ts'
import { knownOutcome, readAgain } from './known-outcome.ts'
import type { MetaStore } from './meta-store.ts'
import type { TopicRefusal } from './topic-rules.ts'

const blockSize = 1000
/** Ids left when the next block is fetched. */
const prefetchAt = 100

export interface ProducerIdsOptions {
  readonly store: MetaStore
  readonly membership: Standing
  readonly clock: Clock
}

interface Block {
  next: number
  readonly end: number
}

export class ProducerIds {
  readonly #options: ProducerIdsOptions
  #block: Block = { next: 0, end: 0 }
  #following: Block | null = null
  #fetching: Promise<void> | null = null

  constructor(options: ProducerIdsOptions) {
    this.#options = { ...options, store: writesOfMember(options.store, options.membership) }
  }

  /** An id that nobody was given before. Refuses while there is none to be had: the broker is cut off, or the store has no room. */
  nextId(): Promise<number | TopicRefusal> {
    return administered(this.#options.membership, () => this.#nextId())
  }

  async #nextId(): Promise<number> {
    for (;;) {
      if (this.#block.next === this.#block.end && this.#following !== null) {
        this.#block = this.#following
        this.#following = null
      }
      const left = this.#block.end - this.#block.next
      if (left > 0) {
        const id = this.#block.next++
        // A prefetch that fails is tried again by whoever needs the block.
        if (left <= prefetchAt && this.#following === null) this.#fetch().catch(() => {})
        return id
      }
      await this.#fetch()
    }
  }

  #fetch(): Promise<void> {
    this.#fetching ??= this.#takeBlock()
      .then((block) => {
        this.#following = block
      })
      .finally(() => {
        this.#fetching = null
      })
    return this.#fetching
  }

  async #takeBlock(): Promise<Block> {
    const { store, clock } = this.#options
    for (;;) {
      const { entry } = await store.get(producerIdBlockKey)
      const first = entry === null ? 0 : decodeDocument('producerIdBlock', entry.value).next
      const end = first + blockSize
      const taken = await knownOutcome(
        store.transact(
          [{ key: producerIdBlockKey, modRevision: entry?.modRevision ?? 0 }],
          [{ kind: 'put', key: producerIdBlockKey, value: encodeDocument({ next: end }) }],
        ),
      )
      if (taken?.ok === true) return { next: first, end }
      // A block of which nobody knows who took it is given to nobody.
      if (taken === null) await readAgain(store, clock, producerIdBlockKey)
    }
  }
}
