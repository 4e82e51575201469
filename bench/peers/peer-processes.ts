// The processes of one peer: started, awaited, watched and ended in the same way for every peer, so that their figures compare.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { PeerName, RunningPeer } from './peer.ts'
import { untilAnswered } from './readiness.ts'
import { type Usage, usageOf } from './usage.ts'

export interface Program {
  readonly command: string
  readonly args: readonly string[]
  /** In addition to this process's own. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

export interface Start {
  readonly name: PeerName
  /** What is started, all at once: one that starts the others by itself, or one for each broker. */
  readonly programs: readonly Program[]
  /** `host:port` of each broker. */
  readonly addresses: readonly string[]
}

/** Far more than any start should take: after it, the peer hangs. */
const startMsMax = 120_000
const stopMsMax = 60_000
/** Of what a process wrote, kept to say why it ended. */
const outputCharactersMax = 4000

/** Whatever becomes of this process, it leaves no peer behind. */
const running = new Set<PeerProcesses>()
process.once('exit', () => {
  for (const peer of running) peer.killNow()
})

export class PeerProcesses implements RunningPeer {
  readonly name: PeerName
  readonly bootstrap: string
  readyMs = Number.NaN
  readonly #children: readonly ChildProcess[]
  #output = ''

  static async start({ name, programs, addresses }: Start): Promise<PeerProcesses> {
    const started = performance.now()
    const peer = new PeerProcesses(name, programs, addresses[0]!)
    const waiting = new AbortController()
    try {
      const signal = AbortSignal.any([waiting.signal, AbortSignal.timeout(startMsMax)])
      const ready = Promise.all(addresses.map((address) => untilAnswered(address, addresses.length, signal)))
      await Promise.race([ready, peer.#ended(waiting.signal)])
      peer.readyMs = performance.now() - started
      return peer
    } catch (error) {
      await peer.kill()
      throw new Error(`${name} did not start: ${peer.#output}`, { cause: error })
    } finally {
      waiting.abort()
    }
  }

  private constructor(name: PeerName, programs: readonly Program[], bootstrap: string) {
    this.name = name
    this.bootstrap = bootstrap
    this.#children = programs.map(({ command, args, env, cwd }) => {
      const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] })
      child.stderr.setEncoding('utf8').on('data', (text: string) => this.#keep(text))
      child.on('error', (error) => this.#keep(String(error)))
      return child
    })
    running.add(this)
  }

  usage(): Usage {
    return usageOf(this.#pids())
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM', this.#children.map(pidOf))
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL', this.#pids())
  }

  killNow(): void {
    for (const pid of this.#pids()) send('SIGKILL', pid)
  }

  async #end(signal: NodeJS.Signals, pids: readonly number[]): Promise<void> {
    const all = this.#pids()
    for (const pid of pids) send(signal, pid)
    const deadline = performance.now() + stopMsMax
    while (all.some(isAlive)) {
      if (performance.now() > deadline) {
        this.killNow()
        throw new Error(`${this.name} did not end after ${signal}: ${this.#output}`)
      }
      await delay(2)
    }
    running.delete(this)
  }

  /** Rejects as soon as one of the processes ends by itself. */
  #ended(signal: AbortSignal): Promise<never> {
    return Promise.race(
      this.#children.map(async (child): Promise<never> => {
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit', { signal })
        throw new Error(`a process ended with ${child.exitCode ?? child.signalCode}`)
      }),
    )
  }

  /** Of all processes that were started here and that are still there, with those that they started. */
  #pids(): number[] {
    const pids = this.#children.map(pidOf).filter((pid) => pid > 0)
    for (const pid of pids) pids.push(...childrenOf(pid))
    return pids
  }

  #keep(text: string): void {
    this.#output = (this.#output + text).slice(-outputCharactersMax)
  }
}

const pidOf = (child: ChildProcess): number => child.pid ?? -1

function send(signal: NodeJS.Signals, pid: number): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended already.
  }
}

/** One that has ended and that its parent has not asked about is a zombie: nothing of it is left but its number. */
function isAlive(pid: number): boolean {
  const stat = read(`/proc/${pid}/stat`)
  const state = stat.charAt(stat.lastIndexOf(')') + 2)
  return state !== '' && state !== 'Z' && state !== 'X'
}

function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
