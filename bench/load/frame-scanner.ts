// Cuts what came into frames. A frame that lies in one read, as small answers nearly always do, is handed on where it is; what is left at
// the end of a read is kept in a buffer that is used again.

import { readInt32 } from '../../src/records/big-endian.ts'

const sizeBytes = 4

/** A frame without its size field: `bytes` from `from` to `end`, during the call only. */
export type FrameHandler = (bytes: Uint8Array, from: number, end: number) => void

export class FrameScanner {
  readonly #handle: FrameHandler
  #kept: Uint8Array = new Uint8Array(0)
  #keptBytes = 0

  constructor(handle: FrameHandler) {
    this.#handle = handle
  }

  receive(bytes: Uint8Array, end: number): void {
    let at = this.#keptBytes === 0 ? 0 : this.#completed(bytes, end)
    while (end - at >= sizeBytes) {
      const frameEnd = at + sizeBytes + readInt32(bytes, at)
      if (frameEnd > end) break
      this.#handle(bytes, at + sizeBytes, frameEnd)
      at = frameEnd
    }
    this.#keep(bytes, at, end)
  }

  /** Adds to the frame that was kept; returns where the next one begins. */
  #completed(bytes: Uint8Array, end: number): number {
    let at = Math.min(end, Math.max(0, sizeBytes - this.#keptBytes))
    this.#keep(bytes, 0, at)
    if (this.#keptBytes < sizeBytes) return at
    const frameBytes = sizeBytes + readInt32(this.#kept, 0)
    const upTo = Math.min(end, at + frameBytes - this.#keptBytes)
    this.#keep(bytes, at, upTo)
    at = upTo
    if (this.#keptBytes === frameBytes) {
      this.#keptBytes = 0
      this.#handle(this.#kept, sizeBytes, frameBytes)
    }
    return at
  }

  #keep(bytes: Uint8Array, from: number, end: number): void {
    const added = end - from
    if (added === 0) return
    if (this.#keptBytes + added > this.#kept.length) {
      const larger = Buffer.allocUnsafeSlow(2 * (this.#keptBytes + added))
      larger.set(this.#kept.subarray(0, this.#keptBytes))
      this.#kept = larger
    }
    this.#kept.set(bytes.subarray(from, end), this.#keptBytes)
    this.#keptBytes += added
  }
}
