// A connection that speaks the protocol and nothing more: requests out, responses matched by order. Cheap enough to load a
// broker from one process.

import net from 'node:net'
import { FrameReader } from '../src/protocol/frame-reader.ts'
import { decodeResponse, encodeRequest } from '../src/protocol/frame.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../src/protocol/schema/index.ts'

interface Waiting {
  readonly api: AnyApi
  readonly version: number
  readonly resolve: (body: never) => void
  readonly reject: (error: Error) => void
}

export class RawClient {
  readonly socket: net.Socket
  readonly #reader = new FrameReader(512 * 1024 * 1024)
  readonly #waiting: Waiting[] = []
  #correlationId = 0
  #closed: Error | null = null

  private constructor(socket: net.Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (bytes: Uint8Array) => this.#onData(bytes))
    socket.on('error', (error) => this.#onClosed(error))
    socket.on('close', () => this.#onClosed(new Error('the broker closed the connection')))
  }

  /** `bootstrap` is `host:port`. */
  static async connect(bootstrap: string): Promise<RawClient> {
    const colon = bootstrap.lastIndexOf(':')
    const socket = net.connect({ host: bootstrap.slice(0, colon), port: Number(bootstrap.slice(colon + 1)) })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new RawClient(socket)
  }

  /** Sends one request; requests may be sent before earlier ones are answered. */
  request<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>> {
    const chunks = encodeRequest(
      api,
      version,
      { correlationId: this.#correlationId++, clientId: 'odradek-bench' },
      body,
    )
    return this.send(api, version, chunks)
  }

  /** Sends a frame that was built before; its correlation id is not looked at. */
  send<A extends AnyApi>(api: A, version: number, chunks: readonly Uint8Array[]): Promise<ResponseOf<A>> {
    if (this.#closed !== null) return Promise.reject(this.#closed)
    return new Promise<ResponseOf<A>>((resolve, reject) => {
      this.#waiting.push({ api, version, resolve, reject })
      this.socket.cork()
      for (const chunk of chunks) this.socket.write(chunk)
      this.socket.uncork()
    })
  }

  close(): void {
    this.socket.destroy()
  }

  #onData(bytes: Uint8Array): void {
    this.#reader.push(bytes)
    for (let frame = this.#reader.next(); frame !== null; frame = this.#reader.next()) {
      const waiting = this.#waiting.shift()
      if (waiting === undefined) throw new Error('a response nobody asked for')
      waiting.resolve(decodeResponse(waiting.api, waiting.version, frame).body as never)
    }
    this.#reader.keep()
  }

  #onClosed(error: Error): void {
    this.#closed ??= error
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error)
  }
}
