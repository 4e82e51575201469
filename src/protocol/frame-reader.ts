// Cuts a byte stream into frames (int32 size, then that many bytes). Bytes in, frames out.
//
// What comes in is only lent, so that one buffer can serve every socket; a frame handed out is a copy, in memory that `memoryFor` gave, and
// the caller's. What is left when the lender wants its buffer back is kept: the beginning of a frame in a buffer that grows with what
// really came, and once that is a good part of it, in the frame's own memory, into which a socket can then read directly. So a claimed size
// costs at most a few times the bytes that were sent for it.

export class FrameError extends Error {
  override readonly name = 'FrameError'
}

/** The size field before each frame. */
export const SIZE_BYTES = 4
/** A frame gets its memory before it is whole when at least one part in so many of it is there. */
const PARTS_OF_FRAME = 4
/** A buffer for what is left that is larger than this is let go of when it is empty. */
const REST_BYTES_KEPT = 1024
/** Less than this is not worth a read of its own. */
const DIRECT_BYTES_MIN = 16 * 1024

const nothing = new Uint8Array(0)

/** Gives memory for a frame of `size` bytes; `apiKey` is what a request begins with, -1 for a frame that is too short. */
export type FrameMemory = (size: number, apiKey: number) => Uint8Array

const freshMemory: FrameMemory = (size) => Buffer.allocUnsafe(size)

export class FrameReader {
  readonly #maxFrameBytes: number
  readonly #memoryFor: FrameMemory
  /** Kept bytes, older than those in `#lent`: [#restStart, #restEnd). */
  #rest: Uint8Array = nothing
  #restStart = 0
  #restEnd = 0
  /** Bytes of the latest `push`, from `#lentStart` on. */
  #lent: Uint8Array = nothing
  #lentStart = 0
  /** The frame at the head, when it has its memory before it is whole; then there is no rest. */
  #partial: Uint8Array | null = null
  #partialBytes = 0
  #dropped = false

  constructor(maxFrameBytes: number, memoryFor: FrameMemory = freshMemory) {
    this.#maxFrameBytes = maxFrameBytes
    this.#memoryFor = memoryFor
  }

  /** Bytes that came and are not yet part of a frame handed out. */
  get bufferedBytes(): number {
    const partial = this.#partial === null ? 0 : SIZE_BYTES + this.#partialBytes
    return partial + this.#headBytes()
  }

  /** `bytes` are looked at until the next call of `keep`; every `push` is followed by one before the next. */
  push(bytes: Uint8Array): void {
    if (this.#dropped) return
    const partial = this.#partial
    if (partial === null) {
      this.#lent = bytes
      this.#lentStart = 0
      return
    }
    const count = Math.min(bytes.length, partial.length - this.#partialBytes)
    const at = partial.byteOffset + this.#partialBytes
    const isInPlace = bytes.buffer === partial.buffer && bytes.byteOffset === at
    if (!isInPlace) partial.set(count === bytes.length ? bytes : bytes.subarray(0, count), this.#partialBytes)
    this.#partialBytes += count
    this.#lent = bytes
    this.#lentStart = count
  }

  /** Copies what is left of the bytes that were pushed. */
  keep(): void {
    const left = this.#lent.length - this.#lentStart
    if (left > 0 && (this.#partial !== null || !this.#beginPartial())) this.#keepRest(left)
    this.#lent = nothing
    this.#lentStart = 0
  }

  /** Where the socket may read the next bytes to; null: wherever it likes. */
  room(): Uint8Array | null {
    const partial = this.#partial
    if (partial === null || partial.length - this.#partialBytes < DIRECT_BYTES_MIN) return null
    return partial.subarray(this.#partialBytes)
  }

  /** Size in bytes of the frame at the head (without its size field), or -1 while that is not known. Throws `FrameError`. */
  headSize(): number {
    if (this.#partial !== null) return this.#partial.length
    if (this.#headBytes() < SIZE_BYTES) return -1
    const size = (this.#byteAt(0) << 24) | (this.#byteAt(1) << 16) | (this.#byteAt(2) << 8) | this.#byteAt(3)
    if (size < 0 || size > this.#maxFrameBytes) {
      throw new FrameError(`frame of ${size} bytes, the limit is ${this.#maxFrameBytes} (socket.request.max.bytes)`)
    }
    return size
  }

  /** The next whole frame without its size field, or null. Throws `FrameError` on a size that cannot be. */
  next(): Uint8Array | null {
    const partial = this.#partial
    if (partial !== null) {
      if (this.#partialBytes < partial.length) return null
      this.#partial = null
      this.#partialBytes = 0
      return partial
    }
    const size = this.headSize()
    if (size < 0 || this.#headBytes() < SIZE_BYTES + size) return null
    const frame = this.#memoryFor(size, this.#apiKey(size))
    this.#move(SIZE_BYTES, nothing)
    this.#move(size, frame)
    return frame
  }

  /** Forgets everything: the connection is closing. */
  drop(): void {
    this.#dropped = true
    this.#rest = nothing
    this.#restStart = 0
    this.#restEnd = 0
    this.#lent = nothing
    this.#lentStart = 0
    this.#partial = null
    this.#partialBytes = 0
  }

  /** What is kept or lent of frames that have no memory yet. */
  #headBytes(): number {
    return this.#restEnd - this.#restStart + this.#lent.length - this.#lentStart
  }

  /** Gives the frame at the head its memory, if enough of it has come. A size that cannot be is for `next` to refuse. */
  #beginPartial(): boolean {
    const buffered = this.#headBytes()
    if (buffered < SIZE_BYTES + 2) return false
    const claimed = (this.#byteAt(0) << 24) | (this.#byteAt(1) << 16) | (this.#byteAt(2) << 8) | this.#byteAt(3)
    const here = buffered - SIZE_BYTES
    if (claimed < here || claimed > this.#maxFrameBytes || claimed > here * PARTS_OF_FRAME) return false
    const partial = this.#memoryFor(claimed, this.#apiKey(claimed))
    this.#move(SIZE_BYTES, nothing)
    this.#move(here, partial)
    this.#partial = partial
    this.#partialBytes = here
    return true
  }

  #keepRest(left: number): void {
    const kept = this.#restEnd - this.#restStart
    if (this.#restEnd + left > this.#rest.length) {
      const size = Math.max(REST_BYTES_KEPT, kept + left > this.#rest.length ? 2 * (kept + left) : this.#rest.length)
      const rest = Buffer.allocUnsafeSlow(size)
      rest.set(this.#rest.subarray(this.#restStart, this.#restEnd))
      this.#rest = rest
      this.#restStart = 0
      this.#restEnd = kept
    }
    this.#rest.set(this.#lentStart === 0 ? this.#lent : this.#lent.subarray(this.#lentStart), this.#restEnd)
    this.#restEnd += left
  }

  #apiKey(size: number): number {
    return size < 2 ? -1 : (this.#byteAt(SIZE_BYTES) << 8) | this.#byteAt(SIZE_BYTES + 1)
  }

  #byteAt(index: number): number {
    const inRest = this.#restStart + index
    if (inRest < this.#restEnd) return this.#rest[inRest]!
    return this.#lent[this.#lentStart + inRest - this.#restEnd]!
  }

  /** Takes `count` bytes from the head, and writes them to the beginning of `into` unless that is empty. */
  #move(count: number, into: Uint8Array): void {
    const fromRest = Math.min(count, this.#restEnd - this.#restStart)
    if (fromRest > 0) {
      if (into.length > 0) into.set(this.#rest.subarray(this.#restStart, this.#restStart + fromRest))
      this.#restStart += fromRest
      if (this.#restStart === this.#restEnd) {
        this.#restStart = 0
        this.#restEnd = 0
        if (this.#rest.length > REST_BYTES_KEPT) this.#rest = nothing
      }
    }
    const fromLent = count - fromRest
    if (fromLent === 0) return
    if (into.length > 0) into.set(this.#lent.subarray(this.#lentStart, this.#lentStart + fromLent), fromRest)
    this.#lentStart += fromLent
  }
}
