// A write that its broker gave up on may still apply, and where its guard is that something is absent, it may do so long after that thing
// came and went: a deleted topic would be back. So such writes are guarded by a key of the broker too, which it changes when it
// gives up on one: from then on the write has applied, or never will.

import type { Clock } from '../io/clock.ts'
import { attemptsKey } from './keys.ts'
import { knownOutcome, readAgain } from './known-outcome.ts'
import type { Guard, MetaEntry, MetaStore, Revision } from './meta-store.ts'

const nothing = new Uint8Array()

export class WriteAttempts {
  readonly #store: MetaStore
  readonly #clock: Clock
  readonly #key: string
  /** Of the key; null: not read yet. */
  #revision: Revision | null = null

  constructor({ store, clock, brokerId }: { store: MetaStore; clock: Clock; brokerId: number }) {
    this.#store = store
    this.#clock = clock
    this.#key = attemptsKey(brokerId)
  }

  /** Holds until somebody of this broker gives up on something. Rejects with the store's faults. */
  async guard(): Promise<Guard> {
    if (this.#revision === null) this.saw((await this.#store.get(this.#key)).entry)
    return { key: this.#key, modRevision: this.#revision! }
  }

  /** What a refused transaction found at the guard's key. True: it was refused because of it, and may be tried again. */
  saw(entry: MetaEntry | null): boolean {
    const before = this.#revision
    this.#revision = entry?.modRevision ?? 0
    return before !== this.#revision
  }

  /** When it resolves, none of the writes that were guarded before can apply any more. Rejects with the store's faults. */
  async giveUp(): Promise<void> {
    const guard = await this.guard()
    for (;;) {
      const result = await knownOutcome(
        this.#store.transact([guard], [{ kind: 'put', key: this.#key, value: nothing }]),
      )
      if (result === null) await readAgain(this.#store, this.#clock, this.#key)
      this.saw((await this.#store.get(this.#key)).entry)
      if (this.#revision !== (guard as { modRevision: Revision }).modRevision) return
    }
  }
}
