// What the keys of the metadata store say, gathered event by event, and what of it the next image must show anew.

import { LayeredMap } from '../lib/layered-map.ts'
import { decodeDocument, type TopicDocument } from './documents.ts'
import type { BrokerImage, ClusterImage, KnownBrokerImage, PartitionImage, TopicImage } from './image.ts'
import { isInternalTopic } from './internal-topics.ts'
import { parseKey } from './keys.ts'
import type { MetaEvent, Revision } from './meta-store.ts'
import { partitionImage } from './partition-image.ts'

type Configs = ReadonlyMap<string, string>

const noConfigs: Configs = new Map()

export const emptyImage: ClusterImage = {
  revision: 0,
  clusterId: '',
  controllerId: -1,
  brokers: new Map(),
  knownBrokers: new Map(),
  topicsByName: new Map(),
  topicsById: new Map(),
  configs: new Map(),
}

export class ImageDraft {
  #clusterId = ''
  #controllerId = -1
  #brokers = new Map<number, BrokerImage>()
  #knownBrokers = new Map<number, KnownBrokerImage>()
  readonly #topics = new Map<string, TopicDocument>()
  readonly #topicNames = new Map<string, string>()
  /** By topic id and index. */
  readonly #partitions = new Map<string, PartitionImage[]>()
  readonly #topicConfigs = new Map<string, Configs>()
  #otherConfigs = new Map<string, Configs>()
  readonly #touchedTopics = new Set<string>()
  readonly #touchedIds = new Set<string>()
  #touchedElse = false

  apply({ kind, entry }: MetaEvent): void {
    const key = parseKey(entry.key)
    const value = kind === 'put' ? entry.value : null
    switch (key.kind) {
      case 'cluster':
        this.#clusterId = value === null ? '' : decodeDocument('cluster', value).id
        this.#touchedElse = true
        break
      case 'controller':
        this.#controllerId = value === null ? -1 : decodeDocument('controller', value).brokerId
        this.#touchedElse = true
        break
      case 'live':
        this.#applyLive(key.brokerId, value, entry.createRevision)
        break
      case 'broker':
        this.#applyBroker(key.brokerId, value, entry.modRevision)
        break
      case 'topic':
        this.#applyTopic(key.name, value)
        break
      case 'partition':
        this.#applyPartition(key.topicId, key.index, value, entry.modRevision)
        break
      case 'config':
        this.#applyConfig(key.of, key.name, value)
        break
      case 'other':
        break
    }
  }

  /** The image after `before`, as the keys are now. */
  next(
    before: ClusterImage,
    revision: Revision,
  ): { image: ClusterImage; topicIds: ReadonlySet<string>; changed: boolean } {
    const changed = this.#touchedElse || this.#touchedTopics.size > 0
    if (!changed) return { image: { ...before, revision }, topicIds: new Set(), changed }
    const topics = this.#touchedTopics.size === 0 ? before : this.#nextTopics(before)
    const topicIds = new Set(this.#touchedIds)
    const image: ClusterImage = {
      revision,
      clusterId: this.#clusterId,
      controllerId: this.#controllerId,
      brokers: this.#brokers,
      knownBrokers: this.#knownBrokers,
      topicsByName: topics.topicsByName,
      topicsById: topics.topicsById,
      configs: this.#otherConfigs,
    }
    this.#touchedTopics.clear()
    this.#touchedIds.clear()
    this.#touchedElse = false
    return { image, topicIds, changed }
  }

  #nextTopics(before: ClusterImage): Pick<ClusterImage, 'topicsByName' | 'topicsById'> {
    const byName: [string, TopicImage | undefined][] = []
    const byId: [string, TopicImage | undefined][] = []
    for (const name of this.#touchedTopics) {
      const old = before.topicsByName.get(name)
      if (old !== undefined) {
        byId.push([old.id, undefined])
        this.#touchedIds.add(old.id)
      }
      const topic = this.#topicImage(name)
      byName.push([name, topic ?? undefined])
      if (topic === null) continue
      byId.push([topic.id, topic])
      this.#touchedIds.add(topic.id)
    }
    // A change costs what it touches, however many topics there are.
    const topicsByName = LayeredMap.over(before.topicsByName).with(byName)
    const topicsById = LayeredMap.over(before.topicsById).with(byId)
    return { topicsByName, topicsById }
  }

  /** Null when there is no such topic, or not all of its partitions are there. */
  #topicImage(name: string): TopicImage | null {
    const document = this.#topics.get(name)
    if (document === undefined) return null
    const partitions = (this.#partitions.get(document.id) ?? []).slice(0, document.partitionCount)
    for (let index = 0; index < document.partitionCount; index++) if (partitions[index] === undefined) return null
    const configs = this.#topicConfigs.get(name) ?? noConfigs
    return { name, id: document.id, internal: isInternalTopic(name), partitions, configs }
  }

  #applyLive(brokerId: number, value: Uint8Array | null, epoch: Revision): void {
    this.#brokers = new Map(this.#brokers)
    if (value === null) {
      this.#brokers.delete(brokerId)
    } else {
      const { endpoints, rack, directoryId, leaving } = decodeDocument('live', value)
      this.#brokers.set(brokerId, { id: brokerId, epoch, endpoints, rack, directoryId, leaving })
    }
    this.#touchedElse = true
  }

  #applyBroker(brokerId: number, value: Uint8Array | null, lastEpoch: Revision): void {
    this.#knownBrokers = new Map(this.#knownBrokers)
    if (value === null) {
      this.#knownBrokers.delete(brokerId)
    } else {
      const { incarnation, directoryId, endpoints, rack } = decodeDocument('broker', value)
      this.#knownBrokers.set(brokerId, { id: brokerId, lastEpoch, incarnation, directoryId, endpoints, rack })
    }
    this.#touchedElse = true
  }

  #applyTopic(name: string, value: Uint8Array | null): void {
    const old = this.#topics.get(name)
    if (old !== undefined) this.#topicNames.delete(old.id)
    if (value === null) {
      this.#topics.delete(name)
    } else {
      const document = decodeDocument('topic', value)
      this.#topics.set(name, document)
      this.#topicNames.set(document.id, name)
    }
    this.#touchedTopics.add(name)
  }

  #applyPartition(topicId: string, index: number, value: Uint8Array | null, revision: Revision): void {
    let partitions = this.#partitions.get(topicId)
    if (value === null) {
      // Partitions of a topic go all together, in one revision.
      this.#partitions.delete(topicId)
    } else {
      if (partitions === undefined) this.#partitions.set(topicId, (partitions = []))
      partitions[index] = partitionImage(decodeDocument('partition', value), index, revision)
    }
    const name = this.#topicNames.get(topicId)
    if (name !== undefined) this.#touchedTopics.add(name)
  }

  #applyConfig(of: string, name: string, value: Uint8Array | null): void {
    const configs = value === null ? null : new Map(Object.entries(decodeDocument('config', value).entries))
    if (of === 'topic') {
      if (configs === null) this.#topicConfigs.delete(name)
      else this.#topicConfigs.set(name, configs)
      this.#touchedTopics.add(name)
      return
    }
    this.#otherConfigs = new Map(this.#otherConfigs)
    if (configs === null) this.#otherConfigs.delete(`${of}/${name}`)
    else this.#otherConfigs.set(`${of}/${name}`, configs)
    this.#touchedElse = true
  }
}
