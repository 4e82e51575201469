// A connection to a broker, as cheap as Node has them: all connections read into one buffer, and what came is handed on before the next
// read. What is sent while bytes are handled leaves with one system call.

import net from 'node:net'
import type { Closable, Measurement } from './measurement.ts'

/** One read of a large response brings so much; it fits into the processor's cache. */
const receiveBytes = 256 * 1024
const received = Buffer.allocUnsafeSlow(receiveBytes)

export interface Receiver {
  /** `bytes` up to `end` belong to the receiver during the call only. What it throws fails the load. */
  receive(bytes: Uint8Array, end: number): void
}

export class Connection implements Closable {
  readonly socket: net.Socket
  #closed = false

  private constructor(socket: net.Socket, { fail }: Measurement) {
    this.socket = socket
    socket.on('error', fail)
    socket.on('close', () => {
      if (!this.#closed) fail(new Error('the broker closed the connection'))
    })
  }

  /** `address` is `host:port`. The measurement fails when the connection ends before it does. */
  static async open(address: string, receiver: Receiver, measurement: Measurement): Promise<Connection> {
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
            measurement.fail(error as Error)
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
    return measurement.owns(new Connection(socket, measurement))
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
