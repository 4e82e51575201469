// Rounds of faults: a cluster and its clients are started, faults happen to them again and again, and each round says how it went.

import { franzGoProgram, librdkafkaProgram, withoutFranzGo, withoutLibrdkafka } from '../support/client-peers.ts'
import { SmallVolume } from '../support/small-volume.ts'
import { withoutKafkaTools, withoutKcat } from '../support/tools.ts'
import { FaultCluster } from './cluster.ts'
import type { Fault, Setting } from './faults.ts'
import { javaLoad, KafkaJsLoad, type Load, type LoadTarget, peerLoad } from './loads.ts'
import { JavaReader, KafkaJsReader, type Reader } from './readers.ts'
import { leadersAndFolders, nothingUnderReplicated } from './tools.ts'
import { World } from './world.ts'

export interface SessionOptions {
  /** All happen to one cluster, in turn; one that asks for replicas or a volume of its own is alone. */
  readonly faults: readonly Fault[]
  readonly rounds: number
  /** One member of etcd, a short lease, and neither librdkafka nor franz-go. */
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
  const because = withoutKafkaTools()
  if (because !== false) missing.push(`Apache Kafka's verifiable producer and consumer: ${because}`)
  if (withoutKcat() !== false) missing.push('kcat: what can be read while etcd is frozen is not looked at')
  for (const without of [withoutLibrdkafka(), withoutFranzGo()]) if (without !== false) missing.push(without)
  return missing
}

/** Ends with the first round that goes wrong; data and logs are then kept, and the report says where. */
export async function session(options: SessionOptions): Promise<void> {
  const { faults, rounds, small = false, kafkaDefaults = false, onRound } = options
  const { volumeMiB, replicas = everywhere } = faults[0]!
  const sessionMs = kafkaDefaults ? 9000 : small ? 3000 : 6000
  const lagMs = kafkaDefaults ? 30_000 : 8000
  const volume = volumeMiB === undefined ? null : SmallVolume.mount(volumeMiB)
  if (typeof volume === 'string') {
    onRound({ ...nothing, fault: faults[0]!.name, round: 0, problem: `not run: ${volume}` })
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
  const clients: Clients = { loads: [], readers: [] }
  let failed = true
  try {
    await startClients(cluster, replicas, small, clients)
    const world = new World(cluster, clients.loads, clients.readers)
    failed = !(await happened(world, faults, rounds, { small, sessionMs, lagMs, volume }, onRound))
    if (!failed) for (const client of [...clients.loads, ...clients.readers]) await client.stop()
  } finally {
    await cluster.stop()
    if (failed) {
      for (const client of [...clients.loads, ...clients.readers]) void client.stop().catch(() => {})
    } else {
      await cluster.remove()
      volume?.unmount()
    }
  }
}

/** Whether all rounds went well. */
async function happened(
  world: World,
  faults: readonly Fault[],
  rounds: number,
  setting: Setting,
  onRound: SessionOptions['onRound'],
): Promise<boolean> {
  const withTools = withoutKafkaTools() === false
  let before = 0
  for (let round = 0; round < rounds; round++) {
    for (const fault of faults) {
      const common = { fault: fault.name, round: round + 1 }
      try {
        const outcome = await world.round(() => fault.happen(world, round, setting))
        const isLast = round === rounds - 1 && fault === faults.at(-1)
        if (withTools && (isLast || !setting.small)) await nothingUnderReplicated(world.cluster)
        if (withTools && isLast) await leadersAndFolders(world.cluster)
        onRound({ ...common, ...outcome, problem: null, acknowledged: outcome.acknowledged - before })
        before = outcome.acknowledged
      } catch (error) {
        const { folder } = world.cluster
        const kept = setting.volume === null ? folder : `${folder}, and of broker 3 ${setting.volume.path}`
        const problem = `${textOf(error)}\ndata and logs: ${kept}`
        onRound({ ...common, ...nothing, problem })
        return false
      }
    }
  }
  return true
}

interface Clients {
  readonly loads: Load[]
  readonly readers: Reader[]
}

/** Of each partition: a leader each. */
const everywhere = [
  [1, 2, 3],
  [2, 3, 1],
  [3, 1, 2],
]

const nothing = { acknowledged: 0, gapsMs: new Map<string, number>(), settledMs: 0 }

function textOf(error: unknown): string {
  let text = ''
  for (let at: unknown = error; at instanceof Error; at = at.cause)
    text += `${text === '' ? '' : '\n  because: '}${at.message.slice(0, 1000)}`
  return text || String(error)
}

async function startClients(
  cluster: FaultCluster,
  replicas: readonly (readonly number[])[],
  small: boolean,
  { loads, readers }: Clients,
): Promise<void> {
  const { bootstrap, folder } = cluster
  const tools = withoutKafkaTools() === false
  const topics = ['kafkajs', 'plain']
  if (tools) topics.push('java')
  if (!small && withoutLibrdkafka() === false) topics.push('librdkafka')
  if (!small && withoutFranzGo() === false) topics.push('franz-go')
  await createTopics(cluster, replicas, topics)
  const target = (topic: string): LoadTarget => ({ bootstrap, topic, folder })
  for (const topic of topics) {
    if (topic === 'kafkajs') loads.push(new KafkaJsLoad('kafkajs', target(topic), true))
    if (topic === 'plain') loads.push(new KafkaJsLoad('plain', target(topic), false))
    if (topic === 'java') loads.push(await javaLoad(target(topic), perSecond))
    if (topic === 'librdkafka') {
      const program = librdkafkaProgram('librdkafka_producer.py')
      loads.push(peerLoad('librdkafka', program, target(topic), perSecond))
    }
    if (topic === 'franz-go') loads.push(peerLoad('franz-go', franzGoProgram('producer'), target(topic), perSecond))
  }
  readers.push(
    await KafkaJsReader.start(
      bootstrap,
      topics.filter((topic) => topic !== 'java'),
    ),
  )
  if (tools) readers.push(await JavaReader.start(bootstrap, 'java', folder))
}

async function createTopics(
  cluster: FaultCluster,
  replicas: readonly (readonly number[])[],
  topics: readonly string[],
): Promise<void> {
  const replicaAssignment = replicas.map((brokers, partition) => ({ partition, replicas: [...brokers] }))
  // One replica may be away.
  const minInsync = String(replicas[0]!.length - 1)
  await cluster.knowsAllBrokers()
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
