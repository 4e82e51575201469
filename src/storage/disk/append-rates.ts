// How fast bytes are appended to each topic: over the last minute in steps of 5 s, over the last hour in steps of a minute. A topic that
// nobody writes to costs nothing.

export const rateStepMs = 5000
const stepsPerMinute = 12
const minutesPerHour = 60

export interface AppendRate {
  /** Bytes per second. */
  readonly minute: number
  readonly hour: number
}

const still: AppendRate = { minute: 0, hour: 0 }

interface Window {
  /** Bytes appended in each of the last steps of 5 s, and in each of the last minutes; rings. */
  readonly steps: number[]
  readonly minutes: number[]
}

export class AppendRates {
  readonly #windows = new Map<string, Window>()
  #steps = 0
  /** Bytes of each topic since it was last asked, by the totals it reported. */
  readonly #totals = new Map<string, number>()

  /** To be called every `rateStepMs` with all that each topic has ever appended. */
  step(totals: ReadonlyMap<string, number>): void {
    const at = this.#steps++
    const step = at % stepsPerMinute
    const minute = Math.floor(at / stepsPerMinute) % minutesPerHour
    for (const [topic, total] of totals) {
      const before = this.#totals.get(topic)
      this.#totals.set(topic, total)
      // A topic that is new has appended all of it just now; a total that fell is of another topic of that name.
      const appended = before === undefined || total < before ? total : total - before
      let window = this.#windows.get(topic)
      if (window === undefined) {
        if (appended === 0) continue
        window = { steps: zeros(stepsPerMinute), minutes: zeros(minutesPerHour) }
        this.#windows.set(topic, window)
      }
      window.steps[step] = appended
      window.minutes[minute] = (step === 0 ? 0 : window.minutes[minute]!) + appended
    }
    for (const topic of this.#totals.keys()) {
      if (totals.has(topic)) continue
      this.#totals.delete(topic)
      this.#windows.delete(topic)
    }
    if (step === stepsPerMinute - 1) this.#forgetStill()
  }

  of(topic: string): AppendRate {
    const window = this.#windows.get(topic)
    if (window === undefined) return still
    const seconds = rateStepMs / 1000
    // What has not been measured yet counts neither as bytes nor as time.
    const inMinute = Math.min(this.#steps, stepsPerMinute) * seconds
    const inHour = Math.min(this.#steps, stepsPerMinute * (minutesPerHour - 1) + stepsInMinute(this.#steps)) * seconds
    return { minute: sum(window.steps) / inMinute, hour: sum(window.minutes) / inHour }
  }

  /** All topics together. */
  total(): AppendRate {
    let minute = 0
    let hour = 0
    for (const topic of this.#windows.keys()) {
      const rate = this.of(topic)
      minute += rate.minute
      hour += rate.hour
    }
    return { minute, hour }
  }

  #forgetStill(): void {
    for (const [topic, { minutes }] of this.#windows) if (sum(minutes) === 0) this.#windows.delete(topic)
  }
}

/** Steps measured in the minute that is under way, which takes the place of the oldest one. */
function stepsInMinute(steps: number): number {
  return ((steps - 1) % stepsPerMinute) + 1
}

function zeros(length: number): number[] {
  return Array.from({ length }, () => 0)
}

function sum(values: readonly number[]): number {
  let total = 0
  for (const value of values) total += value
  return total
}
