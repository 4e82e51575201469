// When the disk will be full, or how long records live now that it is. Pure.

import type { AppendRate } from './append-rates.ts'
import type { DiskLimits } from './disk-limits.ts'

export type Forecast =
  /** Nothing is appended. */
  | { readonly kind: 'still' }
  /** In so long the first record is deleted for the budget, or the volume is full. */
  | { readonly kind: 'fills'; readonly what: 'budget' | 'volume'; readonly inMs: number }
  /** The budget is used up; a record lives for so long, over all topics that may lose records. */
  | { readonly kind: 'turnsOver'; readonly lifeMs: number }
  /** The budget is used up, or the volume is full, and nothing may be deleted. */
  | { readonly kind: 'full'; readonly what: 'budget' | 'volume' }

export interface ForecastInput {
  readonly limits: DiskLimits | null
  readonly usedBytes: number
  readonly internalBytes: number
  readonly removableBytes: number
  readonly volume: { readonly freeBytes: number } | null
  readonly volumeFull: boolean
  readonly rate: AppendRate
}

/** A part of the hour without appends says little about what comes: the greater of both rates counts. */
export function forecast(found: ForecastInput): Forecast {
  const { limits, usedBytes, internalBytes, removableBytes, volume, rate } = found
  if (found.volumeFull) return { kind: 'full', what: 'volume' }
  const perMs = Math.max(rate.minute, rate.hour) / 1000
  const leftOnVolume = volume?.freeBytes ?? Infinity
  const leftInBudget = limits === null ? Infinity : limits.startBytes - (usedBytes - internalBytes)
  // What is deleted for the budget makes room on the volume: it matters only where it is the nearer bound.
  if (leftOnVolume < leftInBudget) {
    return perMs === 0 ? { kind: 'still' } : { kind: 'fills', what: 'volume', inMs: leftOnVolume / perMs }
  }
  if (leftInBudget <= budgetNoise(limits) && limits !== null) {
    if (removableBytes <= 0) return { kind: 'full', what: 'budget' }
    return perMs === 0 ? { kind: 'still' } : { kind: 'turnsOver', lifeMs: removableBytes / perMs }
  }
  if (perMs === 0 || leftInBudget === Infinity) return { kind: 'still' }
  return { kind: 'fills', what: 'budget', inMs: leftInBudget / perMs }
}

/** Deletions go down to the target, so that use swings between it and where they begin. */
function budgetNoise(limits: DiskLimits | null): number {
  return limits === null ? 0 : limits.startBytes - limits.targetBytes
}
