// A connection to a broker, as cheap as Node has them: all connections read into one buffer, and what came is handed on before the next
// read. What is sent while bytes are handled leaves with one system call.

import net from 'node:net'

/** One read of a large response brings so much; it fits into the processor's cache. */
const receiveBytes = 256 * 1024
const received = Buffer.allocUnsafeSlow(receiveBytes)

export interface Receiver {
  /** `bytes` up to `end` belong to the receiver during the call only. What it throws fails the load. */
  receive(bytes: Uint8Array, end: number): void
}

export class Connection {
  readonly socket: net.Socket
  #closed = false

  private constructor(socket: net.Socket, fail: (error: Error) => void) {
    this.socket = socket
    socket.on('error', fail)
    socket.on('close', () => {
      if (!this.#closed) fail(new Error('the broker closed the connection'))
    })
  }

  /** `address` is `host:port`. `fail` is called with what ends the connection, unless `close` does. */
  static async open(address: string, receiver: Receiver, fail: (error: Error) => void): Promise<Connection> {
    const colon = address.lastIndexOf(':')
    const socket = net.connect({
      host: address.slice(0, colon),
      port: Number(address.slice(colon + 1)),
      noDelay: true,
      onread: {
        buffer: received,
        callback: (end) => {
          socket.cork()
          try {
            receiver.receive(received, end)
          } catch (error) {
            fail(error as Error)
            socket.destroy()
          }
          socket.uncork()
          return true
        },
      },
    })
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    return new Connection(socket, fail)
  }

  send(chunks: readonly Uint8Array[]): void {
    if (chunks.length === 1) {
      this.socket.write(chunks[0]!)
      return
    }
    this.socket.cork()
    for (const chunk of chunks) this.socket.write(chunk)
    this.socket.uncork()
  }

  close(): void {
    this.#closed = true
    this.socket.destroy()
  }
}
