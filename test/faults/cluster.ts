// Three brokers as processes of their own, etcd beside them, and a link that can be cut between any two: what the faults are done to.

import { createServer } from 'node:net'
import { createWriteStream, type WriteStream } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Admin } from 'kafkajs'
import { EtcdUnderTest } from '../support/etcd.ts'
import { kafkaJs } from '../support/kafkajs-client.ts'
import { waitFor, within } from '../support/wait-for.ts'
import { Child } from './child.ts'
import { clientIdOf, Link } from './link.ts'

const main = join(import.meta.dirname, '../../src/cli/main.ts')
export const brokerIds = [1, 2, 3] as const
const clientListener = 'PLAINTEXT'
const brokerListener = 'BETWEEN'

export interface FaultClusterOptions {
  readonly etcdMembers: number
  /** By Kafka's names. */
  readonly settings: Readonly<Record<string, string>>
  /** Of a broker, instead of one beside the others. */
  readonly dataOf?: (brokerId: number) => string | null
}

export interface Place {
  readonly topic: string
  readonly partition: number
  readonly leader: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
}

interface Broker {
  readonly id: number
  readonly port: number
  readonly portForBrokers: number
  readonly data: string
  readonly log: WriteStream
  /** Null when it is not there on purpose. */
  process: Child | null
}

export class FaultCluster {
  /** Data, and what the brokers said. */
  readonly folder: string
  readonly etcd: EtcdUnderTest
  readonly #settings: Readonly<Record<string, string>>
  readonly #brokers: readonly Broker[]
  /** To each broker, told apart by who calls. */
  readonly #links: ReadonlyMap<number, Link>
  /** Of each broker to each member of etcd. */
  readonly #etcdLinks: ReadonlyMap<number, readonly Link[]>
  readonly #cleanUps: readonly (() => Promise<void>)[]
  #admin: Admin | null = null
  #unexpected: string[] = []

  static async start({ etcdMembers, settings, dataOf }: FaultClusterOptions): Promise<FaultCluster> {
    const folder = await mkdtemp(join(tmpdir(), 'odradek-faults-'))
    const cleanUps: (() => Promise<void>)[] = []
    const etcd = await EtcdUnderTest.start(
      { after: (done: () => Promise<void>) => void cleanUps.push(done) },
      { members: etcdMembers, flags: ['--heartbeat-interval=100', '--election-timeout=1000'] },
    )
    const ports = await freePorts(2 * brokerIds.length)
    const links = new Map<number, Link>()
    const etcdLinks = new Map<number, Link[]>()
    const brokers: Broker[] = []
    for (const [index, id] of brokerIds.entries()) {
      const [port, portForBrokers] = [ports[2 * index]!, ports[2 * index + 1]!]
      links.set(id, (await Link.open(clientIdOf)).leadsTo(portForBrokers))
      const toEtcd: Link[] = []
      for (const endpoint of etcd.endpoints) toEtcd.push((await Link.open()).leadsTo(Number(endpoint.split(':')[1])))
      etcdLinks.set(id, toEtcd)
      const data = dataOf?.(id) ?? join(folder, `broker-${id}`)
      await mkdir(data, { recursive: true })
      const log = createWriteStream(join(folder, `broker-${id}.log`), { flags: 'a' })
      brokers.push({ id, port, portForBrokers, data, log, process: null })
    }
    const cluster = new FaultCluster(folder, etcd, settings, brokers, links, etcdLinks, cleanUps)
    try {
      await Promise.all(brokerIds.map((id) => cluster.startBroker(id)))
      return cluster
    } catch (error) {
      await cluster.stop()
      throw error
    }
  }

  private constructor(
    folder: string,
    etcd: EtcdUnderTest,
    settings: Readonly<Record<string, string>>,
    brokers: readonly Broker[],
    links: ReadonlyMap<number, Link>,
    etcdLinks: ReadonlyMap<number, readonly Link[]>,
    cleanUps: readonly (() => Promise<void>)[],
  ) {
    this.folder = folder
    this.etcd = etcd
    this.#settings = settings
    this.#brokers = brokers
    this.#links = links
    this.#etcdLinks = etcdLinks
    this.#cleanUps = cleanUps
  }

  get bootstrap(): string {
    return this.addresses().join()
  }

  /** `host:port` for clients. */
  addresses(ids: readonly number[] = brokerIds): string[] {
    return ids.map((id) => `127.0.0.1:${this.#broker(id).port}`)
  }

  dataOf(brokerId: number): string {
    return this.#broker(brokerId).data
  }

  pidOf(brokerId: number): number {
    return this.#broker(brokerId).process!.pid
  }

  /** Brokers that ended without being told to, since the cluster began. */
  get unexpectedEnds(): readonly string[] {
    return this.#unexpected
  }

  /** Resolves when the broker is ready. */
  async startBroker(brokerId: number): Promise<void> {
    const broker = this.#broker(brokerId)
    const { port, portForBrokers, data, log } = broker
    const settings: Record<string, string> = {
      listeners: `${clientListener}://127.0.0.1:${port},${brokerListener}://127.0.0.1:${portForBrokers}`,
      'advertised.listeners': `${clientListener}://127.0.0.1:${port},${brokerListener}://127.0.0.1:${this.#links.get(brokerId)!.port}`,
      'listener.security.protocol.map': `${clientListener}:PLAINTEXT,${brokerListener}:PLAINTEXT`,
      'inter.broker.listener.name': brokerListener,
      'group.initial.rebalance.delay.ms': '0',
      ...this.#settings,
    }
    const etcd = this.#etcdLinks.get(brokerId)!.map((link) => `127.0.0.1:${link.port}`)
    const args = [main, 'start', '--broker-id', String(brokerId), '--etcd', etcd.join(), '--data', data]
    for (const [name, value] of Object.entries(settings)) args.push('--set', `${name}=${value}`)
    let ready = (): void => {}
    const isReady = new Promise<void>((resolve) => (ready = resolve))
    const child: Child = new Child(`broker ${brokerId}`, [process.execPath, ...args], {
      onLine: (line) => {
        log.write(`${line}\n`)
        if (line.includes('is ready, listening on')) ready()
      },
      onError: (text) => void log.write(text),
      onEnd: (how) => {
        if (broker.process === child) this.#unexpected.push(`broker ${brokerId} ended by itself: ${how}`)
      },
    })
    broker.process = child
    const failed = child.ended.then(() => {
      throw new Error(`broker ${brokerId} ended before it was ready; see ${this.folder}`)
    })
    await within(`broker ${brokerId} to be ready`, Promise.race([isReady, failed]), 60_000)
  }

  /** kill -9. */
  async kill(brokerId: number): Promise<void> {
    await this.#end(brokerId, 'SIGKILL')
  }

  /** SIGTERM. Answers how long it took, in milliseconds. */
  async terminate(brokerId: number): Promise<number> {
    const began = performance.now()
    await this.#end(brokerId, 'SIGTERM')
    return performance.now() - began
  }

  freeze(brokerId: number): void {
    this.#broker(brokerId).process!.signal('SIGSTOP')
  }

  thaw(brokerId: number): void {
    this.#broker(brokerId).process?.signal('SIGCONT')
  }

  /** Nothing passes between the two, in either direction. */
  cut(one: number, other: number): void {
    this.#links.get(one)!.cut(callerNamed(other))
    this.#links.get(other)!.cut(callerNamed(one))
  }

  /** Connections between the two break, once. */
  resetBetween(one: number, other: number): void {
    this.#links.get(one)!.reset(callerNamed(other))
    this.#links.get(other)!.reset(callerNamed(one))
  }

  cutFromEtcd(brokerId: number): void {
    for (const link of this.#etcdLinks.get(brokerId)!) link.cut()
  }

  /** Of all links. */
  heal(): void {
    for (const link of this.#links.values()) link.heal()
    for (const links of this.#etcdLinks.values()) for (const link of links) link.heal()
  }

  async admin(): Promise<Admin> {
    if (this.#admin === null) {
      const brokers = this.addresses()
      const retry = { initialRetryTime: 50, maxRetryTime: 500, retries: 5 }
      const admin = kafkaJs('', { brokers, clientId: 'faults', requestTimeout: 5000, retry }).admin()
      await admin.connect()
      this.#admin = admin
    }
    return this.#admin
  }

  /** Where all partitions of the topics are, those of the internal one included; asked of the given brokers. */
  async places(asked: readonly number[] = brokerIds): Promise<Place[]> {
    const brokers = this.addresses(asked)
    const admin = kafkaJs('', { brokers, clientId: 'faults', requestTimeout: 2000, retry: { retries: 3 } }).admin()
    await admin.connect()
    try {
      const { topics } = await admin.fetchTopicMetadata()
      return topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionId, leader, replicas, isr }) => ({
          topic: name,
          partition: partitionId,
          leader,
          replicas,
          isr,
        })),
      )
    } finally {
      await admin.disconnect()
    }
  }

  async leaderOf(topic: string, partition: number, asked: readonly number[] = brokerIds): Promise<number> {
    const places = await this.places(asked)
    return places.find((place) => place.topic === topic && place.partition === partition)!.leader
  }

  async controller(): Promise<number> {
    const { controller } = await (await this.admin()).describeCluster()
    if (controller === null) throw new Error('nobody is the controller')
    return controller
  }

  /** Whichever broker is asked names them all: a topic can be placed on each. */
  async knowsAllBrokers(): Promise<void> {
    for (const brokerId of brokerIds) {
      const admin = kafkaJs('', { brokers: this.addresses([brokerId]), clientId: 'faults' }).admin()
      await admin.connect()
      try {
        await waitFor(`broker ${brokerId} to know of all`, async () => {
          const { brokers } = await admin.describeCluster()
          return brokers.length === brokerIds.length
        })
      } finally {
        await admin.disconnect()
      }
    }
  }

  /** Every partition has its leader and all of its replicas in sync. Answers how long that took, in milliseconds. */
  async settled(timeoutMs: number): Promise<number> {
    const began = performance.now()
    let wrong: Place[] = []
    await waitFor(
      'every replica to be in sync',
      async () => {
        wrong = (await this.places()).filter(
          ({ leader, replicas, isr }) => leader < 0 || isr.length !== replicas.length || replicas.length === 0,
        )
        return wrong.length === 0
      },
      timeoutMs,
    ).catch((cause: unknown) => {
      const shown = wrong.slice(0, 5).map((place) => JSON.stringify(place))
      throw new Error(`not settled after ${timeoutMs} ms: ${wrong.length} partitions, ${shown.join(' ')}`, { cause })
    })
    return performance.now() - began
  }

  /** Everything runs, and everything is connected. */
  async repair(): Promise<void> {
    this.heal()
    await this.etcd.repair()
    await Promise.all(
      this.#brokers.map(async ({ id, process }) => {
        if (process === null) await this.startBroker(id)
        else this.thaw(id)
      }),
    )
  }

  /** The processes end; the data stays. */
  async stop(): Promise<void> {
    await this.#admin?.disconnect().catch(() => {})
    this.heal()
    for (const { id } of this.#brokers) this.thaw(id)
    await Promise.all(this.#brokers.map(({ id }) => this.kill(id)))
    for (const cleanUp of this.#cleanUps) await cleanUp()
    for (const link of [...this.#links.values(), ...[...this.#etcdLinks.values()].flat()]) await link.close()
    for (const { log } of this.#brokers) log.end()
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }

  #broker(id: number): Broker {
    const broker = this.#brokers.find((one) => one.id === id)
    if (broker === undefined) throw new Error(`there is no broker ${id}`)
    return broker
  }

  async #end(brokerId: number, signal: NodeJS.Signals): Promise<void> {
    const broker = this.#broker(brokerId)
    const child = broker.process
    if (child === null) return
    broker.process = null
    await child.end(signal)
  }
}

/** As the fetchers of a broker name themselves. */
const callerNamed = (brokerId: number): string => `broker-${brokerId}-fetcher-0`

/** Below the ports that systems hand out by themselves, so that none is taken while its broker is away. */
async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = []
  while (ports.length < count) {
    const port = 12_000 + Math.floor(Math.random() * 18_000)
    if (!ports.includes(port) && (await isFree(port))) ports.push(port)
  }
  return ports
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
