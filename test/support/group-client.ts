// Speaks to a group's coordinator as a careful client does: finds it, asks again while it is moving or loading, and follows it to another
// broker. The connection to each broker stays open, for in development a member is gone with its connection.

import type { AnyApi, RequestInput, ResponseOf } from '../../src/protocol/schema/index.ts'
import { findCoordinator } from '../../src/protocol/apis/find-coordinator.ts'
import { decodeResponse, encodeRequest } from '../../src/protocol/frame.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { RawConnection } from './raw-connection.ts'
import { pause } from './wait-for.ts'

const moving: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
])

export class GroupClient {
  readonly groupId: string
  readonly #ports: readonly number[]
  readonly #connections = new Map<number, RawConnection>()
  #correlationId = 0

  /** `ports`: of all brokers, on this machine. */
  constructor(groupId: string, ports: readonly number[]) {
    this.groupId = groupId
    this.#ports = ports
  }

  /** What the broker at `port` answers, whatever it is. */
  async askAt<A extends AnyApi>(port: number, api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>> {
    const known = this.#connections.get(port)
    const connection = known?.socket.closed === false ? known : await RawConnection.open(port)
    this.#connections.set(port, connection)
    try {
      const head = { correlationId: this.#correlationId++, clientId: 'group-client' }
      connection.send(...encodeRequest(api, version, head, body))
      return decodeResponse(api, version, await connection.frame()).body
    } catch (error) {
      connection.destroy()
      this.#connections.delete(port)
      throw error
    }
  }

  /** Port of the group's coordinator, as the first broker says that can say it. */
  async coordinator(): Promise<number> {
    for (;;) {
      for (const port of this.#ports) {
        try {
          const request = { keyType: 0, coordinatorKeys: [this.groupId] }
          const { coordinators } = await this.askAt(port, findCoordinator, 4, request)
          if (coordinators[0]?.errorCode === ErrorCode.NONE) return coordinators[0].port
        } catch {
          // This broker is away: the next one may know.
        }
      }
      await pause(20)
    }
  }

  /** The first answer that is not "not here" or "not yet". `code`: of an answer. */
  async ask<A extends AnyApi>(
    api: A,
    version: number,
    body: RequestInput<A>,
    code: (answer: ResponseOf<A>) => ErrorCode,
  ): Promise<ResponseOf<A>> {
    for (;;) {
      const port = await this.coordinator()
      try {
        const answer = await this.askAt(port, api, version, body)
        if (!moving.has(code(answer))) return answer
      } catch {
        // It went away while it was asked.
      }
      await pause(20)
    }
  }

  close(): void {
    for (const connection of this.#connections.values()) connection.destroy()
    this.#connections.clear()
  }
}
