// What somebody is about to ask for, read before he does: while his answer is sent and looked at, a thread brings the next one. Here is the
// bound that holds for all logs of a broker.

import type { Clock, Millis } from '../io/clock.ts'
import { slabOf } from '../lib/slab.ts'
import type { LogRead, Offset } from './partition-log.ts'

/** Who has not asked for so long is not expected to any more. */
const expectedForMs: Millis = 1000

export interface ExpectedPlace {
  readonly from: Offset
  readonly maxBytes: number
  readonly upTo: Offset
  /** Of the log when it was read. */
  readonly shape: number
}

export interface ExpectedRead {
  readonly place: ExpectedPlace
  readonly begunAt: Millis
  /** Null when it came to nothing. Never rejects. */
  readonly found: Promise<LogRead | null>
  readonly onDropped: () => void
}

export class ExpectedReads {
  readonly #clock: Clock
  readonly #bytesMax: number
  #bytes = 0
  /** In the order in which they were begun. */
  readonly #kept = new Set<ExpectedRead>()

  constructor(clock: Clock, bytesMax: number) {
    this.#clock = clock
    this.#bytesMax = bytesMax
  }

  /** Null when there is no room for it; `read` is not called then. `onDropped`: nobody asked for it in time. */
  begin(place: ExpectedPlace, read: () => Promise<LogRead | null>, onDropped: () => void): ExpectedRead | null {
    const now = this.#clock.monotonic()
    for (const oldest of this.#kept) {
      if (this.#bytes + place.maxBytes <= this.#bytesMax || now - oldest.begunAt < expectedForMs) break
      void this.take(oldest).then(releaseRead)
      oldest.onDropped()
    }
    if (this.#bytes + place.maxBytes > this.#bytesMax) return null
    const expected: ExpectedRead = { place, begunAt: now, found: read(), onDropped }
    this.#kept.add(expected)
    this.#bytes += place.maxBytes
    return expected
  }

  /** What was found becomes the caller's. */
  take(expected: ExpectedRead): Promise<LogRead | null> {
    if (this.#kept.delete(expected)) this.#bytes -= expected.place.maxBytes
    return expected.found
  }
}

/** Its memory may be used again. */
export function releaseRead(found: LogRead | null): void {
  if (found === null || !found.ok) return
  for (const chunk of found.chunks) slabOf(chunk)?.release()
}
