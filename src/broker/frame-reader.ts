// Cuts a byte stream into frames (int32 size, then that many bytes). Pure: bytes in, frames out.
// A frame inside one chunk is a view of it; only a frame that spans chunks is copied, once, when it is complete,
// so that a claimed size costs nothing until its bytes have really come.

export class FrameError extends Error {
  override readonly name = 'FrameError'
}

const SIZE_BYTES = 4
/** More chunks than this, and smaller ones than that on average, are joined: a byte at a time must not cost an object a byte. */
const CHUNKS_MAX = 256
const SMALL_CHUNK_BYTES = 4096

export class FrameReader {
  readonly #maxFrameBytes: number
  #chunks: Uint8Array[] = []
  /** Where the unread bytes of the first chunk begin. */
  #start = 0
  #bufferedBytes = 0
  #dropped = false

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Bytes that came and are not yet part of a frame handed out. */
  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  push(bytes: Uint8Array): void {
    if (this.#dropped || bytes.length === 0) return
    this.#chunks.push(bytes)
    this.#bufferedBytes += bytes.length
    if (this.#chunks.length > CHUNKS_MAX && this.#bufferedBytes < CHUNKS_MAX * SMALL_CHUNK_BYTES) this.#join()
  }

  /** Size in bytes of the frame at the head (without its size field), or -1 while that is not known. Throws `FrameError`. */
  headSize(): number {
    if (this.#bufferedBytes < SIZE_BYTES) return -1
    const size = (this.#byteAt(0) << 24) | (this.#byteAt(1) << 16) | (this.#byteAt(2) << 8) | this.#byteAt(3)
    if (size < 0 || size > this.#maxFrameBytes) {
      throw new FrameError(`frame of ${size} bytes, the limit is ${this.#maxFrameBytes} (socket.request.max.bytes)`)
    }
    return size
  }

  /** The next whole frame without its size field, or null. Throws `FrameError` on a size that cannot be. */
  next(): Uint8Array | null {
    const size = this.headSize()
    if (size < 0 || this.#bufferedBytes < SIZE_BYTES + size) return null
    this.#skip(SIZE_BYTES)
    return this.#take(size)
  }

  /** Forgets everything: the connection is closing. */
  drop(): void {
    this.#dropped = true
    this.#chunks = []
    this.#start = 0
    this.#bufferedBytes = 0
  }

  #join(): void {
    this.#chunks = [Buffer.concat(this.#chunks).subarray(this.#start)]
    this.#start = 0
  }

  #byteAt(index: number): number {
    let at = this.#start + index
    for (const chunk of this.#chunks) {
      if (at < chunk.length) return chunk[at] as number
      at -= chunk.length
    }
    throw new RangeError('byte beyond what is buffered')
  }

  #skip(count: number): void {
    this.#bufferedBytes -= count
    this.#start += count
    let whole = 0
    while (whole < this.#chunks.length && this.#start >= (this.#chunks[whole] as Uint8Array).length) {
      this.#start -= (this.#chunks[whole] as Uint8Array).length
      whole++
    }
    if (whole > 0) this.#chunks.splice(0, whole)
  }

  #take(size: number): Uint8Array {
    if (size === 0) return new Uint8Array(0)
    const head = this.#chunks[0] as Uint8Array
    if (head.length - this.#start >= size) {
      const frame = head.subarray(this.#start, this.#start + size)
      this.#skip(size)
      return frame
    }
    const frame = Buffer.allocUnsafeSlow(size)
    let filled = 0
    let start = this.#start
    for (const chunk of this.#chunks) {
      const part = chunk.subarray(start, Math.min(chunk.length, start + size - filled))
      frame.set(part, filled)
      filled += part.length
      start = 0
      if (filled === size) break
    }
    this.#skip(size)
    return frame
  }
}
