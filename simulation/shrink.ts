// Makes a failing run smaller: a shorter time, fewer faults, fewer workloads, as long as the same rule is broken. What is left is what a
// person has to understand. Every try is a whole run, so tries are bounded; the order of tries is fixed, and so is the result.

import type { Millis } from '../src/io/clock.ts'

/** What a run is made of beside its seed. */
export interface RunParts<Fault> {
  readonly faults: readonly Fault[]
  readonly workloads: readonly string[]
  /** How long the workloads go on. */
  readonly durationMs: Millis
}

export interface Failure {
  readonly rule: string
  /** Simulated, from the beginning of the workloads on. */
  readonly atMs: Millis
}

export interface ShrinkOptions<Fault> {
  readonly parts: RunParts<Fault>
  readonly failure: Failure
  /** Null: nothing is broken. Not called again for parts that were tried. */
  readonly run: (parts: RunParts<Fault>) => Promise<Failure | null>
  readonly runsMax: number
  /** Asked before each run. */
  readonly mayGoOn?: () => boolean
}

export interface Shrunk<Fault> {
  readonly parts: RunParts<Fault>
  readonly failure: Failure
  readonly runs: number
}

/** A run ends no earlier than so much after the moment at which the rule was broken. */
const marginMs: Millis = 1000

export async function shrink<Fault>(options: ShrinkOptions<Fault>): Promise<Shrunk<Fault>> {
  const shrinking = new Shrinking(options)
  let size: string
  do {
    size = shrinking.size
    await shrinking.shortenTime()
    await shrinking.dropFaults()
    await shrinking.dropWorkloads()
  } while (shrinking.size !== size && !shrinking.isOver)
  return shrinking.result
}

class Shrinking<Fault> {
  readonly #options: ShrinkOptions<Fault>
  readonly #tried = new Set<string>()
  #parts: RunParts<Fault>
  #failure: Failure
  #runs = 0

  constructor(options: ShrinkOptions<Fault>) {
    this.#options = options
    this.#parts = options.parts
    this.#failure = options.failure
  }

  get result(): Shrunk<Fault> {
    return { parts: this.#parts, failure: this.#failure, runs: this.#runs }
  }

  get size(): string {
    const { faults, workloads, durationMs } = this.#parts
    return `${faults.length} ${workloads.length} ${durationMs}`
  }

  get isOver(): boolean {
    const { runsMax, mayGoOn } = this.#options
    return this.#runs >= runsMax || mayGoOn?.() === false
  }

  /** To the moment of the failure; when it came only after the workloads' end, to ever less. */
  async shortenTime(): Promise<void> {
    const { durationMs } = this.#parts
    const wanted = Math.ceil((this.#failure.atMs + marginMs) / 1000) * 1000
    if (wanted < durationMs && (await this.#try({ durationMs: wanted }))) return
    for (let half = Math.floor(durationMs / 2000) * 1000; half >= marginMs; half = Math.floor(half / 2000) * 1000) {
      if (!(await this.#try({ durationMs: half }))) return
    }
  }

  /** Delta debugging (Zeller's ddmin): halves first, then ever smaller pieces; in the end no single fault can be left out. */
  async dropFaults(): Promise<void> {
    if (this.#parts.faults.length > 0 && (await this.#try({ faults: [] }))) return
    let pieces = 2
    while (this.#parts.faults.length > 1 && !this.isOver) {
      const { faults } = this.#parts
      const reduced = await this.#withoutOneOf(cut(faults, Math.min(pieces, faults.length)))
      if (reduced) pieces = Math.max(2, pieces - 1)
      else if (pieces >= faults.length) return
      else pieces *= 2
    }
  }

  /** One after the other; one is left. */
  async dropWorkloads(): Promise<void> {
    for (const name of this.#parts.workloads) {
      const workloads = this.#parts.workloads.filter((other) => other !== name)
      if (workloads.length > 0) await this.#try({ workloads })
    }
  }

  async #withoutOneOf(pieces: readonly (readonly Fault[])[]): Promise<boolean> {
    for (const piece of pieces) {
      const gone = new Set(piece)
      if (await this.#try({ faults: this.#parts.faults.filter((fault) => !gone.has(fault)) })) return true
    }
    return false
  }

  /** True: the same rule is broken without what was left out, and the parts are these from here on. */
  async #try(change: Partial<RunParts<Fault>>): Promise<boolean> {
    const parts = { ...this.#parts, ...change }
    const key = JSON.stringify(parts)
    if (this.isOver || this.#tried.has(key)) return false
    this.#tried.add(key)
    this.#runs += 1
    const failure = await this.#options.run(parts)
    if (failure?.rule !== this.#failure.rule) return false
    this.#parts = parts
    this.#failure = failure
    return true
  }
}

/** Into so many pieces, nearly equal. */
function cut<T>(list: readonly T[], pieces: number): T[][] {
  return Array.from({ length: pieces }, (_, i) =>
    list.slice(Math.floor((i * list.length) / pieces), Math.floor(((i + 1) * list.length) / pieces)),
  )
}
