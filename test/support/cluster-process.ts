// A cluster as its users run it on one machine: `odradek start --brokers N`, a process for each broker, on a folder of its own.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Finished, RunningProcess } from './processes.ts'
import { waitFor } from './wait-for.ts'

const main = join(import.meta.dirname, '../../src/cli/main.ts')

export interface ClusterOptions {
  /** Default: 3. */
  readonly brokers?: number
  /** Default: a new folder, removed by `stop`. */
  readonly data?: string
  /** Broker settings by Kafka's names, on top of a zero initial rebalance delay. */
  readonly settings?: Readonly<Record<string, string>>
}

/** A line of the log. */
interface Line {
  readonly msg?: string
  readonly pid?: number
  readonly brokerId?: number
  readonly processes?: Readonly<Record<string, number>>
}

export class ClusterProcess {
  readonly data: string
  readonly #process: RunningProcess
  readonly #ownsData: boolean
  /** `host:port` of all brokers, in order of id. */
  readonly addresses: readonly string[]

  private constructor(process: RunningProcess, addresses: readonly string[], data: string, ownsData: boolean) {
    this.#process = process
    this.addresses = addresses
    this.data = data
    this.#ownsData = ownsData
  }

  /** Resolves when all brokers are ready; rejects with the output when the command ends before that. */
  static async start(options: ClusterOptions = {}): Promise<ClusterProcess> {
    const data = options.data ?? (await mkdtemp(join(tmpdir(), 'odradek-cluster-')))
    const settings = { 'group.initial.rebalance.delay.ms': '0', ...options.settings }
    const args = ['start', '--brokers', String(options.brokers ?? 3), '--port', '0', '--data', data]
    for (const [name, value] of Object.entries(settings)) args.push('--set', `${name}=${value}`)
    const child = new RunningProcess(process.execPath, [main, ...args])
    const ownsData = options.data === undefined
    try {
      const [, listed] = await child.output(/is ready, listening on ([^"]+)"/)
      return new ClusterProcess(child, listed!.split(', '), data, ownsData)
    } catch (error) {
      child.kill('SIGKILL')
      if (ownsData) await rm(data, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
      throw error
    }
  }

  get bootstrap(): string {
    return this.addresses.join(',')
  }

  /** `host:port` of all brokers but one: a client that asks one that is frozen waits for its answer. */
  without(brokerId: number): readonly string[] {
    return this.addresses.filter((_, index) => index !== brokerId - 1)
  }

  get output(): string {
    return this.#process.stdout + this.#process.stderr
  }

  /** Of the supervisor. */
  get pid(): number {
    return this.#process.pid
  }

  /** Of the broker's process that was started last. */
  pidOf(brokerId: number): number {
    let pid = 0
    for (const line of this.#lines()) {
      if (line.processes !== undefined) pid = line.processes[brokerId] ?? pid
      if (line.msg === 'the broker is back' && line.brokerId === brokerId) pid = line.pid!
    }
    return pid
  }

  /** kill -9. */
  kill(brokerId: number): void {
    process.kill(this.pidOf(brokerId), 'SIGKILL')
  }

  /** Resolves when the broker has been started again. `killed`: its process before. */
  async back(brokerId: number, killed: number): Promise<void> {
    await waitFor(`broker ${brokerId} to be back`, () => this.pidOf(brokerId) !== killed)
  }

  /** kill -9 of the supervisor. Resolves when it is gone. */
  killSupervisor(): Promise<Finished> {
    this.#process.kill('SIGKILL')
    return this.#process.end()
  }

  /** A clean stop; a data folder made by `start` goes with it. */
  async stop(): Promise<Finished> {
    const crashed = !this.#process.running
    const finished = await (crashed ? this.#process.finished : this.#process.stop())
    if (this.#ownsData) await rm(this.data, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    if (crashed || finished.code !== 0) {
      const how = finished.signal ?? `exit code ${finished.code}`
      throw new Error(`the brokers ${crashed ? 'ended by themselves' : 'did not stop cleanly'}: ${how}\n${this.output}`)
    }
    return finished
  }

  *#lines(): Generator<Line> {
    for (const text of this.#process.stdout.split('\n')) if (text.startsWith('{')) yield JSON.parse(text) as Line
  }
}
