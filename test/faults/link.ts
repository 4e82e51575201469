// A link that a test can cut: a TCP proxy on a port of its own. A cut link is silent, as a network that drops packets is: nothing passes,
// nothing is closed, and new connections are taken and never answered. What waited goes on when it is healed.

import { connect, createServer, type Server, type Socket } from 'node:net'

/** Who opened a connection, from its first bytes; null as long as they do not tell. */
export type Caller = (firstBytes: Buffer) => string | null

interface Connection {
  readonly socket: Socket
  readonly peer: Socket
  caller: string | null
}

export class Link {
  readonly #server: Server
  readonly #connections = new Set<Connection>()
  readonly #cut = new Set<string>()
  #target = 0

  private constructor(server: Server) {
    this.#server = server
  }

  /** `caller` is asked for each connection; without it all are of the same one, ''. */
  static async open(caller: Caller = () => ''): Promise<Link> {
    const server = createServer({ pauseOnConnect: true })
    const link = new Link(server)
    server.on('connection', (socket) => link.#take(socket, caller))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    return link
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port
  }

  /** Where the link leads, on this machine. */
  leadsTo(port: number): this {
    this.#target = port
    return this
  }

  /** Silent from now on, for one caller. */
  cut(caller = ''): void {
    this.#cut.add(caller)
    for (const connection of this.#connections) if (connection.caller === caller) hold(connection)
  }

  /** Connections of the caller end with a reset; new ones are taken. */
  reset(caller = ''): void {
    for (const connection of this.#connections) if (connection.caller === caller) end(connection)
  }

  heal(): void {
    const wereCut = new Set(this.#cut)
    this.#cut.clear()
    for (const connection of this.#connections) {
      if (connection.caller !== null && wereCut.has(connection.caller)) release(connection)
    }
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) end(connection)
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #take(socket: Socket, callerOf: Caller): void {
    const peer = connect({ port: this.#target, host: '127.0.0.1', noDelay: true })
    const connection: Connection = { socket, peer, caller: null }
    this.#connections.add(connection)
    socket.setNoDelay(true)
    for (const side of [socket, peer]) {
      side.on('error', () => {}) // 'close' follows
      side.on('close', () => {
        // A cut link does not tell one side that the other is gone.
        if (connection.caller !== null && this.#cut.has(connection.caller)) return
        end(connection)
        this.#connections.delete(connection)
      })
    }
    let first = Buffer.alloc(0)
    const listen = (chunk: Buffer): void => {
      first = Buffer.concat([first, chunk])
      connection.caller = callerOf(first)
      if (connection.caller === null) return
      socket.off('data', listen)
      peer.write(first)
      socket.pipe(peer)
      peer.pipe(socket)
      if (this.#cut.has(connection.caller)) hold(connection)
    }
    socket.on('data', listen)
    socket.resume()
  }
}

function hold({ socket, peer }: Connection): void {
  socket.unpipe(peer).pause()
  peer.unpipe(socket).pause()
}

function release(connection: Connection): void {
  const { socket, peer } = connection
  if (socket.destroyed || peer.destroyed) {
    end(connection)
    return
  }
  socket.pipe(peer)
  peer.pipe(socket)
}

function end({ socket, peer }: Connection): void {
  for (const side of [socket, peer]) if (!side.destroyed) side.resetAndDestroy()
}

/** The client id of the first Kafka request of a connection: brokers name themselves in it. */
export function clientIdOf(firstBytes: Buffer): string | null {
  const lengthAt = 4 + 2 + 2 + 4
  if (firstBytes.length < lengthAt + 2) return null
  const length = firstBytes.readInt16BE(lengthAt)
  if (length < 0) return ''
  if (firstBytes.length < lengthAt + 2 + length) return null
  return firstBytes.toString('utf8', lengthAt + 2, lengthAt + 2 + length)
}
