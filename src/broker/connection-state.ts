// What handlers know of a connection.

import type { Socket } from '../io/network.ts'
import { AnswerSize } from './answer-size.ts'
import { FetchTurns } from './fetch-turns.ts'
import type { ConnectionInfo } from './handler.ts'

/** The signal is made only for those that ask. */
export class ConnectionState implements ConnectionInfo {
  readonly id: number
  readonly listener: string
  readonly localHost: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
  clientSoftwareName = 'unknown'
  clientSoftwareVersion = 'unknown'
  readonly fetchTurns = new FetchTurns()
  readonly answerSize = new AnswerSize()
  #abort: AbortController | null = null
  #aborted = false

  constructor(id: number, listener: string, socket: Socket) {
    this.id = id
    this.listener = listener
    this.localHost = socket.localAddress
    this.localPort = socket.localPort
    this.remoteAddress = socket.remoteAddress
    this.remotePort = socket.remotePort
  }

  get signal(): AbortSignal {
    if (this.#abort === null) {
      this.#abort = new AbortController()
      if (this.#aborted) this.#abort.abort()
    }
    return this.#abort.signal
  }

  /** The connection is closed. */
  abort(): void {
    this.#aborted = true
    this.#abort?.abort()
  }

  /** For log lines: who it is. */
  describe(): object {
    const { id, listener, remoteAddress, remotePort, clientSoftwareName, clientSoftwareVersion } = this
    return {
      connection: id,
      listener,
      client: `${remoteAddress}:${remotePort}`,
      software: `${clientSoftwareName} ${clientSoftwareVersion}`,
    }
  }
}
