// What the records of KRaft's metadata log come to: topics, partitions and configs as Kafka's controller last decided them. The same
// record gives the same change as in Kafka (its TopicsDelta, PartitionRegistration.merge, ConfigurationsDelta).

import {
  abortTransactionRecord,
  accessControlEntryRecord,
  beginTransactionRecord,
  clientQuotaRecord,
  type ConfigRecord,
  configRecord,
  endTransactionRecord,
  featureLevelRecord,
  type MetadataFrame,
  metadataFrameOf,
  noLeaderChange,
  type PartitionChangeRecord,
  partitionChangeRecord,
  type PartitionRecord,
  partitionRecord,
  producerIdsRecord,
  registerBrokerRecord,
  removeAccessControlEntryRecord,
  removeTopicRecord,
  removeUserScramCredentialRecord,
  topicRecord,
  unregisterBrokerRecord,
  userScramCredentialRecord,
} from '../protocol/metadata-records.ts'

export interface KraftPartition {
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  /** Out of the ISR, and known to have every committed record (KIP-966): what a broker that was stopped last is. */
  readonly eligibleLeaderReplicas: readonly number[]
  /** The last leader, when neither ISR nor eligible replicas are left. */
  readonly lastKnownElr: readonly number[]
  /** -1: nobody. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
}

export interface KraftTopic {
  readonly name: string
  /** base64url, 22 characters. */
  readonly id: string
  /** By index. */
  readonly partitions: ReadonlyMap<number, KraftPartition>
}

/** Kafka's ConfigResource.Type. */
export const resourceTypes = { topic: 2, broker: 4, clientMetrics: 16, group: 32 } as const

/** The log holds a change that the changes before it do not allow: it is not whole. */
export class KraftMetadataBroken extends Error {
  override readonly name = 'KraftMetadataBroken'
}

interface Topic extends KraftTopic {
  readonly partitions: Map<number, KraftPartition>
}

export class KraftMetadata {
  readonly #topics = new Map<string, Topic>()
  readonly #configs = new Map<string, Map<string, string>>()
  readonly #brokers = new Set<number>()
  readonly #features = new Map<string, number>()
  readonly #acls = new Set<string>()
  readonly #scramCredentials = new Set<string>()
  readonly #quotas = new Set<string>()
  #nextProducerId = 0
  /** Of a transaction that has not ended. */
  #open: MetadataFrame[] | null = null

  /** By topic id. */
  get topics(): ReadonlyMap<string, KraftTopic> {
    return this.#topics
  }

  /** Brokers that are members of the cluster, alive or not. */
  get brokers(): ReadonlySet<number> {
    return this.#brokers
  }

  /** Levels of `metadata.version` and other features. */
  get features(): ReadonlyMap<string, number> {
    return this.#features
  }

  /** The first producer id that no broker was given. */
  get nextProducerId(): number {
    return this.#nextProducerId
  }

  get aclCount(): number {
    return this.#acls.size
  }

  get scramCredentialCount(): number {
    return this.#scramCredentials.size
  }

  get quotaCount(): number {
    return this.#quotas.size
  }

  /** What was set on one resource. A broker without a name stands for the default of all. */
  configsOf(type: number, name: string): ReadonlyMap<string, string> {
    return this.#configs.get(resourceKey(type, name)) ?? new Map()
  }

  /** Names of the resources of a type that have configs. */
  configured(type: number): string[] {
    const prefix = resourceKey(type, '')
    return [...this.#configs.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length))
  }

  /** Takes the value of the next record. Throws `DecodeError` for what a later Kafka wrote, and `KraftMetadataBroken`. */
  apply(value: Uint8Array): void {
    const frame = metadataFrameOf(value)
    switch (frame.apiKey) {
      case beginTransactionRecord.apiKey:
        this.#open = []
        return
      case abortTransactionRecord.apiKey:
        this.#open = null
        return
      case endTransactionRecord.apiKey: {
        const ended = this.#open ?? []
        this.#open = null
        for (const each of ended) this.#applyNow(each)
        return
      }
      default:
        if (this.#open === null) this.#applyNow(frame)
        else this.#open.push(frame)
    }
  }

  #applyNow(frame: MetadataFrame): void {
    switch (frame.apiKey) {
      case topicRecord.apiKey: {
        const { name, topicId } = topicRecord.decode(frame)
        this.#topics.set(topicId, { name, id: topicId, partitions: new Map() })
        return
      }
      case partitionRecord.apiKey:
        this.#setPartition(partitionRecord.decode(frame))
        return
      case partitionChangeRecord.apiKey:
        this.#changePartition(partitionChangeRecord.decode(frame))
        return
      case removeTopicRecord.apiKey: {
        const { name } = this.#topic(removeTopicRecord.decode(frame).topicId)
        this.#topics.delete(removeTopicRecord.decode(frame).topicId)
        this.#configs.delete(resourceKey(resourceTypes.topic, name))
        return
      }
      case configRecord.apiKey:
        this.#setConfig(configRecord.decode(frame))
        return
      case producerIdsRecord.apiKey:
        this.#nextProducerId = producerIdsRecord.decode(frame).nextProducerId
        return
      case registerBrokerRecord.apiKey:
        this.#brokers.add(registerBrokerRecord.decode(frame).brokerId)
        return
      case unregisterBrokerRecord.apiKey:
        this.#brokers.delete(unregisterBrokerRecord.decode(frame).brokerId)
        return
      default:
        this.#applyBeside(frame)
    }
  }

  /** What is only counted. Records of other kinds say nothing that is asked for here. */
  #applyBeside(frame: MetadataFrame): void {
    switch (frame.apiKey) {
      case featureLevelRecord.apiKey: {
        const { name, featureLevel } = featureLevelRecord.decode(frame)
        this.#features.set(name, featureLevel)
        return
      }
      case accessControlEntryRecord.apiKey:
        this.#acls.add(accessControlEntryRecord.decode(frame).id)
        return
      case removeAccessControlEntryRecord.apiKey:
        this.#acls.delete(removeAccessControlEntryRecord.decode(frame).id)
        return
      case userScramCredentialRecord.apiKey: {
        const { name, mechanism } = userScramCredentialRecord.decode(frame)
        this.#scramCredentials.add(`${mechanism}/${name}`)
        return
      }
      case removeUserScramCredentialRecord.apiKey: {
        const { name, mechanism } = removeUserScramCredentialRecord.decode(frame)
        this.#scramCredentials.delete(`${mechanism}/${name}`)
        return
      }
      case clientQuotaRecord.apiKey: {
        const { entity, key, remove } = clientQuotaRecord.decode(frame)
        const quota = JSON.stringify([entity.map(({ entityType, entityName }) => [entityType, entityName]), key])
        if (remove) this.#quotas.delete(quota)
        else this.#quotas.add(quota)
      }
    }
  }

  #setPartition(record: PartitionRecord): void {
    const { replicas, isr, leader, leaderEpoch, partitionEpoch } = record
    const eligibleLeaderReplicas = record.eligibleLeaderReplicas ?? []
    const lastKnownElr = record.lastKnownElr ?? []
    const partition = { replicas, isr, eligibleLeaderReplicas, lastKnownElr, leader, leaderEpoch, partitionEpoch }
    this.#topic(record.topicId).partitions.set(record.partitionId, partition)
  }

  /** As PartitionRegistration.merge: a leader that is named makes a new leader epoch, be it the same broker. */
  #changePartition(record: PartitionChangeRecord): void {
    const { partitions, name } = this.#topic(record.topicId)
    const before = partitions.get(record.partitionId)
    if (before === undefined) {
      throw new KraftMetadataBroken(`partition ${record.partitionId} of ${name} is changed, and was never created`)
    }
    const elects = record.leader !== noLeaderChange
    partitions.set(record.partitionId, {
      replicas: record.replicas ?? before.replicas,
      isr: record.isr ?? before.isr,
      eligibleLeaderReplicas: record.eligibleLeaderReplicas ?? before.eligibleLeaderReplicas,
      lastKnownElr: record.lastKnownElr ?? before.lastKnownElr,
      leader: elects ? record.leader : before.leader,
      leaderEpoch: before.leaderEpoch + (elects ? 1 : 0),
      partitionEpoch: before.partitionEpoch + 1,
    })
  }

  #setConfig({ resourceType, resourceName, name, value }: ConfigRecord): void {
    const key = resourceKey(resourceType, resourceName)
    const configs = this.#configs.get(key) ?? new Map<string, string>()
    if (value === null) configs.delete(name)
    else configs.set(name, value)
    if (configs.size === 0) this.#configs.delete(key)
    else this.#configs.set(key, configs)
  }

  #topic(id: string): Topic {
    const topic = this.#topics.get(id)
    if (topic === undefined) throw new KraftMetadataBroken(`the topic ${id} is changed, and was never created`)
    return topic
  }
}

function resourceKey(type: number, name: string): string {
  return `${type}/${name}`
}
