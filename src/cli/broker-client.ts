// One connection to a broker, for commands that ask it a few things one after the other.

import { FrameError, FrameReader } from '../protocol/frame-reader.ts'
import type { Clock, Timer } from '../io/clock.ts'
import { type Network, NetworkError, type Socket } from '../io/network.ts'
import { apiVersions } from '../protocol/apis/api-versions.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { decodeResponse, encodeRequest } from '../protocol/frame.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../protocol/schema/index.ts'

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

/** The connection stands, and nothing comes. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}

/** A broker takes no longer for the answers asked here. */
const patienceMs = 10_000
const responseBytesMax = 512 * 1024 * 1024
const clientId = 'odradek-cli'

interface Waiting {
  readonly resolve: (frame: Uint8Array) => void
  readonly reject: (error: Error) => void
  readonly timer: Timer
}

export class BrokerClient {
  readonly #socket: Socket
  readonly #clock: Clock
  readonly #waiting = new Map<number, Waiting>()
  readonly #frames = new FrameReader(responseBytesMax)
  #nextCorrelationId = 1
  /** Lowest and highest version of each API that the broker knows, by key. */
  #served: ReadonlyMap<number, readonly [number, number]> = new Map()

  /** Resolves when the broker has said what it knows. Rejects with an error that says why not. */
  static async connect(network: Network, clock: Clock, { host, port }: BrokerAddress): Promise<BrokerClient> {
    const impatience = new AbortController()
    const timer = clock.setTimer(patienceMs, () => impatience.abort())
    try {
      const client = new BrokerClient(await network.connect({ host, port, signal: impatience.signal }), clock)
      await client.#learn()
      return client
    } catch (error) {
      if (error instanceof NetworkError && error.code === 'ECANCELED')
        throw new Error(`nobody answered`, { cause: error })
      throw error
    } finally {
      timer.cancel()
    }
  }

  private constructor(socket: Socket, clock: Clock) {
    this.#socket = socket
    this.#clock = clock
    socket.onData = (bytes) => this.#hear(bytes)
    socket.onClose = (error) => {
      for (const { reject, timer } of this.#waiting.values()) {
        timer.cancel()
        reject(error ?? new Error('the broker closed the connection'))
      }
      this.#waiting.clear()
    }
  }

  /** Whether the broker knows the API in a version that this program knows. */
  serves(api: AnyApi): boolean {
    return this.#versionOf(api) !== null
  }

  /**
   * In the newest version both know, none newer than `newest`. Rejects when the broker does not answer, or does not serve the API, or
   * only in versions older than `oldest`.
   */
  async ask<A extends AnyApi>(
    api: A,
    body: RequestInput<A>,
    { oldest = 0, newest = Infinity }: { readonly oldest?: number; readonly newest?: number } = {},
  ): Promise<ResponseOf<A>> {
    const version = this.#versionOf(api, newest)
    if (version === null) throw new Error(`the broker does not serve ${api.name}`)
    if (version < oldest) throw new Error(`the broker is too old: it serves ${api.name} up to version ${version} only`)
    return this.#ask(api, version, body)
  }

  /** For an API that brokers serve without naming it. One that does not know it closes the connection, which rejects. */
  askUnnamed<A extends AnyApi>(api: A, body: RequestInput<A>): Promise<ResponseOf<A>> {
    return this.#ask(api, api.versions[1], body)
  }

  close(): void {
    this.#socket.end()
  }

  async #learn(): Promise<void> {
    const about = { clientSoftwareName: 'odradek', clientSoftwareVersion: '0' }
    const { errorCode, apiKeys } = await this.#ask(apiVersions, 3, about)
    if (errorCode !== ErrorCode.NONE) throw new Error('the broker does not say which versions it knows')
    this.#served = new Map(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, [minVersion, maxVersion]]))
  }

  #versionOf(api: AnyApi, bound = Infinity): number | null {
    const served = this.#served.get(api.key)
    if (served === undefined) return null
    const newest = Math.min(served[1], api.versions[1], bound)
    return newest >= Math.max(served[0], api.versions[0]) ? newest : null
  }

  async #ask<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>> {
    const correlationId = this.#nextCorrelationId++
    const answer = new Promise<Uint8Array>((resolve, reject) => {
      const timer = this.#clock.setTimer(patienceMs, () => {
        this.#waiting.delete(correlationId)
        reject(new NoAnswer(`the broker did not answer for ${patienceMs / 1000} s`))
      })
      this.#waiting.set(correlationId, { resolve, reject, timer })
    })
    this.#socket.write(encodeRequest(api, version, { correlationId, clientId }, body))
    return decodeResponse(api, version, await answer).body
  }

  #hear(bytes: Uint8Array): void {
    this.#frames.push(bytes)
    for (let frame = this.#nextFrame(); frame !== null; frame = this.#nextFrame()) {
      const correlationId = new DataView(frame.buffer, frame.byteOffset).getInt32(0)
      const waiting = this.#waiting.get(correlationId)
      this.#waiting.delete(correlationId)
      waiting?.timer.cancel()
      waiting?.resolve(frame)
    }
    this.#frames.keep()
  }

  /** Null until there is a whole one, and for ever when what comes is none of Kafka's. */
  #nextFrame(): Uint8Array | null {
    try {
      const frame = this.#frames.next()
      return frame !== null && frame.length >= 4 ? frame : null
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      this.#socket.destroy()
      return null
    }
  }
}
