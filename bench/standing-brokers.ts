// The brokers that stay up from row to row, one set for each contender, and the load generator: started when the first row asks for
// them, warmed up, and replaced when a row has failed on them.

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { LoadProcess } from './load/load-process.ts'
import type { RunningPeer } from './peers/peer.ts'
import type { Contender, Standing } from './rounds.ts'
import { warmFreeMemory, writeBack } from './workloads/page-cache.ts'

interface StandingBroker {
  readonly broker: RunningPeer
  readonly brokers: number
  readonly data: string
}

export interface StandingOptions {
  readonly folder: string
  /** How long a new broker works before it is measured: code is compiled, memory touched for the first time. 0 for not at all. */
  readonly warmSeconds: number
  readonly profile?: string
}

/** More than a fast broker writes in a round (1.5 GB with what warms it up). */
const warmBytes = 1_800_000_000

/** The topics of a row are gone before the next one: their bytes neither fill the disk nor are written to it beside that row's. */
const deletesSoon = ['log.segment.delete.delay.ms=100']

export class StandingBrokers implements Standing {
  readonly #options: StandingOptions
  readonly #standing = new Map<Contender, StandingBroker>()
  #load: LoadProcess | undefined
  #started = 0

  constructor(options: StandingOptions) {
    this.#options = options
  }

  async load(): Promise<LoadProcess> {
    return (this.#load ??= await LoadProcess.start())
  }

  async broker(contender: Contender, brokers: number): Promise<RunningPeer> {
    const standing = this.#standing.get(contender)
    if (standing?.brokers === brokers) return standing.broker
    await this.#stop(contender, 'stop')
    const data = join(this.#options.folder, `${contender.label}-${this.#started++}`)
    mkdirSync(data, { recursive: true })
    const { profile } = this.#options
    const settings = contender.peer.name === 'probe' ? [] : deletesSoon
    const options = { data, brokers, settings, ...(profile === undefined ? {} : { profile }) }
    const broker = await contender.peer.start(options)
    this.#standing.set(contender, { broker, brokers, data })
    await this.#warm(contender, broker, brokers)
    return broker
  }

  async settle(): Promise<void> {
    await writeBack()
    if (this.#standing.size > 0) await warmFreeMemory(this.#options.folder, warmBytes)
  }

  /** The next row finds a new broker on an empty folder, and a new load generator. */
  async renew(contender: Contender): Promise<void> {
    await this.#stop(contender, 'kill')
    await this.#load?.stop()
    this.#load = undefined
  }

  /** Rows that start brokers of their own want the machine for themselves. */
  async stopBrokers(): Promise<void> {
    for (const contender of this.#standing.keys()) await this.#stop(contender, 'stop')
  }

  async stop(): Promise<void> {
    await this.stopBrokers()
    await this.#load?.stop()
    this.#load = undefined
  }

  async #stop(contender: Contender, how: 'stop' | 'kill'): Promise<void> {
    const standing = this.#standing.get(contender)
    if (standing === undefined) return
    this.#standing.delete(contender)
    await standing.broker[how]()
    rmSync(standing.data, { recursive: true, force: true })
  }

  /** Several brokers have several programs to compile and share the cores for it: their warming up is longer, and they follow each other. */
  async #warm({ peer }: Contender, { bootstrap }: RunningPeer, brokers: number): Promise<void> {
    const seconds = this.#options.warmSeconds * brokers
    if (seconds === 0) return
    const load = await this.load()
    const shape = { bootstrap, topic: 'warm-up', partitions: 4 * brokers }
    const batches = { recordBytes: 1_000, batchBytes: 16_384, acks: -1, warmSeconds: 0, seconds } as const
    const configs = peer.topicConfigs('page-cache')
    await load.run({ kind: 'createTopic', ...shape, replicationFactor: Math.min(3, brokers), configs })
    await load.run({ kind: 'produce', ...shape, ...batches })
    if (peer.name !== 'probe') await load.run({ kind: 'drain', ...shape, consumers: 4 })
    await load.run({ kind: 'deleteTopic', bootstrap, topic: shape.topic })
  }
}
