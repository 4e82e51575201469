// What somebody is about to ask for, read before he does: while his answer is sent and looked at, a thread brings the next one. Here is the
// bound that holds for all logs of a broker.

import type { Clock, Millis } from '../io/clock.ts'
import { slabOf } from '../lib/slab.ts'
import type { LogRead, Offset } from './partition-log.ts'

/** Who has not asked for so long is not expected to any more. */
const expectedForMs: Millis = 1000

export interface ReadAheadPlace {
  readonly from: Offset
  readonly maxBytes: number
  readonly upTo: Offset
  /** Of the log when it was read. */
  readonly shape: number
}

export class ReadAhead {
  readonly place: ReadAheadPlace
  readonly begunAt: Millis
  /** Null when it came to nothing. Never rejects. */
  readonly found: Promise<LogRead | null>
  readonly onDropped: () => void

  constructor(place: ReadAheadPlace, begunAt: Millis, found: Promise<LogRead | null>, onDropped: () => void) {
    this.place = place
    this.begunAt = begunAt
    this.found = found
    this.onDropped = onDropped
  }
}

export class ReadAheads {
  readonly #clock: Clock
  readonly #bytesMax: number
  #bytes = 0
  /** In the order in which they were begun. */
  readonly #kept = new Set<ReadAhead>()

  constructor(clock: Clock, bytesMax: number) {
    this.#clock = clock
    this.#bytesMax = bytesMax
  }

  /** Null when there is no room for it; `read` is not called then. `onDropped`: nobody asked for it in time. */
  begin(place: ReadAheadPlace, read: () => Promise<LogRead | null>, onDropped: () => void): ReadAhead | null {
    const now = this.#clock.monotonic()
    for (const oldest of this.#kept) {
      if (this.#bytes + place.maxBytes <= this.#bytesMax || now - oldest.begunAt < expectedForMs) break
      this.drop(oldest)
      oldest.onDropped()
    }
    if (this.#bytes + place.maxBytes > this.#bytesMax) return null
    const ahead = new ReadAhead(place, now, read(), onDropped)
    this.#kept.add(ahead)
    this.#bytes += place.maxBytes
    return ahead
  }

  /** What was found becomes the caller's. */
  take(ahead: ReadAhead): Promise<LogRead | null> {
    if (this.#kept.delete(ahead)) this.#bytes -= ahead.place.maxBytes
    return ahead.found
  }

  /** It is not wanted any more. */
  drop(ahead: ReadAhead): void {
    void this.take(ahead).then(letGo)
  }
}

/** Its memory may be used again. */
export function letGo(found: LogRead | null): void {
  if (found === null || !found.ok) return
  for (const chunk of found.chunks) slabOf(chunk)?.release()
}
