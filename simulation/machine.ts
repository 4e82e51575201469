// A machine: a host with a disk, and the lives of a broker on it. A broker that ends by itself is started again after a while, as
// systemd does; one that was made to end stays down until it is started.

import { EtcdMetaStore } from '../src/cluster/etcd/etcd-store.ts'
import { brokerSettings } from '../src/cluster/settings/broker-settings.ts'
import type { SimulatedClock } from '../src/io/clock.sim.ts'
import type { Millis, Timer } from '../src/io/clock.ts'
import { type DiskFault, SimulatedDisk } from '../src/io/disk.sim.ts'
import type { SimulatedEtcd, SimulatedEtcdDoor } from '../src/io/etcd.sim.ts'
import type { SimulatedNetwork } from '../src/io/network.sim.ts'
import { type SeededRandom, seededRandom } from '../src/io/random.sim.ts'
import type { Logger } from '../src/lib/logger.ts'
import { type RunningBroker, runBroker } from '../src/start.ts'
import type { BrokerInside, Machine, MachineState, Trace } from './contracts.ts'
import { type DiskPace, useDisk, usualPace } from './process-disk.ts'
import { etcdOf } from './process-etcd.ts'
import { ProcessLife, type ThawOrder } from './process-life.ts'
import { networkOf } from './process-network.ts'

/** As `RestartSec` of systemd. */
const restartMs: Millis = 1000
/** As `TimeoutStopSec`: who does not stop in time is killed. */
const stopMsMax: Millis = 30_000

export interface MachineOptions {
  readonly id: number
  readonly rack: string
  readonly clock: SimulatedClock
  readonly network: SimulatedNetwork
  readonly etcd: SimulatedEtcd
  readonly random: SeededRandom
  readonly trace: Trace
  /** By Kafka's names. */
  readonly settings: Readonly<Record<string, string>>
  /** Something was thrown that nobody caught: in production the process would end, here the run does. */
  readonly onUnknownError: (machine: Machine, error: unknown) => void
}

interface Life {
  readonly process: ProcessLife
  readonly etcd: SimulatedEtcdDoor
  broker: RunningBroker | null
}

export class SimulatedMachine implements Machine {
  readonly id: number
  readonly host: string
  /** How far the wall clock is off. */
  wallOffsetMs: Millis = 0
  readonly pace: DiskPace = { ...usualPace }
  readonly #options: MachineOptions
  #diskFault: DiskFault | null = null
  #disarm: () => void = () => {}
  #roomBytes: number | null = null
  readonly #diskClock: { now(): number }
  #disk: SimulatedDisk
  #life: Life | null = null
  #lives = 0
  /** Whether it is started again when it ends. */
  #wanted = false
  #restart: Timer | null = null
  #stopping = false
  #etcdCut = false

  constructor(options: MachineOptions) {
    this.#options = options
    this.id = options.id
    this.host = `broker-${options.id}`
    this.#diskClock = { now: () => options.clock.now() + this.wallOffsetMs }
    this.#disk = new SimulatedDisk({ clock: this.#diskClock })
  }

  get state(): MachineState {
    if (this.#life === null) return 'down'
    if (this.#life.process.frozen) return 'frozen'
    return this.#life.broker === null ? 'starting' : 'up'
  }

  get inside(): BrokerInside | null {
    return this.#life?.broker?.inside ?? null
  }

  get disk(): SimulatedDisk {
    return this.#disk
  }

  /** Counts from 1. */
  get lives(): number {
    return this.#lives
  }

  get stopping(): boolean {
    return this.#stopping
  }

  /** Whether a process is there, starting or up or frozen. */
  get alive(): boolean {
    return this.#life !== null
  }

  /** Nothing when it runs already; one that is stopping starts again afterwards. `disk`: put in place of its own. */
  start({ disk }: { readonly disk?: 'empty' | SimulatedDisk } = {}): void {
    this.#wanted = true
    if (this.#life !== null) return
    if (disk === 'empty') this.#disk = new SimulatedDisk({ clock: this.#diskClock })
    else if (disk !== undefined) this.#disk = disk
    this.#begin()
  }

  /** The machine loses power: what was not synced is lost, or torn. */
  powerFails(): void {
    this.#end('the power fails', { power: true, wanted: false })
  }

  /** `kill -9`: the process is gone, what it wrote is not. */
  kill(): void {
    this.#end('killed', { power: false, wanted: false })
  }

  /** Controlled shutdown. */
  stop(): void {
    const life = this.#life
    this.#wanted = false
    if (life === null || this.#stopping) return
    if (life.broker === null || life.process.frozen) {
      this.kill()
      return
    }
    this.#trace('stops')
    this.#stopping = true
    const patience = this.#options.clock.setTimer(stopMsMax, () => {
      if (this.#life === life) this.#end('did not stop in time, and is killed', { power: false, wanted: this.#wanted })
    })
    const stopped = (how: string): void => {
      patience.cancel()
      if (this.#life === life) this.#end(how, { power: false, wanted: this.#wanted })
    }
    life.broker.stop().then(
      () => stopped('has stopped'),
      (error: unknown) => stopped(`failed to stop: ${String(error)}`),
    )
  }

  /** SIGSTOP. */
  freeze(): void {
    if (this.#life === null || this.#life.process.frozen) return
    this.#trace('freezes')
    this.#life.process.freeze()
  }

  /** SIGCONT. */
  thaw(order: ThawOrder): void {
    if (this.#life?.process.frozen !== true) return
    this.#trace('thaws')
    this.#life.process.thaw(order)
  }

  /** Ends what runs and starts it anew, as an operator does; starts it when nothing runs. */
  restart(): void {
    this.kill()
    this.start()
  }

  /** What its disk fails at from now on, in this life and the next ones; null: nothing any more. */
  failDisk(fault: DiskFault | null): void {
    this.#disarm()
    this.#diskFault = fault
    if (fault === null) return
    const armed = this.#disk.failWhen(fault)
    this.#disarm = () => armed.cancel()
  }

  /** From now on there is room for so much more on its disk; null: for all there is. */
  limitRoom(bytes: number | null): void {
    this.#roomBytes = bytes
    this.#disk.capacityBytes = bytes === null ? Infinity : this.#disk.usedBytes + bytes
  }

  /** Nothing passes between this machine and etcd. */
  cutEtcd(cut: boolean): void {
    this.#etcdCut = cut
    if (this.#life !== null) this.#life.etcd.cut = cut
  }

  #begin(): void {
    const { clock, network, etcd, random } = this.#options
    this.#lives += 1
    this.#stopping = false
    const process = new ProcessLife(
      clock,
      () => this.wallOffsetMs,
      (error) => this.#options.onUnknownError(this, error),
    )
    const life: Life = { process, etcd: etcd.door(), broker: null }
    life.etcd.cut = this.#etcdCut
    this.#life = life
    this.#trace(`starts, life ${this.#lives}`)
    this.failDisk(this.#diskFault)
    this.limitRoom(this.#roomBytes)
    useDisk(this.#disk, process, { clock, random: seededRandom(random.below(2 ** 48)), pace: this.pace })
    const host = network.host(this.host)
    const ownRandom = seededRandom(random.below(2 ** 48))
    this.#run(life, networkOf(host, process), ownRandom).catch((error: unknown) => {
      if (this.#life === life) this.#end(`could not start: ${messageOf(error)}`, { power: false, wanted: this.#wanted })
    })
  }

  async #run(life: Life, network: ReturnType<typeof networkOf>, random: SeededRandom): Promise<void> {
    const { rack, settings, etcd } = this.#options
    const { process } = life
    const { clock } = process
    const logger = this.#logger(process)
    const store = await EtcdMetaStore.connect({
      door: etcdOf(life.etcd, process),
      endpoints: etcd.endpoints,
      clock,
      logger,
    })
    life.broker = await runBroker({
      settings: brokerSettings({
        ...settings,
        'node.id': String(this.id),
        'broker.rack': rack,
        listeners: `PLAINTEXT://${this.host}:9092`,
        'log.dir': '/data',
      }),
      removeMembersOnDisconnect: false,
      metadata: { store, failed: new Promise(() => {}) },
      disk: this.#disk,
      network,
      clock,
      random,
      logger,
      onFault: (error) => {
        if (this.#life === life) this.#end(`ends: ${messageOf(error)}`, { power: false, wanted: this.#wanted })
      },
    })
    this.#trace('serves')
  }

  #end(why: string, { power, wanted }: { readonly power: boolean; readonly wanted: boolean }): void {
    this.#wanted = wanted
    this.#restart?.cancel()
    this.#restart = null
    const life = this.#life
    if (life === null) return
    const { clock, network, random } = this.#options
    this.#trace(why)
    this.#life = null
    this.#stopping = false
    life.process.end()
    if (power) network.crashHost(this.host)
    else network.killHost(this.host)
    this.#disk.onOperation = null
    this.#disk = power ? this.#disk.crash(random) : this.#disk.kill()
    if (!wanted) return
    this.#restart = clock.setTimer(restartMs, () => {
      this.#restart = null
      if (this.#life === null && this.#wanted) this.#begin()
    })
  }

  #logger(process: ProcessLife): Logger {
    const at =
      (level: string) =>
      (fields: object, message: string): void => {
        if (!process.over) this.#trace(`${level} ${message}${shown(fields)}`)
      }
    return { debug() {}, info: at('info'), warn: at('warn'), error: at('error') }
  }

  #trace(what: string): void {
    this.#options.trace.add(this.host, what)
  }
}

function shown(fields: object): string {
  return Object.entries(fields)
    .map(([name, value]) => ` ${name}=${value instanceof Error ? messageOf(value) : JSON.stringify(value)}`)
    .join('')
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${messageOf(error.cause)}` : error.message
}
