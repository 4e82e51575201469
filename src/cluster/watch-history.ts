// The last revisions, and who watches them: a watch may begin at a revision of the past as long as it is kept here.

import type { CommittedRevision } from './commit-draft.ts'
import type { MetaEvent, Revision, WatchHandler } from './meta-store.ts'

interface Watcher {
  readonly prefix: string
  readonly handler: WatchHandler
  /** First revision it has not been told of. */
  next: Revision
}

export class WatchHistory {
  readonly #revisionsMax: number
  /** Without the revisions that changed nothing; by revision. */
  #revisions: CommittedRevision[] = []
  /** Everything up to here may be missing. */
  #forgottenUpTo: Revision
  #latest: Revision
  readonly #watchers = new Set<Watcher>()

  /** Begins after `revision`, of which nothing is known any more. `revisionsMax`: how many are kept at least. */
  constructor(revision: Revision, revisionsMax: number) {
    this.#forgottenUpTo = revision
    this.#latest = revision
    this.#revisionsMax = revisionsMax
  }

  /** Tells the watchers, each in one call. */
  add(revisions: readonly CommittedRevision[]): void {
    for (const revision of revisions) this.#revisions.push(revision)
    this.#latest = revisions.at(-1)?.revision ?? this.#latest
    for (const watcher of this.#watchers) this.#tell(watcher)
    // After telling, so that a group larger than the history reaches those who were up to date.
    if (this.#revisions.length > 2 * this.#revisionsMax) this.#forget()
  }

  /** Tells of every revision from `from` on, beginning in a later microtask. */
  watch(prefix: string, from: Revision, handler: WatchHandler): { close(): void } {
    const watcher: Watcher = { prefix, handler, next: from }
    this.#watchers.add(watcher)
    queueMicrotask(() => this.#tell(watcher))
    return { close: () => this.#watchers.delete(watcher) }
  }

  /** Nobody is told anything any more. */
  clear(): void {
    this.#watchers.clear()
  }

  #tell(watcher: Watcher): void {
    if (!this.#watchers.has(watcher) || watcher.next > this.#latest) return
    if (watcher.next <= this.#forgottenUpTo) {
      this.#watchers.delete(watcher)
      watcher.handler.reset('forgotten')
      return
    }
    const events: MetaEvent[] = []
    for (let i = this.#indexOf(watcher.next); i < this.#revisions.length; i++) {
      for (const event of this.#revisions[i]!.events) {
        if (event.entry.key.startsWith(watcher.prefix)) events.push(event)
      }
    }
    watcher.next = this.#latest + 1
    if (events.length > 0) watcher.handler.events(events, this.#latest)
  }

  /** Position of the first revision that is not below `revision`. */
  #indexOf(revision: Revision): number {
    let low = 0
    let high = this.#revisions.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#revisions[middle]!.revision < revision) low = middle + 1
      else high = middle
    }
    return low
  }

  #forget(): void {
    const kept = this.#revisions.slice(-this.#revisionsMax)
    this.#forgottenUpTo = kept[0]!.revision - 1
    this.#revisions = kept
  }
}
