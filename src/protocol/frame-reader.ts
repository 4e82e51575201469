// Cuts a byte stream into frames (int32 size, then that many bytes). Pure: bytes in, frames out.
// A frame inside one chunk is a view of it; only a frame that spans chunks is copied, once, when it is complete,
// so that a claimed size costs nothing until its bytes have really come.

export class FrameError extends Error {
  override readonly name = 'FrameError'
}

/** The size field before each frame. */
export const SIZE_BYTES = 4
/** So many chunks in a row, if smaller than that on average, are joined: a byte at a time must not cost an object a byte. */
const CHUNKS_JOINED = 256
const SMALL_CHUNK_BYTES = 4096

export class FrameReader {
  readonly #maxFrameBytes: number
  readonly #chunks: Uint8Array[] = []
  /** Where the unread bytes of the first chunk begin. */
  #start = 0
  #bufferedBytes = 0
  /** The latest chunks, not yet considered for joining. */
  #looseChunks = 0
  #looseBytes = 0
  #dropped = false

  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes
  }

  /** Bytes that came and are not yet part of a frame handed out. */
  get bufferedBytes(): number {
    return this.#bufferedBytes
  }

  /** In how many chunks they are kept. */
  get pieces(): number {
    return this.#chunks.length
  }

  push(bytes: Uint8Array): void {
    if (this.#dropped || bytes.length === 0) return
    this.#chunks.push(bytes)
    this.#bufferedBytes += bytes.length
    this.#looseChunks += 1
    this.#looseBytes += bytes.length
    if (this.#looseChunks >= CHUNKS_JOINED) this.#joinLoose()
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
    this.#forget()
  }

  #forget(): void {
    this.#chunks.length = 0
    this.#start = 0
    this.#bufferedBytes = 0
    this.#looseChunks = 0
    this.#looseBytes = 0
  }

  /** With what came before, as long as that is not much more: so every byte is copied a few times at most. */
  #joinLoose(): void {
    let bytes = this.#looseBytes
    let from = this.#chunks.length - Math.min(this.#looseChunks, this.#chunks.length)
    this.#looseChunks = 0
    this.#looseBytes = 0
    if (bytes >= CHUNKS_JOINED * SMALL_CHUNK_BYTES) return
    while (from > 0 && this.#chunks[from - 1]!.length <= 2 * bytes) bytes += this.#chunks[--from]!.length
    if (this.#chunks.length - from > 1) this.#chunks.push(Buffer.concat(this.#chunks.splice(from)))
  }

  #byteAt(index: number): number {
    let at = this.#start + index
    for (const chunk of this.#chunks) {
      if (at < chunk.length) return chunk[at]!
      at -= chunk.length
    }
    throw new RangeError('byte beyond what is buffered')
  }

  #skip(count: number): void {
    this.#bufferedBytes -= count
    if (this.#bufferedBytes === 0) {
      this.#forget()
      return
    }
    this.#start += count
    let whole = 0
    while (this.#start >= this.#chunks[whole]!.length) {
      this.#start -= this.#chunks[whole]!.length
      whole += 1
    }
    if (whole > 0) this.#chunks.splice(0, whole)
  }

  #take(size: number): Uint8Array {
    if (size === 0) return new Uint8Array(0)
    const head = this.#chunks[0]!
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
