// Which fault when: data, so that a run can be written down, repeated without its seed, and made smaller.

import type { SeededRandom } from '../src/io/random.sim.ts'
import type { ThawOrder } from './process-life.ts'

/** A machine's host name, or all clients. */
export type Place = string

export type Fault =
  /** Down until the end: the power fails, `kill -9`, or a controlled shutdown; the next life finds what the last one left. */
  { readonly kind: 'crash' | 'kill' | 'stop'; readonly machine: number }

export interface ScheduledFault {
  /** From when the clients are at work. */
  readonly atMs: number
  readonly untilMs: number
  readonly fault: Fault
}

export interface Schedule {
  readonly durationMs: number
  readonly items: readonly ScheduledFault[]
}

export type { ThawOrder }

export function scheduleOf(random: SeededRandom, { brokers }: { readonly brokers: number }): Schedule {
  const durationMs = 20_000 + random.below(40_000)
  const items: ScheduledFault[] = []
  for (let atMs = random.below(3000); atMs < durationMs; atMs += 200 + random.below(6000)) {
    const untilMs = Math.min(durationMs, atMs + 100 + random.below(8000))
    items.push({
      atMs,
      untilMs,
      fault: { kind: random.pick(['crash', 'kill', 'stop']), machine: 1 + random.below(brokers) },
    })
  }
  return { durationMs, items }
}
