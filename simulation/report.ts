// What is printed of a failing seed: the run is made smaller first, as far as the bounds allow, and then told.

import { writeFileSync } from 'node:fs'
import type { Millis } from '../src/io/clock.ts'
import { type RunOptions, type RunResult, runSeed } from './run.ts'
import type { Schedule, ScheduledFault } from './schedule.ts'
import { happeningOfFault } from './fault-words.ts'
import { type Failure, type RunParts, shrink } from './shrink.ts'
import { storyOf } from './story.ts'
import { clientsWordsOn, happeningOf, historyOf, partitionNamedIn } from './trace-reading.ts'

export interface ReportOptions {
  readonly options: RunOptions
  readonly result: RunResult
  readonly runsMax: number
  /** Asked before each further run. */
  readonly mayGoOn?: () => boolean
  /** What the run was asked for beside its seed, as on the command line: `--workloads groups`. */
  readonly asked?: string
  /** Where the smaller schedule is written, for the command that repeats the run. */
  readonly scheduleFile: string
}

/** Lines for people. Throws when the run did not fail. */
export async function reportOf(report: ReportOptions): Promise<string[]> {
  const { options, runsMax, mayGoOn, asked = '', scheduleFile } = report
  const whole = partsOf(report.result)
  const names = new Set(whole.workloads)
  let smallest = report.result
  const { parts } = await shrink<ScheduledFault>({
    parts: whole,
    failure: failureOf(report.result)!,
    runsMax,
    ...(mayGoOn !== undefined && { mayGoOn }),
    run: async (tried) => {
      const result = await runSeed(optionsOf(options, tried))
      const failure = failureOf(result)
      if (failure?.rule === report.result.violation?.rule) smallest = result
      return failure
    },
  })
  const isSmaller = parts !== whole
  if (isSmaller) writeFileSync(scheduleFile, `${JSON.stringify(writtenOf(parts, names), null, 1)}\n`)
  return tell(smallest, {
    brokers: options.brokers ?? 3,
    faultsBefore: whole.faults.length,
    workloads: parts.workloads,
    command: `npm run simulate -- --seed ${options.seed}${asked === '' ? '' : ` ${asked}`}${isSmaller ? ` --schedule ${scheduleFile}` : ''}`,
  })
}

/** A schedule as a file, with the workloads that are left. */
export interface WrittenSchedule extends Schedule {
  /** Left out: all. */
  readonly workloads?: readonly string[]
}

function writtenOf(parts: RunParts<ScheduledFault>, all: ReadonlySet<string>): WrittenSchedule {
  const schedule = scheduleWith(parts)
  return parts.workloads.length === all.size ? schedule : { ...schedule, workloads: parts.workloads }
}

/** The options with what is left. */
export function optionsOf(options: RunOptions, parts: RunParts<ScheduledFault>): RunOptions {
  const { workloads } = options
  return {
    ...options,
    schedule: scheduleWith(parts),
    ...(workloads !== undefined && {
      workloads: (world) => workloads(world).filter(({ name }) => parts.workloads.includes(name)),
    }),
  }
}

/** No fault begins after the end, and none lasts longer. */
function scheduleWith({ faults, durationMs }: RunParts<ScheduledFault>): Schedule {
  const items = faults
    .filter(({ atMs }) => atMs < durationMs)
    .map((item) => (item.untilMs <= durationMs ? item : { ...item, untilMs: durationMs }))
  return { durationMs, items }
}

function partsOf({ schedule, workloads }: RunResult): RunParts<ScheduledFault> {
  return { faults: schedule.items, workloads, durationMs: schedule.durationMs }
}

function failureOf(result: RunResult): Failure | null {
  const { violation, simulatedMs } = result
  return violation === null ? null : { rule: violation.rule, atMs: Math.max(0, simulatedMs - beganAt(result)) }
}

/** When the schedule began. */
function beganAt({ trace }: RunResult): Millis {
  const line = trace.lines.find((candidate) => candidate.endsWith('run: workloads start: done'))
  return line === undefined ? 0 : happeningOf(line).atMs
}

interface Told {
  readonly brokers: number
  readonly faultsBefore: number
  readonly workloads: readonly string[]
  readonly command: string
}

function tell(result: RunResult, { brokers, faultsBefore, workloads, command }: Told): string[] {
  const { violation, trace, simulatedMs, schedule } = result
  if (violation === null) throw new Error('a run in which all rules held has no story')
  const happenings = trace.lines.map(happeningOf)
  const partition = partitionNamedIn(violation.message, happenings)
  const contradiction = violation.message.slice(violation.rule.length + 2).split('\n')
  const began = beganAt(result)
  const faults = schedule.items
    .map((item) => happeningOfFault(item, began))
    .filter(({ atMs }) => atMs <= simulatedMs)
    .toSorted((one, other) => one.atMs - other.atMs)
  return storyOf({
    seed: result.seed,
    cluster: `${brokers} brokers, 3 members of etcd; clients: ${workloads.join(', ') || 'none'}`,
    rule: violation.rule,
    contradiction,
    failedAtMs: simulatedMs,
    faults,
    faultsBefore: schedule.items.length === faultsBefore ? faults.length : faultsBefore,
    partition,
    partitionHistory: partition === null ? [] : historyOf(partition, happenings),
    clientHistory: clientsWordsOn(violation.message, partition, happenings),
    command,
  })
}
