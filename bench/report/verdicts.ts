// What a row's samples say: medians, spreads, ratios, and whether each goal is met.

import { type Figure, figures, type Goal, type RowResult, type RunResult, type Sample } from './result.ts'
import type { PeerName } from '../peers/peer.ts'

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Undefined of nothing. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}

/** Of one peer, over its rounds. */
export function figureOf(row: RowResult, peer: PeerName, figure: Figure): Spread | undefined {
  return spreadOf(valuesOf(row.samples[peer], figure))
}

/** Odradek's figure over the other's, round by round: what else the machine did met both alike. */
export function ratioOf(row: RowResult, against: Goal['against'], figure: Figure): Spread | undefined {
  const others = row.samples[against] ?? []
  const ratios = (row.samples.odradek ?? []).flatMap((sample, round) => {
    const [mine, other] = [sample[figure], others[round]?.[figure]]
    return mine === undefined || other === undefined ? [] : [mine / other]
  })
  return spreadOf(ratios.filter(Number.isFinite))
}

function valuesOf(samples: readonly Sample[] = [], figure: Figure): number[] {
  return samples.map((sample) => sample[figure]).filter((value) => value !== undefined)
}

/** 'not measured' is no excuse: one of the two has no figure, and the report says why. */
export type Outcome = 'met' | 'NOT MET' | 'not measured'

export interface Verdict {
  readonly goal: Goal
  readonly ratio: Spread | undefined
  readonly outcome: Outcome
}

export function verdictOf(row: RowResult, goal: Goal): Verdict {
  const ratio = ratioOf(row, goal.against, goal.figure)
  if (ratio === undefined) return { goal, ratio, outcome: 'not measured' }
  return { goal, ratio, outcome: isMet(goal, ratio.median) ? 'met' : 'NOT MET' }
}

/** A goal of 1 is to be ahead, or level to the last digit. */
function isMet({ figure, ratio: wanted }: Goal, ratio: number): boolean {
  return figures[figure].better === 'more' ? ratio >= wanted : ratio <= wanted
}

export function verdictsOf({ rows }: Pick<RunResult, 'rows'>): Verdict[] {
  return rows.flatMap((row) => row.goals.map((goal) => verdictOf(row, goal)))
}

export function countOf(verdicts: readonly Verdict[], outcome: Outcome): number {
  return verdicts.filter((verdict) => verdict.outcome === outcome).length
}
