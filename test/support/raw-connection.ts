// A connection without a client on top: sends any bytes, at any pace, and sees what comes back.

import { connect, type Socket } from 'node:net'
import { within } from './wait-for.ts'

export class RawConnection {
  readonly socket: Socket
  /** When the broker has closed it, or it broke. */
  readonly closed: Promise<void>
  #received: Buffer[] = []

  private constructor(socket: Socket) {
    this.socket = socket
    this.closed = new Promise((resolve) => {
      socket.on('error', () => {}) // a reset is a way of closing; 'close' follows
      socket.on('close', () => resolve())
    })
  }

  /** `reads: false` leaves everything the broker sends where it is. */
  static async open(port: number, { reads = true }: { readonly reads?: boolean } = {}): Promise<RawConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const connection = new RawConnection(socket)
    if (reads) socket.on('data', (chunk) => connection.#received.push(chunk))
    await within(
      'a connection',
      new Promise((resolve, reject) => {
        socket.once('connect', resolve)
        socket.once('error', reject)
      }),
    )
    return connection
  }

  get received(): Buffer {
    return Buffer.concat(this.#received)
  }

  /** False when the socket holds bytes back. */
  send(...chunks: readonly Uint8Array[]): boolean {
    let flows = true
    for (const chunk of chunks) flows = this.socket.write(chunk)
    return flows
  }

  /** The next whole frame, without its size. */
  async frame(timeoutMs = 30_000): Promise<Buffer> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const bytes = this.received
      const size = bytes.length < 4 ? Infinity : bytes.readInt32BE(0)
      if (bytes.length >= 4 + size) {
        this.#received = [bytes.subarray(4 + size)]
        return bytes.subarray(4, 4 + size)
      }
      let closed = (): void => {}
      const more = new Promise<void>((resolve, reject) => {
        this.socket.once('data', () => resolve())
        closed = () => reject(new Error('closed in place of an answer'))
        this.socket.once('close', closed)
      })
      await within('an answer', more, deadline - performance.now()).finally(() => this.socket.off('close', closed))
    }
  }

  destroy(): void {
    this.socket.destroy()
  }
}

/** `body` behind its size. */
export function sized(body: Uint8Array, size: number = body.length): Buffer {
  const frame = Buffer.alloc(4 + body.length)
  frame.writeInt32BE(size)
  frame.set(body, 4)
  return frame
}
