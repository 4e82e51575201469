// Several brokers inside a test file, on one event loop: the same code as a cluster of machines, with replication, elections and all, on
// real sockets of this machine, and with every broker's death in the test's hands.

import { ClusterViewOfStore } from '../cluster/cluster-view.ts'
import type { ClusterImage } from '../cluster/image.ts'
import { MetaStoreServer } from '../cluster/remote/meta-store-server.ts'
import { brokerSettings } from '../cluster/settings/broker-settings.ts'
import { systemClock } from '../io/clock.ts'
import type { Disk } from '../io/disk.ts'
import { MemoryDisk } from '../io/disk.memory.ts'
import { realDisk } from '../io/disk.real.ts'
import type { Logger } from '../lib/logger.ts'
import { openSharedFolder, settingsOfOne, type SharedFolder } from '../start/several-brokers.ts'
import { ClusterMember, type MemberState } from './cluster-member.ts'
import { bracketed, errorsOnly, reachable } from './words.ts'

export interface StartClusterOptions {
  /** How many; 3 when absent. Their ids are 1 to this. */
  readonly brokers?: number
  /** Address to listen on; `127.0.0.1` when absent. Ports are free ones. */
  readonly host?: string
  /** Folder for the records and the metadata; in memory when absent, and gone with the cluster. */
  readonly data?: string
  /** Rack of each broker, in order of id. */
  readonly racks?: readonly string[]
  /**
   * Settings of all brokers by Kafka's names. Topics have as many replicas as there are brokers, up to 3, and with three brokers
   * `min.insync.replicas` is 2, unless said otherwise.
   */
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  /**
   * How long the cluster waits for a broker that was killed or isolated before others lead in its place, in ms; 2000 when absent, and not
   * less (`broker.session.timeout.ms`, of which Kafka's default is 9000).
   */
  readonly sessionTimeoutMs?: number
  /** Where the brokers log. A pino logger fits, and so does `console`. When absent only errors are shown, by `console.error`. */
  readonly logger?: Logger
}

export interface ClusterBroker {
  readonly id: number
  readonly host: string
  /** The same in every life of the broker. */
  readonly port: number
  /** `stopped`: it was killed, or has stopped by itself. */
  readonly state: MemberState
}

export interface EmbeddedCluster extends AsyncDisposable {
  /** `host:port,host:port,...` of all brokers, as a client takes it. */
  readonly bootstrapServers: string
  readonly clusterId: string
  /** In order of id, as they are now. */
  readonly brokers: readonly ClusterBroker[]
  /** Which broker leads the partition right now; null when nobody does, or there is no such partition. */
  leaderOf(topic: string, partition: number): number | null
  /**
   * As `kill -9`: connections break, and nothing more is written or said. The cluster learns of it when its session has run out.
   * Resolves when the broker can be started again.
   */
  kill(id: number): Promise<void>
  /** Starts a broker that was killed, on what it had written; one that runs is stopped in order first. Resolves when it serves. */
  restart(id: number): Promise<void>
  /**
   * Cuts the broker off from the other brokers, from the metadata and from all clients: connections break, and new ones are refused.
   * `silently`: nobody is told, and what is said to the broker waits, as on a link that drops every packet. A client needs a timeout of
   * its own to notice that; KafkaJS goes on asking the broker that is silent.
   */
  isolate(id: number, options?: { readonly silently?: boolean }): void
  /** Mends what `isolate` cut. */
  heal(id: number): void
  /**
   * Resolves when every partition has a leader and all of its replicas on running brokers are in sync. Rejects after `limitMs`, 30,000
   * when absent, with what is missing.
   */
  settled(limitMs?: number): Promise<void>
  /** Stops all brokers together. Safe to call twice. Rejects when a broker had stopped by itself, with the reason. */
  stop(): Promise<void>
}

/**
 * Starts a cluster in this process, on free ports. It is ready when the promise resolves: every broker serves, and every partition
 * has its leader. As with `--dev`, groups start without delay and a member is gone when its socket closes.
 */
export async function startCluster(options: StartClusterOptions = {}): Promise<EmbeddedCluster> {
  const cluster = await Cluster.open(options)
  try {
    await cluster.start()
    return cluster
  } catch (error) {
    await cluster.abandon()
    throw error
  }
}

const memoryFolder = '/memory'

class Cluster implements EmbeddedCluster {
  readonly #folder: SharedFolder
  readonly #view: ClusterViewOfStore
  readonly #metadata: MetaStoreServer
  readonly #members: readonly ClusterMember[]

  #fault: { readonly error: unknown } | null = null
  #stopped: Promise<void> | null = null

  static async open(options: StartClusterOptions): Promise<Cluster> {
    const { data } = options
    const disk = data === undefined ? new MemoryDisk() : realDisk
    const folder = await openSharedFolder(disk, systemClock, data ?? memoryFolder)
    const fault = (error: unknown): void => {
      throw error
    }
    const view = await ClusterViewOfStore.open({ store: folder.store, onFault: fault })
    return new Cluster(options, disk, folder, view)
  }

  private constructor(options: StartClusterOptions, disk: Disk, folder: SharedFolder, view: ClusterViewOfStore) {
    const { brokers: count = 3, racks = [], logger = errorsOnly } = options
    this.#folder = folder
    this.#view = view

    this.#metadata = new MetaStoreServer({ store: folder.store, clock: systemClock })
    const common = new Map(Object.entries(commonSettings(options)))
    const settings = brokerSettings(Object.fromEntries(common))
    this.#members = Array.from({ length: count }, (_, index) => {
      const id = index + 1
      return new ClusterMember({
        id,
        settingsOf: (port) => {
          const bound = settings.listeners.map(({ name, host }) => ({ name, host, port }))
          const own = settingsOfOne({ settings, common, count }, id, port === 0 ? null : bound)
          const rack = racks[index]
          return { ...Object.fromEntries(own), ...(rack !== undefined && { 'broker.rack': rack }) }
        },
        disk,
        metadata: this.#metadata,
        logger,
        onFault: (error) => {
          this.#fault ??= { error }
          logger.error({ err: error, broker: id }, 'a broker of the embedded cluster cannot go on')
          void this.#member(id).stop({ handOver: false })
        },
      })
    })
  }

  async start(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.start()))
    await this.#until('a leader', ({ topicsById }) => missingLeaders(topicsById), 30_000)
  }

  get clusterId(): string {
    return this.#view.image.clusterId
  }

  get bootstrapServers(): string {
    return this.#members.map(({ host, port }) => `${bracketed(reachable(host))}:${port}`).join(',')
  }

  get brokers(): readonly ClusterBroker[] {
    return this.#members.map(({ id, host, port, state }) => ({ id, host: reachable(host), port, state }))
  }

  leaderOf(topic: string, partition: number): number | null {
    const leader = this.#view.image.topicsByName.get(topic)?.partitions[partition]?.leader ?? -1
    return leader === -1 ? null : leader
  }

  async kill(id: number): Promise<void> {
    await this.#member(id).kill()
  }

  async restart(id: number): Promise<void> {
    const member = this.#member(id)
    await member.stop({ handOver: true })
    await member.start()
  }

  isolate(id: number, { silently = false }: { readonly silently?: boolean } = {}): void {
    this.#member(id).isolate({ silently })
  }

  heal(id: number): void {
    this.#member(id).heal()
  }

  settled(limitMs = 30_000): Promise<void> {
    const running = new Set(this.#members.filter(({ state }) => state === 'running').map(({ id }) => id))
    return this.#until('all replicas in sync', ({ topicsById }) => missingReplicas(topicsById, running), limitMs)
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  /** It did not start. */
  async abandon(): Promise<void> {
    this.#fault = null
    await this.stop()
  }

  async #stop(): Promise<void> {
    this.#metadata.holdLeases()
    await Promise.all(this.#members.map((member) => member.stop({ handOver: false })))
    this.#view.close()
    await this.#folder.close()
    const fault = this.#fault
    if (fault !== null) throw new Error('a broker of the embedded cluster stopped by itself', { cause: fault.error })
  }

  #member(id: number): ClusterMember {
    const member = this.#members[id - 1]
    if (member === undefined) throw new Error(`there is no broker ${id}; there are 1 to ${this.#members.length}`)
    return member
  }

  /** Until nothing is missing. */
  #until(what: string, missing: (image: ClusterImage) => string[], limitMs: number): Promise<void> {
    if (missing(this.#view.image).length === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const timer = systemClock.setTimer(limitMs, () => {
        unsubscribe()
        reject(new Error(`waited ${limitMs} ms in vain for ${what}: ${missing(this.#view.image).join(', ')}`))
      })
      const unsubscribe = this.#view.subscribe(({ after }) => {
        if (missing(after).length > 0) return
        timer.cancel()
        unsubscribe()
        resolve()
      })
    })
  }
}

type Topics = ClusterImage['topicsById']

function missingLeaders(topics: Topics): string[] {
  const missing: string[] = []
  for (const { name, partitions } of topics.values()) {
    for (const { index, leader } of partitions) if (leader === -1) missing.push(`${name}-${index}`)
  }
  return missing
}

function missingReplicas(topics: Topics, running: ReadonlySet<number>): string[] {
  const missing: string[] = []
  for (const { name, partitions } of topics.values()) {
    for (const { index, leader, replicas, isr } of partitions) {
      if (!running.has(leader)) missing.push(`leader of ${name}-${index}`)
      for (const id of replicas)
        if (running.has(id) && !isr.includes(id)) missing.push(`broker ${id} in ${name}-${index}`)
    }
  }
  return missing
}

function commonSettings(options: StartClusterOptions): Record<string, string> {
  const { host = '127.0.0.1', data, settings = {}, sessionTimeoutMs = 2000 } = options
  for (const name of ['log.dir', 'log.dirs']) {
    if (name in settings)
      throw new Error(`setting '${name}' is not for an embedded cluster: give startCluster({ data })`)
  }
  const given: Record<string, string> = {
    listeners: `PLAINTEXT://${bracketed(host)}:0`,
    'log.dir': data ?? memoryFolder,
    'group.initial.rebalance.delay.ms': '0',
    'broker.session.timeout.ms': String(sessionTimeoutMs),
  }
  for (const [name, value] of Object.entries(settings)) given[name] = String(value)
  return given
}
