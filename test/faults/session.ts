// Rounds of one fault: a cluster and its clients are started, it happens to them again and again, and each round says how it went.

import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { SmallVolume } from '../support/small-volume.ts'
import { withoutKafkaTools } from '../support/tools.ts'
import { FaultCluster } from './cluster.ts'
import type { Fault, Setting } from './faults.ts'
import { javaLoad, KafkaJsLoad, type Load, type LoadTarget, peerLoad } from './loads.ts'
import { JavaReader, KafkaJsReader, type Reader } from './readers.ts'
import { type Outcome, World } from './world.ts'

export interface SessionOptions {
  readonly fault: Fault
  readonly rounds: number
  /** KafkaJS alone, and one member of etcd. */
  readonly small?: boolean
  /** Kafka's own session timeout and lag instead of shorter ones. */
  readonly kafkaDefaults?: boolean
  readonly onRound: (round: RoundReport) => void
}

export interface RoundReport {
  readonly fault: string
  readonly round: number
  /** Null: it went well. */
  readonly problem: string | null
  /** In this round, of all loads. */
  readonly acknowledged: number
  readonly gapsMs: ReadonlyMap<string, number>
  readonly settledMs: number
}

const perSecond = 150

/** Programs of the long form that this machine lacks, in words. */
export function missingPeers(): string[] {
  const missing: string[] = []
  const tools = withoutKafkaTools()
  if (tools !== false) missing.push(`Apache Kafka's verifiable producer and consumer: ${tools}`)
  if (!existsSync(librdkafka)) missing.push('librdkafka: not installed (test/faults/peers/setup does it)')
  if (!existsSync(franzGo)) missing.push('franz-go: not installed (test/faults/peers/setup does it)')
  return missing
}

const peers = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'odradek/fault-peers')
const librdkafka = join(peers, 'python/bin/python')
const franzGo = join(peers, 'franz-go')

/** Ends with the first round that goes wrong; data and logs are then kept, and the report says where. */
export async function session({
  fault,
  rounds,
  small = false,
  kafkaDefaults = false,
  onRound,
}: SessionOptions): Promise<void> {
  const sessionMs = kafkaDefaults ? 9000 : 6000
  const lagMs = kafkaDefaults ? 30_000 : 8000
  const volume = fault.volumeMiB === undefined ? null : SmallVolume.mount(fault.volumeMiB)
  if (typeof volume === 'string') {
    onRound({ ...nothing, fault: fault.name, round: 0, problem: `not run: ${volume}` })
    return
  }
  const cluster = await FaultCluster.start({
    etcdMembers: small ? 1 : 3,
    settings: {
      'default.replication.factor': '3',
      'offsets.topic.num.partitions': '3',
      'broker.session.timeout.ms': String(sessionMs),
      'replica.lag.time.max.ms': String(lagMs),
    },
    ...(volume !== null && { dataOf: (id) => (id === 3 ? volume.data : null) }),
  })
  const loads: Load[] = []
  const readers: Reader[] = []
  let failed = false
  try {
    const setting: Setting = { sessionMs, lagMs, volume }
    await startClients(cluster, fault, small, loads, readers)
    const world = new World(cluster, loads, readers)
    let before = 0
    for (let round = 0; round < rounds && !failed; round++) {
      const common = { fault: fault.name, round: round + 1 }
      try {
        const outcome: Outcome = await world.round(() => fault.happen(world, round, setting))
        onRound({ ...common, ...outcome, problem: null, acknowledged: outcome.acknowledged - before })
        before = outcome.acknowledged
      } catch (error) {
        failed = true
        onRound({ ...common, ...nothing, problem: `${textOf(error)}\ndata and logs: ${cluster.folder}` })
      }
    }
    if (!failed) for (const client of [...loads, ...readers]) await client.stop()
  } finally {
    await cluster.stop()
    if (failed) for (const client of [...loads, ...readers]) void client.stop().catch(() => {})
    else await cluster.remove()
    if (volume !== null && !failed) volume.unmount()
  }
}

const nothing = { acknowledged: 0, gapsMs: new Map<string, number>(), settledMs: 0 }

function textOf(error: unknown): string {
  let text = ''
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    text += `${text === '' ? '' : '\n  because: '}${at.message}`
  return text || String(error)
}

async function startClients(
  cluster: FaultCluster,
  fault: Fault,
  small: boolean,
  loads: Load[],
  readers: Reader[],
): Promise<void> {
  const { bootstrap, folder } = cluster
  const tools = !small && withoutKafkaTools() === false
  const topics = ['kafkajs', 'plain']
  if (tools) topics.push('java')
  if (!small && existsSync(librdkafka)) topics.push('librdkafka')
  if (!small && existsSync(franzGo)) topics.push('franz-go')
  await createTopics(cluster, fault, topics)
  const target = (topic: string): LoadTarget => ({ bootstrap, topic, folder })
  for (const topic of topics) {
    if (topic === 'kafkajs') loads.push(new KafkaJsLoad('kafkajs', target(topic), true))
    if (topic === 'plain') loads.push(new KafkaJsLoad('plain', target(topic), false))
    if (topic === 'java') loads.push(await javaLoad(target(topic), perSecond))
    if (topic === 'librdkafka') {
      const program = [librdkafka, join(import.meta.dirname, 'peers/librdkafka_producer.py')]
      loads.push(peerLoad('librdkafka', program, target(topic), perSecond))
    }
    if (topic === 'franz-go') loads.push(peerLoad('franz-go', [franzGo], target(topic), perSecond))
  }
  readers.push(
    await KafkaJsReader.start(
      bootstrap,
      topics.filter((topic) => topic !== 'java'),
    ),
  )
  if (tools) readers.push(await JavaReader.start(bootstrap, 'java', folder))
}

async function createTopics(cluster: FaultCluster, fault: Fault, topics: readonly string[]): Promise<void> {
  const {
    replicas = [
      [1, 2, 3],
      [2, 3, 1],
      [3, 1, 2],
    ],
  } = fault
  const replicaAssignment = replicas.map((brokers, partition) => ({ partition, replicas: [...brokers] }))
  // Of two replicas one may be away; of three, one as well.
  const minInsync = String(replicas[0]!.length - 1)
  const admin = await cluster.admin()
  await admin.createTopics({
    waitForLeaders: true,
    topics: topics.map((topic) => ({
      topic,
      replicaAssignment,
      configEntries: [{ name: 'min.insync.replicas', value: minInsync }],
    })),
  })
}
