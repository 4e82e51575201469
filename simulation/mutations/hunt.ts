// Looks for one mistake: runs seed after seed in a child process that has it planted, until a rule is broken.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { plantedVariable } from './plant.ts'

/** What a child says of one seed, as a line of JSON. */
export interface SeedOutcome {
  readonly seed: number
  /** The rule that was broken; null: none. */
  readonly rule: string | null
  readonly what: string
  readonly simulatedMs: number
}

export type Hunt =
  | { readonly kind: 'found'; readonly seeds: number; readonly outcome: SeedOutcome }
  | { readonly kind: 'notFound'; readonly seeds: number }
  /** The child ended by itself: the mistake as planted does not run. */
  | { readonly kind: 'broken'; readonly reason: string }

const child = fileURLToPath(new URL('./seeds.ts', import.meta.url))
const plant = new URL('./plant.ts', import.meta.url).href

export interface HuntOptions {
  /** Null: nothing is planted, and nothing should be found. */
  readonly mutation: string | null
  /** By name; left out: all that the seeds have. */
  readonly workloads?: readonly string[]
  readonly firstSeed: number
  readonly seedsMax: number
}

export async function hunt({ mutation, workloads = [], firstSeed, seedsMax }: HuntOptions): Promise<Hunt> {
  const env = { ...process.env, ...(mutation !== null && { [plantedVariable]: mutation }) }
  const asked = [String(firstSeed), String(seedsMax), ...workloads]
  const running = spawn(process.execPath, ['--import', plant, child, ...asked], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<number | null>((resolve) => {
    running.on('close', resolve)
  })
  let complaint = ''
  running.stderr.on('data', (bytes: Buffer) => {
    complaint = (complaint + bytes.toString()).slice(-2000)
  })
  let seeds = 0
  for await (const line of createInterface({ input: running.stdout })) {
    const outcome = JSON.parse(line) as SeedOutcome
    seeds += 1
    if (outcome.rule === null) continue
    running.kill()
    await ended
    return { kind: 'found', seeds, outcome }
  }
  const code = await ended
  return code === 0
    ? { kind: 'notFound', seeds }
    : { kind: 'broken', reason: complaint.trim() || `the process ended with ${code}` }
}
