// How much the logs of a broker may still take: what an append looks at, one comparison of numbers. The keeper (disk-keeper.ts) sets it
// from what is on disk; in between each append takes its bytes off.

import type { LogConfig } from '../partition-log.ts'

/** Taken with the first batch of a segment, for the files that come with one, until the keeper has counted them. */
export const newSegmentBytes = 32 * 1024

export type NoRoom = 'diskFull' | 'budgetExceeded'

export class DiskRoom {
  #leftBytes = Infinity
  #reservedLeftBytes = Infinity
  #volumeFull = false
  readonly #onVolume = new Set<() => void>()
  /** Segments are rolled at this size, whatever `segment.bytes` says, so that a small budget is not one segment. */
  segmentBytesMax = Infinity
  /** Nothing is left that may be deleted to make room. */
  nothingToDelete = false
  /** The greatest batch that was refused since the keeper made room. */
  wantedBytes = 0
  /** Called when a write found no room on the disk. Must not throw. */
  onNoRoom: () => void = () => {}
  #wakeBelowBytes = -Infinity
  #wake: () => void = () => {}

  /** What logs that are not exempt may still take: Infinity without a limit, negative when the volume is full. */
  get leftBytes(): number {
    return this.#volumeFull ? -Infinity : this.#leftBytes
  }

  /** What is left for logs, and what those that are exempt may take before they take from the room of the others. */
  counted(leftBytes: number, reservedLeftBytes: number): void {
    this.#leftBytes = leftBytes
    this.#reservedLeftBytes = reservedLeftBytes
  }

  /** Calls `listener` whenever the disk is full, or has room again. It must not throw. Answers how to end that. */
  onVolume(listener: () => void): () => void {
    this.#onVolume.add(listener)
    return () => void this.#onVolume.delete(listener)
  }

  /** The disk has no room, whatever the budget says. */
  get volumeFull(): boolean {
    return this.#volumeFull
  }

  set volumeFull(full: boolean) {
    if (full === this.#volumeFull) return
    this.#volumeFull = full
    for (const listener of this.#onVolume) listener()
  }

  /** Calls `wake` once, when less than `bytes` are left or an append is refused. It must not throw. */
  wakeBelow(bytes: number, wake: () => void): void {
    this.#wakeBelowBytes = bytes
    this.#wake = wake
  }

  /** An append of this size was let in. */
  take(bytes: number, policy: LogConfig['budgetPolicy']): void {
    let taken = bytes
    if (policy === 'exempt') {
      this.#reservedLeftBytes -= bytes
      if (this.#reservedLeftBytes >= 0) return
      taken = -this.#reservedLeftBytes
      this.#reservedLeftBytes = 0
    }
    this.#leftBytes -= taken
    if (this.#leftBytes < this.#wakeBelowBytes) this.#wakeUp()
  }

  /** An append of this size found no room: why, in the words of the log. */
  refuse(bytes: number, policy: LogConfig['budgetPolicy']): NoRoom {
    this.wantedBytes = Math.max(this.wantedBytes, bytes)
    this.#wakeUp()
    return policy === 'refuse' && this.nothingToDelete ? 'budgetExceeded' : 'diskFull'
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wakeBelowBytes = -Infinity
    this.#wake = () => {}
    wake()
  }
}
