// When work is due that comes at a steady rate: in steps, and all that falls within a step is due together at its end. So a latency that
// counts from when something was due does not count the step that was waited for on purpose.
//   1000 a second in steps of 5 ms: numbers 0 to 4 are due after 5 ms, 5 to 9 after 10 ms.

export interface ScheduleShape {
  readonly perSecond: number
  readonly stepMs: number
  /** Of `performance.now()`. */
  readonly startMs: number
}

export class Schedule {
  readonly #startMs: number
  readonly #stepMs: number
  readonly #perStep: number

  constructor({ perSecond, stepMs, startMs }: ScheduleShape) {
    this.#startMs = startMs
    this.#stepMs = stepMs
    this.#perStep = (perSecond * stepMs) / 1000
  }

  /** How many were due until now: the numbers below this. */
  dueBy(nowMs: number): number {
    return Math.ceil(this.stepsBy(nowMs) * this.#perStep)
  }

  dueMs(number: number): number {
    return this.endOfStepMs(this.stepOf(number))
  }

  /** How many steps have ended. */
  stepsBy(nowMs: number): number {
    return Math.max(0, Math.floor((nowMs - this.#startMs) / this.#stepMs))
  }

  stepOf(number: number): number {
    return Math.floor(number / this.#perStep)
  }

  endOfStepMs(step: number): number {
    return this.#startMs + (step + 1) * this.#stepMs
  }
}

/** Of the numbers below `count`, dealt to `hands` in turn, those that the hand has: 0 to 6 among 3 are 3, 2 and 2. */
export function dealtTo(hand: number, hands: number, count: number): number {
  return count <= hand ? 0 : Math.ceil((count - hand) / hands)
}
