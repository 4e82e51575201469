// The network as a process sees it that may be frozen: meanwhile the kernel goes on taking connections and bytes, until its buffers are full.

import type { ConnectOptions, Listener, ListenOptions, Network, Socket } from '../src/io/network.ts'
import type { ProcessLife } from './process-life.ts'

export function networkOf(host: Network, life: ProcessLife): Network {
  return {
    listen: (options: ListenOptions, onConnection: (socket: Socket) => void): Promise<Listener> => {
      const accept = (socket: Socket): void => {
        const own = new ProcessSocket(socket, life)
        life.enter(() => onConnection(own))
      }
      return life.gate(host.listen(options, accept))
    },
    connect: async (options: ConnectOptions): Promise<Socket> => {
      // Wrapped before anything can arrive.
      return life.gate(host.connect(options).then((socket) => new ProcessSocket(socket, life)))
    },
  }
}

class ProcessSocket implements Socket {
  onData: (bytes: Uint8Array) => void = () => undefined
  readInto: () => Uint8Array | null = () => null
  onClose: (error?: Error) => void = () => undefined
  onDrain: () => void = () => undefined
  readonly #inner: Socket
  readonly #life: ProcessLife
  #paused = false

  constructor(inner: Socket, life: ProcessLife) {
    this.#inner = inner
    this.#life = life
    const detach = life.attach({ freeze: () => inner.pause(), thaw: () => this.#resumeIfWanted() })
    inner.readInto = () => this.readInto()
    inner.onData = (bytes) => life.enter(() => this.onData(bytes))
    inner.onDrain = () => life.enter(() => this.onDrain())
    inner.onClose = (error) => {
      detach()
      life.enter(() => this.onClose(error))
    }
  }

  get localAddress(): string {
    return this.#inner.localAddress
  }

  get localPort(): number {
    return this.#inner.localPort
  }

  get remoteAddress(): string {
    return this.#inner.remoteAddress
  }

  get remotePort(): number {
    return this.#inner.remotePort
  }

  get bufferedBytes(): number {
    return this.#inner.bufferedBytes
  }

  write(chunks: readonly Uint8Array[], onLeft?: () => void): boolean {
    return this.#inner.write(chunks, onLeft)
  }

  pause(): void {
    this.#paused = true
    this.#inner.pause()
  }

  resume(): void {
    this.#paused = false
    this.#resumeIfWanted()
  }

  end(): void {
    this.#inner.end()
  }

  destroy(): void {
    this.#inner.destroy()
  }

  #resumeIfWanted(): void {
    if (!this.#paused && !this.#life.frozen) this.#inner.resume()
  }
}
