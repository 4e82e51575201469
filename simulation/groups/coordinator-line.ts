// Requests to whoever coordinates a group now: looked for when nobody is known, forgotten when it says that it is another.

import type { Millis } from '../../src/io/clock.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../../src/protocol/schema/index.ts'
import type { ClusterClient } from '../clients/cluster-client.ts'
import { Disconnected } from '../clients/connection.ts'

const elsewhere: ReadonlySet<number> = new Set<ErrorCode>([
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
])

export class CoordinatorLine {
  readonly #client: ClusterClient
  readonly #group: string

  constructor(client: ClusterClient, group: string) {
    this.#client = client
    this.#group = group
  }

  /** Null: there is no coordinator, or it did not answer: nobody knows whether it did what it was asked to. */
  async ask<A extends AnyApi>(
    api: A,
    version: number,
    body: RequestInput<A>,
    timeoutMs?: Millis,
  ): Promise<ResponseOf<A> | null> {
    const coordinator = await this.#client.coordinatorOf(this.#group)
    if (coordinator === null) return null
    try {
      return await this.#client.ask(coordinator, api, version, body, timeoutMs)
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error
      this.#client.forgetCoordinator(this.#group)
      return null
    }
  }

  /** Every code of an answer comes by here. */
  heard(code: ErrorCode): void {
    if (elsewhere.has(code)) this.#client.forgetCoordinator(this.#group)
  }
}
