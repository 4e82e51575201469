// Loaded into a broker's process before it starts (`node --import`): watches its event loop with a timer of 1 ms and reports over the
// process's channel when it is asked. A late timer alone says little on a busy machine, so each delay comes with the processor time that
// this thread used meanwhile, and the part of it that garbage collection took. What is left is our own work in one turn of the loop.

import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'

/** One late timer. Times in milliseconds. */
export interface LoopDelay {
  /** Since the process began. */
  readonly at: number
  readonly wall: number
  /** Processor time of the thread meanwhile. */
  readonly cpu: number
  readonly gc: number
  /** `cpu` without `gc`: what is ours. */
  readonly own: number
}

export interface LoopReport {
  /** By Node's own histogram, in milliseconds. */
  readonly histogram: { readonly p50: number; readonly p99: number; readonly p999: number; readonly max: number }
  /** Of collections of garbage, on the thread. */
  readonly gcMaxMs: number
  readonly gcTotalMs: number
  /** Turns of which more than 10 ms were ours. */
  readonly ownOver10: number
  /** The longest by `own`, longest first. */
  readonly longest: readonly LoopDelay[]
}

const PERIOD_MS = 1
const KEPT_FROM_MS = 4
const REPORTED = 8

interface Late {
  readonly from: number
  readonly to: number
  readonly cpu: number
}

let late: Late[] = []
let collections: { readonly from: number; readonly to: number }[] = []
const histogram = monitorEventLoopDelay({ resolution: PERIOD_MS })
histogram.enable()

const observer = new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) {
    collections.push({ from: startTime, to: startTime + duration })
  }
})
observer.observe({ entryTypes: ['gc'] })

/** The first delay is the loading of the program's modules. */
let loaded = false
let before = performance.now()
let cpuBefore = cpuMs()
setInterval(() => {
  const now = performance.now()
  const cpuNow = cpuMs()
  if (now - before >= KEPT_FROM_MS) {
    if (loaded) late.push({ from: before, to: now, cpu: cpuNow - cpuBefore })
    loaded = true
  }
  before = now
  cpuBefore = cpuNow
}, PERIOD_MS).unref()

process.on('message', (message) => {
  if (message !== 'report') return
  // Entries on garbage come a turn later.
  setTimeout(() => process.send!(report()), 50)
})
process.channel?.unref()

function report(): LoopReport {
  for (const { startTime, duration } of observer.takeRecords()) {
    collections.push({ from: startTime, to: startTime + duration })
  }
  const delays = late.map(({ from, to, cpu }): LoopDelay => {
    const gc = collections.reduce((sum, pause) => sum + overlap(pause, { from, to }), 0)
    return { at: from, wall: to - from, cpu, gc, own: Math.max(0, cpu - gc) }
  })
  const ms = (share: number): number => histogram.percentile(share) / 1e6
  const gcMs = collections.map(({ from, to }) => to - from)
  const answer: LoopReport = {
    histogram: { p50: ms(50), p99: ms(99), p999: ms(99.9), max: histogram.max / 1e6 },
    gcMaxMs: Math.max(0, ...gcMs),
    gcTotalMs: gcMs.reduce((sum, each) => sum + each, 0),
    ownOver10: delays.filter(({ own }) => own > 10).length,
    longest: delays.sort((one, other) => other.own - one.own).slice(0, REPORTED),
  }
  late = []
  collections = []
  histogram.reset()
  return answer
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

function overlap(one: { from: number; to: number }, other: { from: number; to: number }): number {
  return Math.max(0, Math.min(one.to, other.to) - Math.max(one.from, other.from))
}
