// A broker in a process of its own, as the command line starts it, watched from here: ready when it says so, its memory and open files from
// /proc, and on request a probe of its event loop (loop-probe.ts).

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { LoopReport } from './loop-probe.ts'

export const root = join(import.meta.dirname, '..')

export interface BrokerProcessOptions {
  readonly data: string
  /** `name=value`, as for --set. */
  readonly settings?: readonly string[]
  /** Default 0: a free one. */
  readonly port?: number
  /** Of Node, before the program. */
  readonly nodeFlags?: readonly string[]
  /** Whose broker it is: the folder of another tree, to compare with; this one when absent. */
  readonly tree?: string
  /** The event loop is watched from before the broker starts. */
  readonly probe?: boolean
}

export class BrokerProcess {
  readonly bootstrap: string
  /** From the start of the process until the broker said that it is ready. */
  readonly readyMs: number
  readonly pid: number
  readonly #process: ChildProcess

  private constructor(process: ChildProcess, bootstrap: string, readyMs: number) {
    this.#process = process
    this.pid = process.pid as number
    this.bootstrap = bootstrap
    this.readyMs = readyMs
  }

  static async start(options: BrokerProcessOptions): Promise<BrokerProcess> {
    const started = performance.now()
    const probe = options.probe === true ? ['--import', join(root, 'bench/loop-probe.ts')] : []
    const settings = (options.settings ?? []).flatMap((pair) => ['--set', pair])
    const child = spawn(
      process.execPath,
      [
        ...(options.nodeFlags ?? []),
        ...probe,
        'src/cli/main.ts',
        'start',
        '--port',
        String(options.port ?? 0),
        '--data',
        options.data,
        ...settings,
      ],
      { cwd: options.tree ?? root, stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
    )
    for await (const line of createInterface({ input: child.stdout! })) {
      const ready = /ready, listening on (\S+:\d+)/.exec(line)
      if (ready?.[1] === undefined) continue
      child.stdout!.resume()
      return new BrokerProcess(child, ready[1], performance.now() - started)
    }
    throw new Error('the broker did not start')
  }

  /** Answers how long it took, in milliseconds; 0 when it has ended already. */
  async stop(): Promise<number> {
    return this.#end('SIGTERM')
  }

  async kill(): Promise<number> {
    return this.#end('SIGKILL')
  }

  /** What the event loop did since the last report, or since the process began. */
  async loopReport(): Promise<LoopReport> {
    const answered = once(this.#process, 'message')
    this.#process.send('report')
    const [report] = (await answered) as [LoopReport]
    return report
  }

  /** User and system seconds so far; 0 where there is no /proc. */
  cpuSeconds(): number {
    const fields = read(`/proc/${this.pid}/stat`).split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100
  }

  megabytes(field: 'VmRSS' | 'VmHWM'): number {
    const kilobytes = new RegExp(`${field}:\\s+(\\d+)`).exec(read(`/proc/${this.pid}/status`))?.[1]
    return Number(kilobytes ?? 0) / 1024
  }

  openFiles(): number {
    try {
      return readdirSync(`/proc/${this.pid}/fd`).length
    } catch {
      return 0
    }
  }

  async #end(signal: NodeJS.Signals): Promise<number> {
    const started = performance.now()
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return 0
    const exited = once(this.#process, 'exit')
    this.#process.kill(signal)
    await exited
    return performance.now() - started
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
