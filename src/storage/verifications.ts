// KIP-890: before the first transactional batch of a producer is let in, its coordinator is asked whether the partition belongs to the
// transaction. What was asked before the transaction ended must not open the next one, so each question gets a token, and the end of
// a transaction, like its beginning, makes the token void.

/** Stands for one question; compared by identity. */
export class Verification {
  readonly producerId: number
  readonly producerEpoch: number

  constructor(producerId: number, producerEpoch: number) {
    this.producerId = producerId
    this.producerEpoch = producerEpoch
  }
}

export class Verifications {
  readonly #pending = new Map<number, Verification>()

  /** The token of the question that is being asked for this producer; the same one while nothing has settled it. */
  begin(producerId: number, producerEpoch: number): Verification {
    const pending = this.#pending.get(producerId)
    if (pending !== undefined && pending.producerEpoch === producerEpoch) return pending
    const verification = new Verification(producerId, producerEpoch)
    this.#pending.set(producerId, verification)
    return verification
  }

  holds(verification: Verification | null, producerId: number, producerEpoch: number): boolean {
    return (
      verification !== null &&
      verification.producerEpoch === producerEpoch &&
      this.#pending.get(producerId) === verification
    )
  }

  /** The producer's transaction began or ended here. */
  settle(producerId: number): void {
    this.#pending.delete(producerId)
  }
}
