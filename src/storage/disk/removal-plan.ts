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
    // Side by side, for with many logs it is the looking at each of them that takes time.
    const scores = Float64Array.from(heads, (head) => scoreOf(head, kind, wanted.nowMs))
    while (freed < wanted.bytes && plan.length < wanted.segmentsMax) {
      let best = -1
      let bestScore = nothingToGive
      for (let i = 0; i < scores.length; i++) {
        if (scores[i]! <= bestScore) continue
        best = i
        bestScore = scores[i]!
      }
      if (best < 0) break
      const head = heads[best]!
      const segment = head.log.segments[head.next++]!
      plan.push({ log: head.log, segment, kind, ageMs: ageOf(segment, wanted.nowMs) })
      freed += segment.sizeBytes
      scores[best] = scoreOf(head, kind, wanted.nowMs)
    }
  }
  return plan
}

const nothingToGive = -1

/** Age of the log's next segment by the topic's weight. */
function scoreOf(head: { log: RemovableLog; next: number }, kind: Removal['kind'], nowMs: number): number {
  const segment = candidateOf(head, kind)
  return segment === null ? nothingToGive : ageOf(segment, nowMs) / head.log.weight
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
