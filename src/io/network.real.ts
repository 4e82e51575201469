// TCP, over node:net. One `write` is one writev: the chunks are corked together and leave without being joined.
import net from 'node:net'
import {
  type ConnectOptions,
  type Listener,
  type ListenOptions,
  type Network,
  NetworkError,
  type Socket,
} from './network.ts'

/** `write` answers false above this many bytes that the system has not taken. */
const highMarkBytes = 256 * 1024

/** How long a socket that was ended waits for the other side to close, before it closes the rest by itself. */
const lingerMs = 2000

const socketOptions = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000, allowHalfOpen: false }

class RealNetwork implements Network {
  listen(options: ListenOptions, onConnection: (socket: Socket) => void): Promise<Listener> {
    const { host, port, backlog = 511 } = options
    return new Promise((resolve, reject) => {
      const server = net.createServer({ ...socketOptions, pauseOnConnect: true }, (accepted) => {
        // A peer that is gone already has no address any more.
        if (accepted.remoteAddress === undefined) accepted.destroy()
        else onConnection(RealSocket.accepted(accepted))
      })
      const fail = (error: Error) => reject(networkError(error, `listen on ${host}:${port}`))
      server.once('error', fail)
      const listening = (): void => {
        server.off('error', fail)
        // Out of descriptors: the connection is lost, the listener lives on.
        server.on('error', (error) => process.emitWarning(networkError(error, `accept on ${host}:${port}`)))
        resolve(new RealListener(server))
      }
      try {
        const bound = boundTo(host, port)
        if (bound === null) server.listen({ host, port, backlog }, listening)
        else server.listen(bound, backlog, listening)
      } catch (error) {
        fail(error as Error)
      }
    })
  }

  connect({ host, port, signal }: ConnectOptions): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = RealSocket.connecting(host, port)
      const connecting = socket.stream
      const fail = (error: Error) => {
        signal?.removeEventListener('abort', cancel)
        reject(networkError(error, `connect to ${host}:${port}`))
      }
      const cancel = () => connecting.destroy(new NetworkError('ECANCELED', 'given up'))
      connecting.once('error', fail)
      connecting.once('connect', () => {
        signal?.removeEventListener('abort', cancel)
        connecting.off('error', fail)
        socket.connected()
        resolve(socket)
      })
      signal?.addEventListener('abort', cancel, { once: true })
      if (signal?.aborted === true) cancel()
    })
  }
}

export const realNetwork: Network = new RealNetwork()

class RealListener implements Listener {
  readonly host: string
  readonly port: number
  readonly #server: net.Server

  constructor(server: net.Server) {
    const address = server.address() as net.AddressInfo
    this.host = address.address
    this.port = address.port
    this.#server = server
  }

  /** The server's own 'close' event waits for open sockets, which are none of its business; the port is free at once. */
  async close(): Promise<void> {
    this.#server.close()
  }
}

/** One for all sockets: what is read into it is looked at before anything else is read. */
const sharedBuffer = Buffer.allocUnsafeSlow(256 * 1024)

class RealSocket implements Socket {
  localAddress = ''
  localPort = 0
  remoteAddress = ''
  remotePort = 0
  onData: (bytes: Uint8Array) => void = () => undefined
  readInto: () => Uint8Array | null = () => null
  onClose: (error?: Error) => void = () => undefined
  onDrain: () => void = () => undefined
  readonly #socket: net.Socket
  #error: NetworkError | undefined
  #ended = false
  #full = false

  /**
   * A listener's sockets come with a buffer of their own for each read, so the connection moves to one that reads where it is told
   * (net's `onread`, which has no other way to an accepted connection than its handle).
   */
  static accepted(accepted: net.Socket): RealSocket {
    const given = accepted as unknown as { _handle: unknown }
    const handle = given._handle
    given._handle = null
    const socket = new RealSocket((onread) => new net.Socket({ handle, onread, allowHalfOpen: false } as object))
    socket.connected()
    return socket
  }

  static connecting(host: string, port: number): RealSocket {
    return new RealSocket((onread) => net.connect({ ...socketOptions, host, port, onread }))
  }

  private constructor(open: (onread: net.OnReadOpts) => net.Socket) {
    const socket = open({
      buffer: () => this.readInto() ?? sharedBuffer,
      callback: (count, buffer) => {
        if (!this.#ended) this.onData(count === buffer.length ? buffer : buffer.subarray(0, count))
        return true
      },
    })
    this.#socket = socket
    socket.on('drain', () => {
      if (!this.#full) return
      this.#full = false
      this.onDrain()
    })
    socket.on('error', (error) => {
      this.#error = networkError(error, `${this.remoteAddress}:${this.remotePort}`)
    })
    socket.on('close', () => this.onClose(this.#error))
  }

  get stream(): net.Socket {
    return this.#socket
  }

  connected(): void {
    const { localAddress, localPort, remoteAddress, remotePort } = this.#socket
    this.localAddress = plain(localAddress ?? '')
    this.localPort = localPort ?? 0
    this.remoteAddress = plain(remoteAddress ?? '')
    this.remotePort = remotePort ?? 0
  }

  write(chunks: readonly Uint8Array[], onLeft?: () => void): boolean {
    const socket = this.#socket
    if (!socket.writable || socket.readableEnded || chunks.length === 0) {
      onLeft?.()
      return true
    }
    const last = chunks.length - 1
    if (last === 0) socket.write(chunks[0]!, onLeft)
    else {
      socket.cork()
      for (let i = 0; i < last; i++) socket.write(chunks[i]!)
      socket.write(chunks[last]!, onLeft)
      socket.uncork()
    }
    // Above this mark the stream is above its own, lower one, and will say when it has drained.
    if (socket.writableLength > highMarkBytes) this.#full = true
    return !this.#full
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /**
   * Closing while the peer still sends would reset the connection, and the peer might lose the last answer: what still
   * arrives is read and dropped until it closes too, for a bounded time.
   */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#socket.end(() => {
      const linger = setTimeout(() => this.#socket.destroy(), lingerMs).unref()
      this.#socket.once('close', () => clearTimeout(linger))
    })
    this.#socket.resume()
  }

  destroy(): void {
    this.#socket.destroy()
  }
}

/**
 * Bound to a numeric address at once, because `listen` by itself looks up whatever it is given, and to load what does that is a twentieth of
 * a start. Null for a name, and on a Node without BoundSocket (before 24.19). Throws where it cannot be bound.
 */
function boundTo(host: string, port: number): net.BoundSocket | null {
  return 'BoundSocket' in net && net.isIP(host) !== 0 ? new net.BoundSocket({ host, port }) : null
}

function networkError(error: Error, what: string): NetworkError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'EIO'
  return new NetworkError(code, what, { cause: error })
}

/** '::ffff:10.0.0.1', an IPv4 peer of an IPv6 listener, as '10.0.0.1'. */
function plain(address: string): string {
  return address.startsWith('::ffff:') && net.isIPv4(address.slice(7)) ? address.slice(7) : address
}
