// Odradek as its users run it: `odradek start` in a process of its own, on a folder of its own.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Finished, RunningProcess } from './processes.ts'

/** The line `odradek start` prints once it serves clients; the groups are host and port. */
export const readyLine = /ready.*?(\d+\.\d+\.\d+\.\d+|localhost):(\d+)/i

const main = join(import.meta.dirname, '../../src/cli/main.ts')

export interface BrokerOptions {
  /** Default: a new folder, removed by `stop`. */
  readonly data?: string
  /** Default 0: a free one. */
  readonly port?: number
  /** Broker settings by Kafka's names, on top of a zero initial rebalance delay. */
  readonly settings?: Readonly<Record<string, string>>
}

export class BrokerProcess {
  readonly bootstrap: string
  readonly port: number
  readonly data: string
  readonly #process: RunningProcess
  readonly #ownsData: boolean

  private constructor(process: RunningProcess, bootstrap: string, data: string, ownsData: boolean) {
    this.#process = process
    this.bootstrap = bootstrap
    this.port = Number(bootstrap.slice(bootstrap.lastIndexOf(':') + 1))
    this.data = data
    this.#ownsData = ownsData
  }

  /** Resolves when the broker has said that it is ready; rejects with its output when it ends before that. */
  static async start(options: BrokerOptions = {}): Promise<BrokerProcess> {
    const data = options.data ?? (await mkdtemp(join(tmpdir(), 'odradek-test-')))
    const settings = { 'group.initial.rebalance.delay.ms': '0', ...options.settings }
    const args = ['start', '--host', '127.0.0.1', '--port', String(options.port ?? 0), '--data', data]
    for (const [name, value] of Object.entries(settings)) args.push('--set', `${name}=${value}`)
    const child = new RunningProcess(process.execPath, [main, ...args])
    try {
      const [, host, port] = await child.output(readyLine)
      return new BrokerProcess(child, `${host}:${port}`, data, options.data === undefined)
    } catch (error) {
      child.kill('SIGKILL')
      if (options.data === undefined) await rm(data, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
      throw error
    }
  }

  get pid(): number {
    return this.#process.pid
  }

  get running(): boolean {
    return this.#process.running
  }

  get output(): string {
    return this.#process.stdout + this.#process.stderr
  }

  /** Ends it without a chance to write anything. The data folder stays. */
  async kill(): Promise<Finished> {
    this.#process.kill('SIGKILL')
    return this.#process.end()
  }

  /** A clean stop; a data folder made by `start` goes with it. A broker that ended by itself, or ends with an error, is an error. */
  async stop(): Promise<Finished> {
    const crashed = !this.#process.running
    const finished = await (crashed ? this.#process.finished : this.#process.stop())
    if (this.#ownsData) await rm(this.data, { recursive: true, force: true })
    if (crashed || finished.code !== 0) {
      const how = finished.signal ?? `exit code ${finished.code}`
      throw new Error(`the broker ${crashed ? 'ended by itself' : 'did not stop cleanly'}: ${how}\n${this.output}`)
    }
    return finished
  }
}
