// One row, measured: its rounds on one contender after the other, A B A B, so that what else the machine does meets all alike. The first
// round warms up and is not counted.

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { LoadProcess } from './load/load-process.ts'
import type { Peer, RunningPeer } from './peers/peer.ts'
import type { Sample } from './report/result.ts'
import type { Row } from './workloads/workload.ts'

/** Who is measured: a peer under the name that its samples get. */
export interface Contender<Label extends string = string> {
  readonly label: Label
  readonly peer: Peer
}

/** What stays up from row to row. */
export interface Standing {
  /** The broker of this contender; started when it is not. */
  broker(contender: Contender, brokers: number): Promise<RunningPeer>
  load(): Promise<LoadProcess>
  /** Whoever is measured next does not pay for what the others have left to be done. */
  settle(): Promise<void>
  /** After a failure: what is left of the row must not meet the next one. */
  renew(contender: Contender): Promise<void>
}

/** What rows are measured with. */
export interface Ground {
  readonly rounds: number
  readonly warmSeconds: number
  readonly seconds: number
  readonly quick: boolean
  /** Where rows that start brokers themselves have their data. */
  readonly folder: string
  readonly standing: Standing
}

export interface RowSamples<Label extends string = string> {
  readonly samples: Partial<Record<Label, readonly Sample[]>>
  readonly failures: Partial<Record<Label, string>>
}

type Step = 'prepare' | 'measure' | 'clear'

/** More than any step should take: after it, the row has failed on this contender. */
const stepMsMax = 300_000

/** A row that fails on one contender goes on with the others. */
export async function measureRow<Label extends string>(
  row: Row,
  contenders: readonly Contender<Label>[],
  ground: Ground,
): Promise<RowSamples<Label>> {
  const samples: Partial<Record<Label, Sample[]>> = {}
  const failures: Partial<Record<Label, string>> = {}

  /** Of those without a failure so far, one after the other. */
  const each = async (step: Step, index: number): Promise<void> => {
    for (const contender of contenders) {
      if (failures[contender.label] !== undefined) continue
      try {
        if (step === 'measure') await ground.standing.settle()
        const sample = await takeStep(row, contender, ground, step, index)
        if (sample !== undefined && index > 0) (samples[contender.label] ??= []).push(sample)
      } catch (error) {
        failures[contender.label] = messageOf(error)
        // What failed may fail here again; it has been said, and what is left is thrown away next.
        if (step !== 'clear') await takeStep(row, contender, ground, 'clear', 0).catch(() => {})
        await ground.standing.renew(contender).catch(() => {})
      }
    }
  }

  await each('prepare', 0)
  const rounds = Math.min((row.roundsTimes ?? 1) * ground.rounds, row.roundsMax ?? Infinity)
  for (let index = row.warmsUp === false ? 1 : 0; index <= rounds; index++) await each('measure', index)
  await each('clear', 0)
  for (const contender of contenders) rmSync(folderOf(row, contender, ground), { recursive: true, force: true })
  return { samples, failures }
}

async function takeStep(
  row: Row,
  contender: Contender,
  ground: Ground,
  step: Step,
  index: number,
): Promise<Sample | undefined> {
  const { warmSeconds, seconds, quick } = ground
  const load = await ground.standing.load()
  const round = { peer: contender.peer, load, name: nameOf(row, contender), index, warmSeconds, seconds, quick }
  if (row.brokers === 'shared') {
    const broker = await ground.standing.broker(contender, row.brokerCounts?.[contender.peer.name] ?? 1)
    return limited(() => row[step]?.({ ...round, broker }), `${step} of ${row.id}`)
  }
  const data = folderOf(row, contender, ground)
  mkdirSync(data, { recursive: true })
  return limited(() => row[step]?.({ ...round, data }), `${step} of ${row.id}`)
}

async function limited(
  work: () => Promise<Sample> | Promise<void> | undefined,
  title: string,
): Promise<Sample | undefined> {
  const { promise: expired, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(() => reject(new Error(`${title} took more than ${stepMsMax / 1000} s`)), stepMsMax)
  try {
    return (await Promise.race([work(), expired])) ?? undefined
  } finally {
    clearTimeout(timer)
  }
}

/** Fit for a topic and for a folder. */
function nameOf(row: Row, { label }: Contender): string {
  return `${row.id}-${label}`.replaceAll(/[^\w.-]+/g, '-')
}

function folderOf(row: Row, contender: Contender, { folder }: Ground): string {
  return join(folder, nameOf(row, contender))
}

/** With what it came from, as far as that says more. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`
}
