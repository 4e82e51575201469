// `node bench/scale/main.ts`: the metadata of a large cluster, in one process: production code over a simulated etcd on a simulated clock.
// One broker is the controller, one looks on, the others are registrations. What is measured is CPU time on this machine (without the
// simulation's own), requests, and bytes; what all brokers pay alike is measured at the one that looks on.
//
//   node bench/scale/main.ts [--brokers 100] [--partitions 100000] [--per-topic 10]

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parseArgs } from 'node:util'
import { ClusterViewOfStore, initialChange } from '../../src/cluster/cluster-view.ts'
import { Controller } from '../../src/cluster/controller/controller.ts'
import { encodeDocument } from '../../src/cluster/documents.ts'
import { brokerKey, liveKey, partitionKey, topicKey } from '../../src/cluster/keys.ts'
import type { EtcdMetaStore } from '../../src/cluster/etcd/etcd-store.ts'
import type { CasItem, Lease, MetaWrite } from '../../src/cluster/meta-store.ts'
import { placeReplicas } from '../../src/cluster/replica-placement.ts'
import { brokerSettings } from '../../src/cluster/settings/broker-settings.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { SimulatedLog } from '../../src/replication/log.sim.ts'
import { ReplicaSet } from '../../src/replication/replica-set.ts'
import { printMachine } from '../measured.ts'
import { CountedEtcd, cpuMs, type Traffic } from './counted-etcd.ts'

const { values } = parseArgs({
  options: {
    brokers: { type: 'string', default: '100' },
    partitions: { type: 'string', default: '100000' },
    'per-topic': { type: 'string', default: '10' },
  },
})
const brokerCount = Number(values.brokers)
const partitionCount = Number(values.partitions)
const perTopic = Number(values['per-topic'])
const topicCount = Math.ceil(partitionCount / perTopic)
const ids = Array.from({ length: brokerCount }, (_, i) => i + 1)
const [controllerId, lookerId, dead] = [1, 2, 3] as const

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const settings = brokerSettings({})
const etcd = new CountedEtcd()
const { clock, random } = etcd

function row(what: string, text: string): void {
  console.log(`  ${what.padEnd(52)}${text}`)
}

const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms of CPU`
const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 1)} MB`

function heapUsed(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

function since(traffic: Traffic, before: Traffic): Traffic {
  const entries = Object.entries(traffic).map(([name, value]) => [name, value - before[name as keyof Traffic]])
  return Object.fromEntries(entries)
}

function follow(store: EtcdMetaStore): Promise<ClusterViewOfStore> {
  return etcd.whileTimePasses(
    ClusterViewOfStore.open({
      store,
      remote: { clock },
      onFault: (error) => {
        throw error
      },
    }),
  )
}

/** Registrations and topics, as they would be after a while of a quiet cluster. */
async function populate(store: EtcdMetaStore): Promise<{ epochs: Map<number, number>; leases: Map<number, Lease> }> {
  const epochs = new Map<number, number>()
  const leases = new Map<number, Lease>()
  for (const id of ids) {
    const lease = await store.lease(settings.brokerSessionTimeoutMs)
    leases.set(id, lease)
    const endpoints = [{ listener: 'PLAINTEXT', host: `broker-${id}.kafka.example.com`, port: 9092 }]
    const known = { incarnation: random.uuid(), directoryId: random.uuid(), endpoints, rack: `rack-${id % 3}` }
    const live = { ...known, leaving: false }
    const result = await store.transact(
      [{ key: liveKey(id), modRevision: 0 }],
      [
        { kind: 'put', key: liveKey(id), value: encodeDocument(live), lease },
        { kind: 'put', key: brokerKey(id), value: encodeDocument(known) },
      ],
    )
    epochs.set(id, result.revision)
  }
  const placeable = ids.map((id) => ({ id, rack: `rack-${id % 3}`, active: true }))
  const topics: CasItem[] = []
  const partitions: CasItem[] = []
  const item = (key: string, value: Uint8Array): CasItem => {
    const write: MetaWrite = { kind: 'put', key, value }
    return { guards: [{ key, modRevision: 0 }], writes: [write] }
  }
  for (let topic = 0; topic < topicCount; topic++) {
    const id = random.uuid()
    const count = Math.min(perTopic, partitionCount - topic * perTopic)
    const placed = placeReplicas({ brokers: placeable, partitions: count, factor: Math.min(3, brokerCount), random })
    if (!placed.ok) throw new Error(placed.message)
    for (const [index, replicas] of placed.replicas.entries()) {
      const state = { replicas, isr: replicas, leader: replicas[0]!, leaderEpoch: 0, partitionEpoch: 0 }
      partitions.push(item(partitionKey(id, index), encodeDocument(state)))
    }
    topics.push(item(topicKey(`some-topic-${topic}`), encodeDocument({ id, partitionCount: count })))
  }
  await store.compareAndSwapMany([], partitions)
  await store.compareAndSwapMany([], topics)
  return { epochs, leases }
}

printMachine()
console.log(`${brokerCount} brokers, ${topicCount} topics, ${partitionCount} partitions of 3 replicas`)
const { store: setUp } = await etcd.connect()
const { epochs, leases } = await etcd.whileTimePasses(populate(setUp))

// A broker starts: the list, and the image of it.
const looker = await etcd.connect()
const heapBefore = heapUsed()
const opened = await etcd.timed(() => follow(looker.store))
const view = opened.value
row(
  'a broker lists the metadata',
  `${ms(opened.cpuMs)}, ${looker.traffic.requests} requests, ${looker.traffic.listed} keys, ${megabytes(looker.traffic.listedBytes)}`,
)
row(
  'its image of the cluster',
  `${megabytes(heapUsed() - heapBefore)} of heap, ${((heapUsed() - heapBefore) / partitionCount).toFixed(0)} bytes a partition`,
)

// Its own replicas, with logs that do nothing.
const replicas = new ReplicaSet({
  brokerId: lookerId,
  logs: {
    openLog: async ({ topicName, partition }) => new SimulatedLog(`${topicName}-${partition}`),
    deleteLog: async () => {},
    highWatermarkOf: () => 0,
  },
  settings,
  logger: silentLogger,
  cluster: {
    clock,
    membership: {
      epoch: epochs.get(lookerId)!,
      valid: () => true,
      fence: { key: liveKey(lookerId), createRevision: epochs.get(lookerId)! },
    },
  },
})
const heapWithoutReplicas = heapUsed()
const served = await etcd.timed(async () => {
  replicas.apply(initialChange(view.image))
  await replicas.ready()
})
const held = [...replicas.all()].length
row(
  'it takes its replicas up, logs apart',
  `${ms(served.cpuMs)}, ${held} replicas, ${((heapUsed() - heapWithoutReplicas) / held / 1000).toFixed(1)} KB of heap each`,
)
const applyMs: number[] = []
view.subscribe((change) => {
  const begun = performance.now()
  replicas.apply(change)
  applyMs.push(performance.now() - begun)
})

// The controller takes office.
const office = await etcd.connect()
const controllersView = await follow(office.store)
const lease = await etcd.whileTimePasses(office.store.lease(settings.brokerSessionTimeoutMs))
const controller = new Controller({
  store: office.store,
  view: controllersView,
  brokerId: controllerId,
  settings,
  clock,
  logger: silentLogger,
})
const beforeOffice = { ...office.traffic }
const joined = await etcd.timed(() =>
  etcd.whileTimePasses(controller.join({ brokerId: controllerId, epoch: epochs.get(controllerId)!, lease })),
)
row(
  'the controller takes office and looks at all',
  `${ms(joined.cpuMs)} after the list above, ${since(office.traffic, beforeOffice).requests} requests`,
)

// A broker dies.
let led = 0
let member = 0
for (const { partitions } of view.image.topicsById.values()) {
  for (const { leader, isr } of partitions) {
    if (leader === dead) led++
    if (isr.includes(dead)) member++
  }
}
/** CPU time until no partition of `seen` counts on the dead, and until none is led by it. */
async function death(seen: ClusterViewOfStore): Promise<{ ledMs: number; allMs: number }> {
  const begun = cpuMs()
  const elapsed = () => cpuMs() - begun
  let [leads, counts, ledMs] = [led, member, 0]
  const { promise, resolve } = Promise.withResolvers<void>()
  const unsubscribe = seen.subscribe(({ before, after, topicIds }) => {
    for (const id of topicIds) {
      for (const [index, { leader, isr }] of after.topicsById.get(id)!.partitions.entries()) {
        const old = before.topicsById.get(id)!.partitions[index]!
        if (old.leader === dead && leader !== dead) leads--
        if (old.isr.includes(dead) && !isr.includes(dead)) counts--
      }
    }
    if (leads === 0 && ledMs === 0) ledMs = elapsed()
    if (counts === 0) resolve()
  })
  await leases.get(dead)!.revoke()
  await promise
  unsubscribe()
  return { ledMs, allMs: elapsed() }
}
const beforeDeath = { office: { ...office.traffic }, looker: { ...looker.traffic } }
applyMs.length = 0
const died = await etcd.timed(() => etcd.whileTimePasses(death(view)))
const wrote = since(office.traffic, beforeDeath.office)
const told = since(looker.traffic, beforeDeath.looker)
row(
  `a broker dies, leading ${led} and in sync in ${member}`,
  `${wrote.requests} requests of the controller, ${megabytes(wrote.requestBytes)}`,
)
row(
  'each broker is told of it',
  `${told.events} events in ${told.batches} messages, ${megabytes(told.eventBytes)}; all brokers together ${megabytes(told.eventBytes * brokerCount)}`,
)
row(
  'controller and one broker, in one process',
  `${ms(died.cpuMs)}, led after ${died.value.ledMs.toFixed(0)} ms with the simulated etcd`,
)
row(
  'of that one broker’s replicas',
  `${ms(applyMs.reduce((sum, value) => sum + value, 0))} in ${applyMs.length} changes, longest ${Math.max(...applyMs).toFixed(1)} ms`,
)

// ISR changes: what each broker pays to see them, one by one, and many in one message.
controller.leave()
controllersView.close()
const revisions = new Map<string, number>()
let changesMade = 0

/** Another partition epoch for the first partition of each of `count` topics. */
function changesOf(count: number): CasItem[] {
  changesMade += 1
  return [...view.image.topicsById.values()].slice(0, count).map(({ id, partitions: [partition] }): CasItem => {
    const { replicas: ids, isr, leader, leaderEpoch, revision } = partition!
    const document = { replicas: ids, isr, leader, leaderEpoch, partitionEpoch: 100 + changesMade }
    const key = partitionKey(id, 0)
    const modRevision = Math.max(revision, revisions.get(key) ?? 0)
    return { guards: [{ key, modRevision }], writes: [{ kind: 'put', key, value: encodeDocument(document) }] }
  })
}

/** Microseconds of CPU for each of `count` changes, `together` in a request. */
async function pay(count: number, together: number, seen: boolean): Promise<number> {
  const changes = changesOf(count)
  const { cpuMs: spent } = await etcd.timed(async () => {
    for (let at = 0; at < count; at += together) {
      const items = changes.slice(at, at + together)
      const results = await etcd.whileTimePasses(setUp.compareAndSwapMany([], items))
      if (results === 'fenced') throw new Error('nothing fences here')
      for (const [i, { revision }] of results.entries()) revisions.set(items[i]!.guards[0].key, revision)
      if (seen) await etcd.whileTimePasses(view.reached(results[0]!.revision))
    }
  })
  return (spent * 1000) / count
}
const many = Math.min(2000, topicCount)
const [oneSeen, manySeen] = [await pay(200, 1, true), await pay(many, 100, true)]
view.close()
const [oneWritten, manyWritten] = [await pay(200, 1, false), await pay(many, 100, false)]
row('a broker sees one partition change', `${(oneSeen - oneWritten).toFixed(0)} µs of CPU`)
row('the same, of 100 in one message', `${(manySeen - manyWritten).toFixed(0)} µs of CPU each`)

// What comes again and again.
const seconds = settings.brokerSessionTimeoutMs / 4000
row(
  'renewals of leases, all brokers together',
  `${(brokerCount / seconds).toFixed(0)} a second (one each ${seconds} s)`,
)
const peers = brokerCount - 1
const fetches = 1000 / settings.replicaFetchWaitMaxMs
row('fetch connections', `${peers} from and ${peers} to each broker, ${brokerCount * peers} in all`)
row('fetches of an idle cluster', `${peers * fetches} a second from and to each broker`)
printMachine()
process.exit(0)
