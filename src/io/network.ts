// The door to the network: byte streams with explicit back pressure in both directions.

export interface ListenOptions {
  readonly host: string
  /** 0 picks a free port. */
  readonly port: number
  readonly backlog?: number
}

export interface ConnectOptions {
  readonly host: string
  readonly port: number
  readonly signal?: AbortSignal
}

/** Both methods reject with a `NetworkError` when they cannot. */
export interface Network {
  listen(options: ListenOptions, onConnection: (socket: Socket) => void): Promise<Listener>
  /** The system's own patience may be minutes: `signal` gives up earlier, with an ECANCELED fault. */
  connect(options: ConnectOptions): Promise<Socket>
}

export interface Listener {
  readonly host: string
  /** The real port, also when 0 was asked for. */
  readonly port: number
  /** Stops accepting and frees the port; open sockets stay. */
  close(): Promise<void>
}

export interface Socket {
  readonly localAddress: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
  /** Set by the owner once, before the next turn. Bytes are lent until it returns: the memory is used again for the next. */
  onData: (bytes: Uint8Array) => void
  /** Where to read the next bytes to, if the owner has a place for them; a socket may ignore it. What comes goes to `onData` as ever. */
  readInto: () => Uint8Array | null
  /** Exactly once, with the error that broke the connection; without one when either side closed it in order. */
  onClose: (error?: Error) => void
  /** After `write` answered false: the buffer is below the mark again. */
  onDrain: () => void
  /**
   * One writev for all chunks, which must not change until they have left. False when the buffer is above its high
   * mark: wait for `onDrain`. On a socket that either side has closed nothing happens. `onLeft`: the chunks have left, or never will.
   */
  write(chunks: readonly Uint8Array[], onLeft?: () => void): boolean
  /** Bytes accepted by `write` that the operating system has not yet taken. */
  readonly bufferedBytes: number
  /** No `onData` until `resume`; the peer comes to wait once the buffers between are full. */
  pause(): void
  resume(): void
  /** Flushes what is buffered, then closes; what still arrives is dropped. */
  end(): void
  /** Closes now; what is buffered is lost. */
  destroy(): void
}

/** A fault of the network; `code` is the errno name ('ECONNREFUSED', 'ECONNRESET', 'EADDRINUSE', …). */
export class NetworkError extends Error {
  override readonly name = 'NetworkError'
  readonly code: string

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(`${code}: ${message}`, options)
    this.code = code
  }
}
