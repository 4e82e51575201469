// What a run of the bench found, as it is written to bench/results.json and as everything else (Markdown, plot, verdicts) is drawn from.

import type { PeerName } from '../peers/peer.ts'

/** The parts of the report, in its order. */
export const sections = [
  'produce',
  'consume',
  'produce and consume',
  'latency',
  'many connections',
  'start and restart',
  'memory',
  'three brokers',
  'more than one core',
  'real clients',
] as const
export type Section = (typeof sections)[number]

/** A figure that rows have: how it is written and which way is better. */
export const figures = {
  megabytesPerSecond: { unit: 'MB/s', better: 'more' },
  producedMegabytesPerSecond: { unit: 'MB/s produced', better: 'more' },
  consumedMegabytesPerSecond: { unit: 'MB/s consumed', better: 'more' },
  recordsPerSecond: { unit: 'records/s', better: 'more' },
  cpuSecondsPerGigabyte: { unit: 'CPU s/GB', better: 'less' },
  cpuMicrosPerRequest: { unit: 'CPU µs/request', better: 'less' },
  p50Ms: { unit: 'p50 ms', better: 'less' },
  p99Ms: { unit: 'p99 ms', better: 'less' },
  p999Ms: { unit: 'p99.9 ms', better: 'less' },
  /** How late the load generator was: no part of a latency. */
  lateP50Ms: { unit: 'p50 ms of the load generator', better: 'less' },
  lateP99Ms: { unit: 'p99 ms of the load generator', better: 'less' },
  milliseconds: { unit: 'ms', better: 'less' },
  megabytes: { unit: 'MB', better: 'less' },
  cpuSeconds: { unit: 'CPU s', better: 'less' },
  /** How busy each side was: a load generator near 1 was the limit, not the broker. */
  brokerCores: { unit: 'cores of the broker', better: 'less' },
  loadCores: { unit: 'cores of the load generator', better: 'less' },
} as const satisfies Record<string, { unit: string; better: 'more' | 'less' }>
export type Figure = keyof typeof figures

/** One round of one peer. */
export type Sample = Partial<Record<Figure, number>>

/** Odradek's figure over the other's is to be at least (for what should be more) or at most (for what should be less) this. */
export interface Goal {
  readonly figure: Figure
  readonly against: 'kafka' | 'probe'
  readonly ratio: number
}

export interface RowResult {
  /** Unique and stable: rows of two runs are compared by it. */
  readonly id: string
  readonly section: Section
  /** What is measured, for people. */
  readonly title: string
  readonly goals: readonly Goal[]
  /** In the order of the rounds; rounds of two peers with the same index were run beside each other. */
  readonly samples: Partial<Record<PeerName, readonly Sample[]>>
  /** Why a peer has no samples, or fewer than the others. */
  readonly failures?: Partial<Record<PeerName, string>>
}

export interface RunResult {
  readonly startedAt: string
  readonly minutes: number
  /** What was counted: rounds of each row, and seconds of each round of steady work. */
  readonly rounds: number
  readonly secondsPerRound: number
  readonly machine: {
    readonly cores: number
    readonly processor: string
    readonly memoryGigabytes: number
    readonly node: string
    readonly kernel: string
    /** How fast the disk itself was in this run. */
    readonly disk: Readonly<Record<string, number>>
  }
  readonly versions: Partial<Record<PeerName, string>>
  readonly rows: readonly RowResult[]
}
