// Ids for idempotent producers: unique in the cluster for ever. Each broker takes blocks of a thousand from the metadata store
// (as Kafka, KIP-730), and the next one while it still has some left, so that a producer seldom waits for the store.

import { decodeDocument, encodeDocument } from './documents.ts'
import { producerIdBlockKey } from './keys.ts'
import { knownOutcome } from './known-outcome.ts'
import type { MetaStore } from './meta-store.ts'

const blockSize = 1000
/** Ids left when the next block is fetched. */
const prefetchAt = 100

interface Block {
  next: number
  readonly end: number
}

export class ProducerIds {
  readonly #store: MetaStore
  #block: Block = { next: 0, end: 0 }
  #following: Block | null = null
  #fetching: Promise<void> | null = null

  constructor(store: MetaStore) {
    this.#store = store
  }

  /** An id that nobody was given before. Rejects when the store fails. */
  async nextId(): Promise<number> {
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
    for (;;) {
      const { entry } = await this.#store.get(producerIdBlockKey)
      const first = entry === null ? 0 : decodeDocument('producerIdBlock', entry.value).next
      const end = first + blockSize
      const taken = await knownOutcome(
        this.#store.transact(
          [{ key: producerIdBlockKey, modRevision: entry?.modRevision ?? 0 }],
          [{ kind: 'put', key: producerIdBlockKey, value: encodeDocument({ next: end }) }],
        ),
      )
      // A block of which nobody knows whether it was taken is given to nobody.
      if (taken?.ok === true) return { next: first, end }
    }
  }
}
