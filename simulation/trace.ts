// What happened in a run, one line for each event. Two runs of one seed are equal when their lines are.

import { createHash } from 'node:crypto'
import type { SimulatedClock } from '../src/io/clock.sim.ts'
import type { Trace } from './contracts.ts'

export class RecordedTrace implements Trace {
  readonly lines: string[] = []
  readonly #clock: SimulatedClock

  constructor(clock: SimulatedClock) {
    this.#clock = clock
  }

  add(who: string, what: string): void {
    const seconds = (this.#clock.monotonic() / 1000).toFixed(4)
    this.lines.push(`${String(this.lines.length + 1)} ${seconds} ${who}: ${what}`)
  }

  digest(): string {
    const hash = createHash('sha256')
    for (const line of this.lines) hash.update(line).update('\n')
    return hash.digest('hex')
  }
}
