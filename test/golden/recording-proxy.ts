// A TCP proxy that keeps the frames it passes on: requests as the client sent them, responses under the API and
// version of the request they answer.

import { connect, createServer, type Server, type Socket } from 'node:net'

export interface Captured {
  readonly direction: 'request' | 'response'
  readonly apiKey: number
  readonly apiVersion: number
  /** Without the size in front. */
  readonly frame: Buffer
}

/** Cuts a byte stream into frames; the 4-byte size in front of each is left out. */
function frames(onFrame: (frame: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0)
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= 4) {
      const end = 4 + rest.readInt32BE(0)
      if (rest.length < end) return
      onFrame(rest.subarray(4, end))
      rest = rest.subarray(end)
    }
  }
}

export class RecordingProxy {
  /** Where captured frames go; null while nothing is to be kept. */
  sink: ((captured: Captured) => void) | null = null
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(brokerPort: number) {
    this.#server = createServer((client) => this.#pass(client, connect(brokerPort, '127.0.0.1')))
  }

  static async start(port: number, brokerPort: number): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(brokerPort)
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject)
      proxy.#server.listen(port, '127.0.0.1', resolve)
    })
    return proxy
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => {
      this.#server.close(resolve)
    })
  }

  #pass(client: Socket, broker: Socket): void {
    const asked = new Map<number, { apiKey: number; apiVersion: number }>() // by correlation id
    const fromClient = frames((frame) => {
      const api = { apiKey: frame.readInt16BE(0), apiVersion: frame.readInt16BE(2) }
      asked.set(frame.readInt32BE(4), api)
      this.sink?.({ direction: 'request', ...api, frame })
    })
    const fromBroker = frames((frame) => {
      const correlationId = frame.readInt32BE(0)
      const api = asked.get(correlationId)
      if (api === undefined) throw new Error(`a response to no request: correlation id ${correlationId}`)
      asked.delete(correlationId)
      this.sink?.({ direction: 'response', ...api, frame })
    })
    for (const [from, to, keep] of [
      [client, broker, fromClient],
      [broker, client, fromBroker],
    ] as const) {
      this.#sockets.add(from)
      from.on('data', (chunk: Buffer) => {
        keep(chunk)
        to.write(chunk)
      })
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
    }
  }
}
