// Who watches a partition. A consumer at the end of a log begins and ends to watch with each fetch, and a set makes garbage of that: a table
// now and then, each of which keeps those that came after it from being collected until the old generation is.

import type { PartitionWatcher } from './partition.ts'

/** As long as there are no more, looking through all of them is as quick as a set. */
const fewMax = 32

export class WatcherList {
  readonly #few: PartitionWatcher[] = []
  #many: Set<PartitionWatcher> | null = null

  /** Who is here already is here once. */
  add(watcher: PartitionWatcher): void {
    if (this.#many !== null) this.#many.add(watcher)
    else if (this.#few.includes(watcher)) return
    else if (this.#few.length < fewMax) this.#few.push(watcher)
    else {
      this.#many = new Set(this.#few).add(watcher)
      this.#few.length = 0
    }
  }

  delete(watcher: PartitionWatcher): void {
    if (this.#many !== null) {
      this.#many.delete(watcher)
      if (this.#many.size === 0) this.#many = null
      return
    }
    const index = this.#few.lastIndexOf(watcher)
    if (index < 0) return
    const last = this.#few.pop()!
    if (index < this.#few.length) this.#few[index] = last
  }

  /** Who is told may stop watching at once. */
  tell(bytes: number): void {
    if (this.#many !== null) {
      for (const watcher of this.#many) watcher.partitionChanged(bytes)
      return
    }
    for (let index = this.#few.length - 1; index >= 0; index--) this.#few[index]?.partitionChanged(bytes)
  }
}
