// A network whose every link to one broker can be broken or cut, and mended, or end with the broker. Over a broken one connections end and
// new ones are refused. A cut one is silent: neither side hears anything, whatever the other says or closes, and nobody is told; what was
// said meanwhile arrives when it is mended, as TCP sends again what was not confirmed.

import {
  type ConnectOptions,
  type Listener,
  type ListenOptions,
  type Network,
  NetworkError,
  type Socket,
} from '../../io/network.ts'

export class SeverableNetwork implements Network {
  readonly #network: Network
  readonly #sockets = new Set<SeverableSocket>()
  readonly #listeners = new Set<Listener>()
  #state: 'whole' | 'broken' | 'cut' | 'dead' = 'whole'
  #waiting: (() => void)[] = []

  constructor(network: Network) {
    this.#network = network
  }

  async listen(options: ListenOptions, onConnection: (socket: Socket) => void): Promise<Listener> {
    const listener = await this.#network.listen(options, (socket) => {
      if (this.#state === 'dead' || this.#state === 'broken') socket.destroy()
      else onConnection(this.#track(socket))
    })
    this.#listeners.add(listener)
    return {
      host: listener.host,
      port: listener.port,
      close: async () => {
        this.#listeners.delete(listener)
        await listener.close()
      },
    }
  }

  async connect(options: ConnectOptions): Promise<Socket> {
    if (this.#state === 'broken') throw new NetworkError('EHOSTUNREACH', `${options.host}:${options.port}`)
    if (this.#state === 'cut') await this.#mended(options.signal)
    return this.#track(await this.#network.connect(options))
  }

  break(): void {
    if (this.#state !== 'whole') return
    this.#state = 'broken'
    for (const socket of this.#sockets) socket.destroy()
  }

  cut(): void {
    if (this.#state !== 'whole') return
    this.#state = 'cut'
    for (const socket of this.#sockets) socket.cut()
  }

  mend(): void {
    if (this.#state === 'dead') return
    this.#state = 'whole'
    for (const socket of this.#sockets) socket.mend()
    for (const goOn of this.#waiting.splice(0)) goOn()
  }

  /** The broker is dead: its connections break for the others, and its ports are free when this resolves. */
  async kill(): Promise<void> {
    this.#state = 'dead'
    for (const socket of this.#sockets) socket.kill()
    this.#sockets.clear()
    await Promise.all([...this.#listeners].map((listener) => listener.close()))
  }

  #track(socket: Socket): Socket {
    const severable = new SeverableSocket(socket, () => this.#sockets.delete(severable))
    this.#sockets.add(severable)
    if (this.#state === 'broken') severable.destroy()
    if (this.#state === 'cut') severable.cut()
    if (this.#state === 'dead') severable.kill()
    return severable
  }

  #mended(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve)
      signal?.addEventListener('abort', () => reject(new NetworkError('ECANCELED', 'nobody answered')), { once: true })
    })
  }
}

/** What was to be done to the socket when the link is mended. */
type Delayed =
  | { readonly chunks: readonly Uint8Array[]; readonly onLeft?: (() => void) | undefined }
  | 'end'
  | 'destroy'

class SeverableSocket implements Socket {
  onData: (bytes: Uint8Array) => void = () => {}
  readInto: () => Uint8Array | null = () => null
  onClose: (error?: Error) => void = () => {}
  onDrain: () => void = () => {}
  readonly #socket: Socket
  #cut = false
  #paused = false
  /** In order. */
  #delayed: Delayed[] = []
  /** Heard while the link was cut. */
  #heard: (() => void)[] = []

  constructor(socket: Socket, onClosed: () => void) {
    this.#socket = socket
    socket.onData = (lent) => {
      const bytes = new Uint8Array(lent)
      this.#hear(() => this.onData(bytes))
    }
    socket.onDrain = () => this.#hear(() => this.onDrain())
    socket.onClose = (error) => {
      this.#hear(() => {
        onClosed()
        this.onClose(error)
      })
    }
  }

  get localAddress(): string {
    return this.#socket.localAddress
  }

  get localPort(): number {
    return this.#socket.localPort
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress
  }

  get remotePort(): number {
    return this.#socket.remotePort
  }

  get bufferedBytes(): number {
    let delayed = 0
    for (const what of this.#delayed) {
      if (typeof what === 'object') for (const { length } of what.chunks) delayed += length
    }
    return this.#socket.bufferedBytes + delayed
  }

  write(chunks: readonly Uint8Array[], onLeft?: () => void): boolean {
    if (!this.#cut) return this.#socket.write(chunks, onLeft)
    this.#delayed.push({ chunks, onLeft })
    return true
  }

  pause(): void {
    this.#paused = true
    if (!this.#cut) this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    if (!this.#cut) this.#socket.resume()
  }

  end(): void {
    if (this.#cut) this.#close('end')
    else this.#socket.end()
  }

  destroy(): void {
    if (this.#cut) this.#close('destroy')
    else this.#socket.destroy()
  }

  cut(): void {
    if (this.#cut) return
    this.#cut = true
    this.#socket.pause()
  }

  mend(): void {
    if (!this.#cut) return
    this.#cut = false
    for (const what of this.#delayed.splice(0)) {
      if (what === 'end') this.#socket.end()
      else if (what === 'destroy') this.#socket.destroy()
      else this.#socket.write(what.chunks, what.onLeft)
    }
    for (const tell of this.#heard.splice(0)) tell()
    if (!this.#paused) this.#socket.resume()
  }

  /** Its owner is dead and hears nothing. */
  kill(): void {
    this.#forgetOwner()
    this.#socket.destroy()
  }

  #hear(tell: () => void): void {
    if (this.#cut) this.#heard.push(tell)
    else tell()
  }

  /** The owner is done with it at once; the peer hears of it when the link is mended. */
  #close(how: 'end' | 'destroy'): void {
    this.#delayed.push(how)
    const { onClose } = this
    this.#forgetOwner()
    queueMicrotask(() => onClose())
  }

  #forgetOwner(): void {
    this.onData = () => {}
    this.onClose = () => {}
    this.onDrain = () => {}
  }
}
