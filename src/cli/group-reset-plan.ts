// What a reset of a group's offsets would do: to which offset each partition goes, and what is read again or never by that.

import { nameOf, type TopicPartition } from './group-cluster.ts'
import type { LogBounds } from './group-offsets.ts'

export type ResetGoal =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'latest' }
  /** `offsets`: the first at or after that time, by name of the partition; -1 where there is none. */
  | { readonly kind: 'datetime'; readonly timeMs: number; readonly offsets: ReadonlyMap<string, number> }
  | { readonly kind: 'shiftBy'; readonly by: number }
  | { readonly kind: 'offset'; readonly offset: number }
  /** What was committed before; null for a partition that had no offset. */
  | { readonly kind: 'undo'; readonly saved: ReadonlyMap<string, number | null> }

export interface Position extends TopicPartition {
  /** What is committed now; null when nothing is. */
  readonly committed: number | null
  /** Null when the partition has no leader, or is no more. */
  readonly bounds: LogBounds | null
}

export interface Move extends TopicPartition {
  readonly from: number | null
  /** Null: the offset is taken away, as there was none. */
  readonly to: number | null
  /** Where it was meant to go, when the log does not reach there. */
  readonly meant: number | null
  /** `[from, to)` of the records that are read again, that are not read at all; null when there are none. */
  readonly reReads: OffsetRange | null
  readonly skips: OffsetRange | null
}

/** Half open, and not empty. */
export interface OffsetRange {
  readonly from: number
  readonly to: number
}

/** A partition the reset cannot touch, and why. */
export interface LeftAlone extends TopicPartition {
  readonly why: string
}

export interface ResetPlan {
  /** Those that change something. */
  readonly moves: readonly Move[]
  /** Those that are where they should be. */
  readonly unchanged: readonly TopicPartition[]
  readonly leftAlone: readonly LeftAlone[]
}

export function planReset(positions: readonly Position[], goal: ResetGoal): ResetPlan {
  const moves: Move[] = []
  const unchanged: TopicPartition[] = []
  const leftAlone: LeftAlone[] = []
  for (const { topic, partition, committed, bounds } of positions) {
    const place = { topic, partition }
    if (bounds === null) {
      leftAlone.push({ ...place, why: 'it has no leader, or is no more' })
      continue
    }
    const wanted = wantedOffset(goal, place, committed, bounds)
    if (typeof wanted === 'string') {
      leftAlone.push({ ...place, why: wanted })
      continue
    }
    const to = wanted === null ? null : Math.min(Math.max(wanted, bounds.start), bounds.end)
    if (to === committed) unchanged.push(place)
    else
      moves.push({
        ...place,
        from: committed,
        to,
        meant: to === wanted ? null : wanted,
        ...betweenThem(committed, to, bounds),
      })
  }
  return { moves, unchanged, leftAlone }
}

/** Words say why there is none. */
function wantedOffset(
  goal: ResetGoal,
  place: TopicPartition,
  committed: number | null,
  bounds: LogBounds,
): number | null | string {
  switch (goal.kind) {
    case 'earliest':
      return bounds.start
    case 'latest':
      return bounds.end
    case 'datetime': {
      const offset = goal.offsets.get(nameOf(place))
      if (offset === undefined) return 'its leader did not say which offset the time stands for'
      return offset < 0 ? bounds.end : offset
    }
    case 'shiftBy':
      return committed === null ? 'no offset is committed that could be shifted' : committed + goal.by
    case 'offset':
      return goal.offset
    case 'undo': {
      const saved = goal.saved.get(nameOf(place))
      return saved === undefined ? 'the last reset did not touch it' : saved
    }
  }
}

/** Of a partition without an offset nobody knows what was read. */
function betweenThem(from: number | null, to: number | null, bounds: LogBounds): Pick<Move, 'reReads' | 'skips'> {
  if (from === null || to === null) return { reReads: null, skips: null }
  return {
    reReads: rangeOf(to, Math.min(from, bounds.end)),
    skips: rangeOf(Math.max(from, bounds.start), to),
  }
}

const rangeOf = (from: number, to: number): OffsetRange | null => (from < to ? { from, to } : null)
