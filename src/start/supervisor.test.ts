// The supervisor over simulated processes: each speaks over a simulated channel and ends when the test says so.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EmbeddedMetaStore } from '../cluster/meta-store.embedded.ts'
import { FileJournal } from '../cluster/file-journal.ts'
import { MetaStoreServer } from '../cluster/remote/meta-store-server.ts'
import { RemoteMetaStore } from '../cluster/remote/remote-meta-store.ts'
import type { Child, Ended } from '../io/child-process.ts'
import { SimulatedClock } from '../io/clock.sim.ts'
import { SimulatedDisk } from '../io/disk.sim.ts'
import { SimulatedChannel } from '../io/message-channel.sim.ts'
import { lanesOf, type MessageChannel } from '../io/message-channel.ts'
import { silentLogger } from '../lib/logger.ts'
import { type FromSupervised, lanes, type ToSupervised } from './supervision.ts'
import { Supervisor } from './supervisor.ts'

/** A process of a broker. */
class Process {
  readonly told: ToSupervised[] = []
  readonly store: RemoteMetaStore
  readonly child: Child
  readonly killed: string[] = []
  readonly #channel: SimulatedChannel
  readonly #supervision: MessageChannel
  readonly #ended = Promise.withResolvers<Ended>()

  constructor(clock: SimulatedClock, pid: number) {
    this.#channel = new SimulatedChannel(clock)
    const { supervision, metadata } = lanesOf(this.#channel.right, lanes)
    this.#supervision = supervision
    supervision.onMessage = (message) => this.told.push(message as ToSupervised)
    this.store = new RemoteMetaStore({ channel: metadata, clock })
    this.child = {
      pid,
      channel: this.#channel.left,
      ended: this.#ended.promise,
      kill: (signal) => {
        this.killed.push(signal)
        this.end({ code: null, signal })
      },
    }
  }

  say(message: FromSupervised): void {
    this.#supervision.post(message)
  }

  ready(port: number): void {
    this.say({ kind: 'ready', clusterId: 'c', listeners: [{ name: 'PLAINTEXT', host: 'h', port }] })
  }

  end(how: Ended): void {
    this.#channel.cut()
    this.#ended.resolve(how)
  }

  hang(): void {
    this.#channel.silent = true
  }

  goOn(): void {
    this.#channel.silent = false
  }

  /** Holds a key under a lease, as a broker does. */
  async register(key: string): Promise<void> {
    const lease = await this.store.lease(9000)
    await this.store.transact([{ key, modRevision: 0 }], [{ kind: 'put', key, value: new Uint8Array(0), lease }])
  }
}

async function under(count: number) {
  const clock = new SimulatedClock()
  const disk = new SimulatedDisk()
  const store = await EmbeddedMetaStore.open({ journal: new FileJournal(disk, '/m'), clock })
  const processes: Process[] = []
  const supervisor = new Supervisor({
    brokerIds: Array.from({ length: count }, (_, index) => index + 1),
    settingsOf: (id, bound) =>
      new Map([
        ['node.id', `${id}`],
        ['port', `${bound?.[0]?.port ?? 0}`],
      ]),
    manner: { dev: false, logLevel: 'info', onTerminal: false },
    metadata: new MetaStoreServer({ store, clock }),
    launch: () => {
      const process = new Process(clock, 100 + processes.length)
      processes.push(process)
      return process.child
    },
    clock,
    logger: silentLogger,
    stopMsMax: 5000,
  })
  const keys = async () => (await store.list('')).entries.map(({ key }) => key)
  return { clock, disk, store, processes, supervisor, keys }
}

async function started(count: number) {
  const world = await under(count)
  const ready = world.supervisor.start()
  for (const [index, process] of world.processes.entries()) process.ready(9000 + index)
  return { ...world, ready: await ready }
}

test('each broker gets its settings, and all are ready when the last one is', async () => {
  const { clock, supervisor, processes } = await under(2)
  let isReady = false
  const ready = supervisor.start().then((brokers) => {
    isReady = true
    return brokers
  })
  await clock.settle()
  assert.deepEqual(
    processes.map(({ told }) => told.map((message) => (message.kind === 'start' ? message.settings[0] : message.kind))),
    [[['node.id', '1']], [['node.id', '2']]],
  )
  processes[1]!.ready(9001)
  await clock.settle()
  assert.equal(isReady, false)
  processes[0]!.ready(9000)
  assert.deepEqual(
    (await ready).map(({ brokerId, pid, listeners }) => [brokerId, pid, listeners[0]?.port]),
    [
      [1, 100, 9000],
      [2, 101, 9001],
    ],
  )
})

test('a broker that is refused at its start is why nothing starts', async () => {
  const { supervisor, processes } = await under(2)
  const ready = supervisor.start()
  processes[1]!.say({ kind: 'refused', reason: 'the port is taken' })
  await Promise.resolve()
  processes[1]!.store.failed.catch(() => {})
  setImmediate(() => processes[1]!.end({ code: 1, signal: null }))
  await assert.rejects(ready, /^StartRefused: broker 2: the port is taken$/)
})

test('a broker that ends while it starts, without a word, is why nothing starts', async () => {
  const { supervisor, processes } = await under(1)
  const ready = supervisor.start()
  processes[0]!.end({ code: null, signal: 'SIGKILL' })
  await assert.rejects(ready, /broker 1: it ended by SIGKILL while it started/)
})

test('a broker that dies is started again at once, where it was, and its leases are gone', async () => {
  const { clock, processes, keys } = await started(1)
  await processes[0]!.register('live')
  processes[0]!.end({ code: null, signal: 'SIGKILL' })
  await clock.advance(0)
  assert.deepEqual(await keys(), [])
  assert.equal(processes.length, 2)
  const [start] = processes[1]!.told
  assert.ok(start?.kind === 'start')
  assert.deepEqual(start.settings[1], ['port', '9000'])
})

test('a broker that dies again and again waits longer each time, until it has served for a while', async () => {
  const { clock, processes } = await started(1)
  const waits: number[] = []
  const die = async (): Promise<void> => {
    const before = clock.monotonic()
    processes.at(-1)!.end({ code: 1, signal: null })
    const count = processes.length
    await clock.advanceUntil(() => processes.length > count)
    waits.push(clock.monotonic() - before)
    processes.at(-1)!.ready(9000)
    await clock.settle()
  }
  for (let death = 0; death < 8; death++) await die()
  await clock.advance(30_001)
  await die()
  assert.deepEqual(waits, [0, 250, 500, 1000, 2000, 4000, 8000, 10_000, 0])
})

test('all stop together, and keep their leases to the end', async () => {
  const { clock, supervisor, processes, keys } = await started(2)
  await processes[0]!.register('live/1')
  await processes[1]!.register('live/2')
  const stopped = supervisor.stop()
  await clock.settle()
  assert.deepEqual(
    processes.map(({ told }) => told.at(-1)?.kind),
    ['stop', 'stop'],
  )
  processes[0]!.end({ code: 0, signal: null })
  await clock.advance(4000)
  assert.deepEqual(await keys(), ['live/1', 'live/2'])
  processes[1]!.end({ code: 0, signal: null })
  await stopped
  assert.deepEqual([processes.length, processes[1]!.killed], [2, []])
})

test('a broker that does not stop in time is killed', async () => {
  const { clock, supervisor, processes } = await started(2)
  const stopped = supervisor.stop()
  processes[0]!.end({ code: 0, signal: null })
  await clock.advance(4999)
  assert.deepEqual(processes[1]!.killed, [])
  await clock.advance(1)
  await stopped
  assert.deepEqual([processes[0]!.killed, processes[1]!.killed], [[], ['SIGKILL']])
})

test('a broker that dies while the disk is full is started again, and its leases go when there is room', async () => {
  const { clock, disk, processes, keys } = await started(1)
  await processes[0]!.register('live')
  disk.capacityBytes = disk.usedBytes + 10
  processes[0]!.end({ code: null, signal: 'SIGKILL' })
  await clock.advance(0)
  assert.equal(processes.length, 2)
  assert.deepEqual(await keys(), ['live'])
  disk.capacityBytes = Infinity
  await clock.advance(2000)
  assert.deepEqual(await keys(), [])
})

test('a broker that hangs long after its lease is lost is killed and started again, one that goes on is not', async () => {
  const { clock, processes } = await started(2)
  for (const process of processes) await process.register(`live/${process.child.pid}`)
  processes[0]!.hang()
  processes[1]!.hang()
  await clock.advance(30_000)
  processes[1]!.goOn()
  await clock.advance(20_000)
  assert.equal(processes.length, 2)
  await clock.advance(30_000)
  assert.deepEqual([processes[0]!.killed, processes[1]!.killed, processes.length], [['SIGKILL'], [], 3])
})
