// What an adoption comes to, decided before anything is written: which logs become which partitions, under which ids, epochs and
// configs, what is left out, and why it cannot be done. Kafka's rules decide where Kafka has one; where records could be lost, or
// deleted later by a wrong default, the operator decides.

import type { KraftMetadata, KraftPartition, KraftTopic } from '../../cluster/kraft-metadata.ts'
import { isInternalTopic } from '../../cluster/internal-topics.ts'
import { ZERO_UUID } from '../../lib/uuid.ts'
import { configsFrom, configsKeepingAll, dynamicBrokerConfigs, groupConfigsFrom, leftOutOf } from './configs.ts'
import type { KafkaFolder, KafkaLog } from './kafka-folder.ts'
import type { LogFacts } from './kafka-log.ts'
import { listed, plural } from './words.ts'

export interface AdoptionOptions {
  /** Of the broker that will serve the folder; null: Kafka's own. */
  readonly brokerId: number | null
  /** Take what is here although partitions are missing or were not in sync. */
  readonly partial: boolean
  /** Of topics whose configs are not known: keep every record. */
  readonly keepAll: boolean
}

export interface PlannedPartition {
  /** Null: not here; it begins empty. */
  readonly log: KafkaLog | null
  /** Not below any that a record of the log has; the broker adds one when it starts. */
  readonly leaderEpoch: number
  readonly partitionEpoch: number
}

export interface PlannedTopic {
  readonly name: string
  readonly id: string
  /** By index, without holes. */
  readonly partitions: readonly PlannedPartition[]
  readonly configs: ReadonlyMap<string, string>
}

export interface AdoptionPlan {
  readonly clusterId: string
  /** Kafka's. */
  readonly nodeId: number
  readonly brokerId: number
  readonly wasClean: boolean
  readonly topics: readonly PlannedTopic[]
  readonly nextProducerId: number
  /** Broker configs that were set while Kafka ran, and that the broker should be given. */
  readonly brokerConfigs: ReadonlyMap<string, string>
  /** By group id. */
  readonly groupConfigs: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** Topics whose records go by the age that the broker's own settings say. */
  readonly followingBroker: readonly string[]
  /** What Kafka has and Odradek does not take, a line each. */
  readonly leftOut: readonly string[]
  /** What the operator should know or do, a line each. */
  readonly notes: readonly string[]
}

export type Planned =
  | { readonly ok: true; readonly plan: AdoptionPlan }
  | { readonly ok: false; readonly problems: readonly string[] }

export interface Found {
  /** All of one node of one cluster. */
  readonly folders: readonly KafkaFolder[]
  /** Null: there is none; folders and their ids are all there is to know. */
  readonly metadata: KraftMetadata | null
  /** Of every log in the folders. */
  readonly facts: ReadonlyMap<KafkaLog, LogFacts>
  /** For topics that never had an id. */
  readonly newId: () => string
}

/** Without KRaft's word other brokers may have got ids up to here, and written nothing to this one. */
const producerIdMargin = 1_000_000
const producerIdBlock = 1000
/** Without KRaft's word, and after a crash, the checkpoint of epochs may be behind the log's last records. Gaps do no harm. */
const leaderEpochMargin = 1000

export function planAdoption(found: Found, options: AdoptionOptions): Planned {
  return new Planner(found, options).plan()
}

class Planner {
  readonly #found: Found
  readonly #options: AdoptionOptions
  readonly #nodeId: number
  readonly #wasClean: boolean
  readonly #logs = new Map<string, KafkaLog>()
  readonly #problems: string[] = []
  /** Told by their kind, so that one thing about a thousand partitions is one line. */
  readonly #lost = {
    missing: [] as string[],
    outOfSync: [] as string[],
    elsewhere: [] as string[],
    remote: [] as string[],
  }
  readonly #replicated: string[] = []
  readonly #leftOut: string[] = []
  readonly #notes: string[] = []

  constructor(found: Found, options: AdoptionOptions) {
    this.#found = found
    this.#options = options
    this.#nodeId = found.folders[0]!.nodeId
    this.#wasClean = found.folders.every(({ wasClean }) => wasClean)
  }

  plan(): Planned {
    const { folders, metadata } = this.#found
    this.#collectLogs()
    const topics = metadata === null ? this.#topicsOfFolders() : this.#topicsOf(metadata)
    const adopted = new Set(topics.flatMap(({ partitions }) => partitions.map(({ log }) => log)))
    this.#inspect(adopted)
    for (const { path, aside } of folders) {
      for (const { name, why } of aside) this.#leftOut.push(`the folder ${path}/${name}: ${why}`)
    }
    if (metadata !== null) this.#leftOut.push(...leftOutOf(metadata, this.#nodeId))
    this.#sayLosses()
    if (this.#problems.length > 0) return { ok: false, problems: this.#problems }
    const plan = {
      clusterId: folders[0]!.clusterId,
      nodeId: this.#nodeId,
      brokerId: this.#options.brokerId ?? this.#nodeId,
      wasClean: this.#wasClean,
      topics,
      nextProducerId: this.#nextProducerId(),
      brokerConfigs: metadata === null ? new Map() : dynamicBrokerConfigs(metadata, this.#nodeId).known,
      groupConfigs: metadata === null ? new Map() : groupConfigsFrom(metadata).byGroup,
      followingBroker: topics.filter(followsBroker).map(({ name }) => name),
      leftOut: this.#leftOut,
      notes: this.#notes,
    }
    return { ok: true, plan }
  }

  #collectLogs(): void {
    for (const { logs, unreadable } of this.#found.folders) {
      for (const file of unreadable)
        this.#notes.push(`${file} is unreadable and is left out: the logs may be read whole at the start`)
      for (const log of logs) {
        const other = this.#logs.get(log.name)
        if (other !== undefined) this.#problems.push(`${log.name} is there twice: ${other.folder} and ${log.folder}`)
        this.#logs.set(log.name, log)
      }
    }
  }

  #topicsOf(metadata: KraftMetadata): PlannedTopic[] {
    const topics: PlannedTopic[] = []
    const taken = new Set<KafkaLog>()
    for (const topic of [...metadata.topics.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const partitions = this.#partitionsOf(topic, taken)
      if (partitions === null) continue
      const { configs, leftOut, problems, isRemote } = configsFrom(metadata, topic.name)
      this.#leftOut.push(...leftOut)
      this.#problems.push(...problems)
      if (isRemote) this.#lost.remote.push(topic.name)
      topics.push({ name: topic.name, id: topic.id, partitions, configs })
    }
    for (const log of this.#logs.values()) {
      if (taken.has(log)) continue
      this.#leftOut.push(`the folder ${log.folder}: ${this.#whyNotTaken(log, metadata)}`)
    }
    return topics
  }

  /** Null: nothing of the topic is here. */
  #partitionsOf(topic: KraftTopic, taken: Set<KafkaLog>): PlannedPartition[] | null {
    const partitions: PlannedPartition[] = []
    const missing: string[] = []
    for (let index = 0; index < topic.partitions.size; index++) {
      const known = topic.partitions.get(index)
      if (known === undefined) {
        this.#problems.push(
          `the metadata log knows ${topic.partitions.size} partitions of ${topic.name}, and not ${index}`,
        )
        return null
      }
      const name = `${topic.name}-${index}`
      const found = this.#logs.get(name)
      const isTopics = found !== undefined && (found.topicId === null || found.topicId === topic.id)
      const log = isTopics && known.replicas.includes(this.#nodeId) ? found : null
      if (log === null) {
        missing.push(name)
      } else {
        taken.add(log)
        if (!hasAllCommitted(known, this.#nodeId))
          this.#lost.outOfSync.push(`${name} (in sync: ${known.isr.join(', ') || 'nobody'})`)
        if (known.replicas.length > 1) this.#replicated.push(name)
      }
      const epoch = log === null ? -1 : this.#found.facts.get(log)!.leaderEpoch
      partitions.push({
        log,
        leaderEpoch: Math.max(known.leaderEpoch, epoch, 0),
        partitionEpoch: Math.max(known.partitionEpoch, 0),
      })
    }
    if (missing.length === partitions.length) {
      this.#lost.elsewhere.push(topic.name)
      return null
    }
    this.#lost.missing.push(...missing)
    return partitions
  }

  #whyNotTaken(log: KafkaLog, metadata: KraftMetadata): string {
    const topic = [...metadata.topics.values()].find(({ name }) => name === log.topicName)
    if (topic === undefined) return 'the cluster has no topic of that name any more'
    if (log.topicId !== null && log.topicId !== topic.id) {
      return `it is of an earlier topic of that name (${log.topicId}, now ${topic.id})`
    }
    return `by the metadata log the partition is not on node ${this.#nodeId}`
  }

  /** Without metadata: a topic is what its folders are. */
  #topicsOfFolders(): PlannedTopic[] {
    const byTopic = Map.groupBy(this.#logs.values(), ({ topicName }) => topicName)
    const topics: PlannedTopic[] = []
    for (const [name, logs] of [...byTopic].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const ids = new Set(logs.map(({ topicId }) => topicId).filter((id) => id !== null && id !== ZERO_UUID))
      if (ids.size > 1) {
        const each = logs.map((log) => `${log.folder} (${log.topicId ?? 'no id'})`)
        this.#problems.push(
          `${name} is of different topics: ${listed(each)}; move the folders of the older one elsewhere`,
        )
        continue
      }
      const [id] = ids
      if (id === undefined) this.#notes.push(`${name} had no topic id (Kafka before 2.8), and gets a new one`)
      const count = Math.max(...logs.map(({ partition }) => partition)) + 1
      const partitions = Array.from({ length: count }, (_, index) => this.#partitionOfFolder(`${name}-${index}`))
      topics.push({ name, id: id ?? this.#found.newId(), partitions, configs: configsKeepingAll(name) })
    }
    if (!this.#options.keepAll) {
      this.#problems.push(
        "there is no metadata log of KRaft, so that the topics' configs are not known, and a wrong retention or cleanup.policy " +
          'would delete records: name its folder with --metadata, or have everything kept with --unknown-configs keep-all',
      )
    }
    this.#notes.push(
      "without KRaft's metadata the number of partitions is what the folders show, and whether this node was in sync is not known",
      'the configs of the topics are not known: every topic keeps all its records (retention.ms=-1, retention.bytes=-1) until you set others' +
        `, ${listed([...byTopic.keys()].filter(isInternalTopic)) || 'internal topics'} are compacted`,
    )
    return topics
  }

  #partitionOfFolder(name: string): PlannedPartition {
    const log = this.#logs.get(name) ?? null
    if (log === null) this.#lost.missing.push(name)
    const epoch = log === null ? 0 : Math.max(this.#found.facts.get(log)!.leaderEpoch, 0)
    return { log, leaderEpoch: this.#wasClean ? epoch : epoch + leaderEpochMargin, partitionEpoch: 0 }
  }

  #inspect(adopted: ReadonlySet<KafkaLog | null>): void {
    const open: string[] = []
    for (const [log, { problem, openTransactions }] of this.#found.facts) {
      if (!adopted.has(log)) continue
      if (problem !== null) this.#problems.push(problem)
      if (openTransactions > 0) open.push(log.name)
    }
    if (open.length > 0) {
      this.#notes.push(
        `a transaction is open in ${listed(open)}: consumers with isolation.level=read_committed wait there until it ends`,
      )
    }
  }

  /** What this node's folders do not have, or may not have: refused, or said when the operator takes what there is. */
  #sayLosses(): void {
    const { missing, outOfSync, elsewhere, remote } = this.#lost
    const { partial } = this.#options
    const losses: string[] = []
    if (elsewhere.length > 0)
      losses.push(`no partition is here of ${plural(elsewhere.length, 'topic')}: ${listed(elsewhere)}`)
    if (missing.length > 0) {
      const then = partial ? ': they begin empty' : ''
      losses.push(
        `${plural(missing.length, 'partition')} of topics that are here ${missing.length === 1 ? 'is' : 'are'} not${then}: ${listed(missing)}`,
      )
    }
    if (outOfSync.length > 0) {
      losses.push(
        `when Kafka stopped, node ${this.#nodeId} was not in sync, and may lack the last records, in ${listed(outOfSync)}`,
      )
    }
    if (remote.length > 0) losses.push(`records in remote storage are not read: ${listed(remote)}`)
    if (partial) this.#leftOut.push(...losses)
    else if (losses.length > 0) {
      this.#problems.push(
        ...losses,
        'name every folder of log.dirs, or adopt another node of the cluster; to take what there is and lose the rest, say --partial',
      )
    }
    if (this.#replicated.length > 0) {
      const what = this.#replicated.length === 1 ? 'it is' : 'they are'
      this.#notes.push(
        `other brokers have copies of ${plural(this.#replicated.length, 'partition')}; from now on ${what} kept here only: ${listed(this.#replicated)}`,
      )
    }
  }

  /** Above every id that Kafka gave away: an id is unique for ever. */
  #nextProducerId(): number {
    let seen = -1
    for (const { producerId } of this.#found.facts.values()) seen = Math.max(seen, producerId)
    const aboveSeen = Math.ceil((seen + 1) / producerIdBlock) * producerIdBlock
    const { metadata } = this.#found
    return metadata === null ? aboveSeen + producerIdMargin : Math.max(metadata.nextProducerId, aboveSeen)
  }
}

/** Whether Kafka would let the replica lead without losing records. */
function hasAllCommitted(partition: KraftPartition, nodeId: number): boolean {
  const { replicas, isr, eligibleLeaderReplicas, lastKnownElr, leader } = partition
  if (leader === nodeId || isr.includes(nodeId) || eligibleLeaderReplicas.includes(nodeId)) return true
  const nobody = isr.length === 0 && eligibleLeaderReplicas.length === 0
  return replicas.length === 1 || (nobody && lastKnownElr.includes(nodeId))
}

function followsBroker({ configs }: PlannedTopic): boolean {
  const policy = configs.get('cleanup.policy')
  return (policy === undefined || policy.includes('delete')) && !configs.has('retention.ms')
}
