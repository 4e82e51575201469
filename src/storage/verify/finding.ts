// What a check of a data folder has to say, one finding at a time.

import type { Offset } from '../partition-log.ts'

/**
 * | severity | what it is |
 * |---|---|
 * | damage | records, or what a start needs to serve them, are lost or wrong |
 * | tornTail | an unclean stop left bytes that nobody was told of; the next start cuts them |
 * | repairable | no record is touched: the broker builds it again, or does once the file is deleted |
 * | leftover | a file or folder that belongs to no log any more |
 * | notice | nothing is wrong; whoever reads the report should know |
 */
export const severities = ['damage', 'tornTail', 'repairable', 'leftover', 'notice'] as const

export type Severity = (typeof severities)[number]

export interface Finding {
  readonly severity: Severity
  /** Path below the data folder. */
  readonly file: string
  /** Byte of the file; null when it is about the file as a whole. */
  readonly position: number | null
  readonly offset: Offset | null
  /** What is wrong, in a few words. */
  readonly what: string
  /** What it means for whoever keeps the data, and what to do. */
  readonly meaning: string
}

/** A log that is one ruin needs no more lines than this. */
const findingsOfLogMax = 200

/** The findings of one log, bounded; what comes after the bound is only counted. */
export class Findings {
  readonly list: Finding[] = []
  readonly counts: Record<Severity, number> = { damage: 0, tornTail: 0, repairable: 0, leftover: 0, notice: 0 }
  readonly #place: string

  /** `place`: what stands before every file's name, `orders-0/` or nothing. */
  constructor(place = '') {
    this.#place = place
  }

  get notListed(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0) - this.list.length
  }

  add(
    severity: Severity,
    file: string,
    what: string,
    meaning: string,
    at: { readonly position?: number; readonly offset?: Offset } = {},
  ): void {
    this.counts[severity]++
    // Damage is always listed: a report that leaves it out for leftovers that came before would hide what matters.
    const listed = severity === 'damage' ? 2 * findingsOfLogMax : findingsOfLogMax
    if (this.list.length >= listed) return
    const { position = null, offset = null } = at
    this.list.push({ severity, file: this.#place + file, position, offset, what, meaning })
  }
}
