// The content of a file in memory: fixed-size chunks, so that appending never copies what is already there, and
// holes that cost nothing until they are written.

const chunkSize = 64 * 1024
const smallestChunk = 1024

export class ChunkedBytes {
  #size = 0
  /** Absent or short where nothing was written; what is missing reads as zeros. */
  #chunks: (Uint8Array | undefined)[] = []

  get size(): number {
    return this.#size
  }

  /** Copies up to `into.length` bytes from `position`; answers how many there were. */
  read(into: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(into.length, this.#size - position))
    let done = 0
    while (done < count) {
      const at = position + done
      const start = at % chunkSize
      const length = Math.min(count - done, chunkSize - start)
      const chunk = this.#chunks[Math.floor(at / chunkSize)]
      const stored = chunk?.subarray(start, start + length) ?? new Uint8Array(0)
      into.set(stored, done)
      into.fill(0, done + stored.length, done + length)
      done += length
    }
    return count
  }

  /** Grows when `position + bytes.length` lies beyond the end; a gap before `position` reads as zeros. */
  write(bytes: Uint8Array, position: number): void {
    let done = 0
    while (done < bytes.length) {
      const at = position + done
      const start = at % chunkSize
      const length = Math.min(bytes.length - done, chunkSize - start)
      this.#chunkFor(Math.floor(at / chunkSize), start + length).set(bytes.subarray(done, done + length), start)
      done += length
    }
    if (bytes.length > 0) this.#size = Math.max(this.#size, position + bytes.length)
  }

  /** Cuts, or grows by zeros. */
  truncate(size: number): void {
    if (size < this.#size) {
      this.#chunks.length = Math.ceil(size / chunkSize)
      // What grows here again must read as zeros.
      if (size % chunkSize > 0) this.#chunks.at(-1)?.fill(0, size % chunkSize)
    }
    this.#size = size
  }

  clone(): ChunkedBytes {
    const copy = new ChunkedBytes()
    copy.#size = this.#size
    copy.#chunks = this.#chunks.map((chunk) => chunk?.slice())
    return copy
  }

  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.#size)
    this.read(bytes, 0)
    return bytes
  }

  /** The chunk at `index`, with room for its first `length` bytes. */
  #chunkFor(index: number, length: number): Uint8Array {
    const chunk = this.#chunks[index]
    if (chunk !== undefined && chunk.length >= length) return chunk
    // Only a file's first chunk starts small: there are many small files, and few bytes to copy while one grows.
    let capacity = index === 0 ? smallestChunk : chunkSize
    while (capacity < length) capacity *= 2
    const grown = new Uint8Array(capacity)
    if (chunk !== undefined) grown.set(chunk)
    while (this.#chunks.length < index) this.#chunks.push(undefined)
    this.#chunks[index] = grown
    return grown
  }
}
