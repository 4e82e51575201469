// Which segments go when the disk budget is used up. Pure: logs and their segments in, an order out.
//
// Of the oldest segment of each log that may lose records, the one goes first whose age divided by its topic's weight is greatest: records
// of weight 2 stay twice as long as those of weight 1. A log's segments go in order. The active one is never deleted; when nothing else
// is left it is sealed first, and then is a segment like any other.
//
//   orders (weight 1): segments of 9 h and 5 h    clicks (weight 0.5): segments of 6 h and 1 h
//   order: clicks 6 h (12), orders 9 h (9), orders 5 h (5), clicks 1 h (2)

import type { LogConfig, Offset } from '../partition-log.ts'

export interface RemovableSegment {
  readonly baseOffset: Offset
  /** Where the next one begins. */
  readonly endOffset: Offset
  readonly sizeBytes: number
  /** Greatest timestamp of its records, or when its file was made. */
  readonly newestMs: number
  readonly active: boolean
}

export interface RemovableLog {
  readonly name: string
  readonly weight: number
  readonly policy: LogConfig['budgetPolicy']
  /** What lies at or above it stays. */
  readonly highWatermark: Offset
  /** Oldest first; the last one is active. */
  readonly segments: readonly RemovableSegment[]
}

export interface Removal<Log extends RemovableLog = RemovableLog> {
  readonly log: Log
  readonly segment: RemovableSegment
  /** `roll`: it is active, and is to be sealed before it can go. */
  readonly kind: 'delete' | 'roll'
  readonly ageMs: number
}

export interface RemovalWanted {
  readonly bytes: number
  /** At most so many segments. */
  readonly segmentsMax: number
  readonly nowMs: number
}

/** In the order in which they go: enough to free `bytes`, or all there is. An empty answer: nothing may go. */
export function planRemoval<Log extends RemovableLog>(logs: readonly Log[], wanted: RemovalWanted): Removal<Log>[] {
  const heads = logs.filter((log) => log.policy === 'delete').map((log) => ({ log, next: 0 }))
  const plan: Removal<Log>[] = []
  let freed = 0
  for (const kind of ['delete', 'roll'] as const) {
    while (freed < wanted.bytes && plan.length < wanted.segmentsMax) {
      let best: { log: Log; next: number } | null = null
      let bestScore = -1
      for (const head of heads) {
        const segment = candidateOf(head, kind)
        if (segment === null) continue
        const score = ageOf(segment, wanted.nowMs) / head.log.weight
        if (score > bestScore) {
          best = head
          bestScore = score
        }
      }
      if (best === null) break
      const segment = best.log.segments[best.next]!
      plan.push({ log: best.log, segment, kind, ageMs: ageOf(segment, wanted.nowMs) })
      freed += segment.sizeBytes
      best.next++
    }
  }
  return plan
}

function candidateOf(
  { log, next }: { log: RemovableLog; next: number },
  kind: Removal['kind'],
): RemovableSegment | null {
  const segment = log.segments[next]
  if (segment === undefined || segment.active !== (kind === 'roll')) return null
  if (kind === 'roll') return segment.sizeBytes > 0 ? segment : null
  return segment.endOffset <= log.highWatermark ? segment : null
}

/** Records from the future are new. */
function ageOf(segment: RemovableSegment, nowMs: number): number {
  return Math.max(0, nowMs - segment.newestMs)
}
