// Follows the metadata store and shows it as immutable images. A change makes new objects only for what it touches: the
// topics it names and the maps above them; everything else is shared with the image before.

import { decodeDocument, type TopicDocument } from './documents.ts'
import type { BrokerImage, ClusterImage, ClusterView, ImageChange, PartitionImage, TopicImage } from './image.ts'
import { isInternalTopic } from './internal-topics.ts'
import { keyPrefix, parseKey } from './keys.ts'
import { type MetaEvent, type MetaStore, type Revision, StoreUnavailable } from './meta-store.ts'

type Configs = ReadonlyMap<string, string>

const noConfigs: Configs = new Map()

export const emptyImage: ClusterImage = {
  revision: 0,
  clusterId: '',
  controllerId: -1,
  brokers: new Map(),
  topicsByName: new Map(),
  topicsById: new Map(),
  configs: new Map(),
}

/** The change that leads from nothing to `image`: for listeners that come when there is one already. */
export function initialChange(image: ClusterImage): ImageChange {
  return { before: emptyImage, after: image, topicIds: new Set(image.topicsById.keys()) }
}

export interface ClusterViewOptions {
  readonly store: MetaStore
  /** The store cannot be followed any more, or a listener threw: the broker must stop. */
  readonly onFault: (error: unknown) => void
}

interface Waiting {
  readonly revision: Revision
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export class ClusterViewOfStore implements ClusterView {
  readonly #store: MetaStore
  readonly #onFault: (error: unknown) => void
  #image: ClusterImage = emptyImage
  #draft = new ImageDraft()
  #watch: { close(): void } | null = null
  #closed = false
  readonly #listeners = new Set<(change: ImageChange) => void>()
  #waiting: Waiting[] = []

  /** Resolves with the store's present state in `image`. */
  static async open(options: ClusterViewOptions): Promise<ClusterViewOfStore> {
    const view = new ClusterViewOfStore(options)
    await view.#list()
    return view
  }

  private constructor({ store, onFault }: ClusterViewOptions) {
    this.#store = store
    this.#onFault = onFault
  }

  get image(): ClusterImage {
    return this.#image
  }

  subscribe(listener: (change: ImageChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  reached(revision: Revision): Promise<void> {
    if (this.#image.revision >= revision) return Promise.resolve()
    if (this.#closed) return Promise.reject(closedError())
    return new Promise((resolve, reject) => this.#waiting.push({ revision, resolve, reject }))
  }

  /** Whoever waits for a revision is rejected. */
  close(): void {
    this.#closed = true
    for (const { reject } of this.#waiting) reject(closedError())
    this.#waiting = []
    this.#watch?.close()
    this.#listeners.clear()
  }

  /** From the beginning, or after the store's history was lost. */
  async #list(): Promise<void> {
    const { entries, revision } = await this.#store.list(keyPrefix)
    if (this.#closed) return
    const before = this.#image
    this.#draft = new ImageDraft()
    for (const entry of entries) this.#draft.apply({ kind: 'put', entry })
    const after = this.#draft.next(emptyImage, revision)
    this.#publish({
      before,
      after: after.image,
      topicIds: new Set([...before.topicsById.keys(), ...after.image.topicsById.keys()]),
    })
    this.#watch = this.#store.watch(keyPrefix, revision + 1, {
      events: (batch, revision) => {
        try {
          this.#follow(batch, revision)
        } catch (error) {
          this.#onFault(error)
        }
      },
      reset: () => {
        this.#listAgain().catch(this.#onFault)
      },
      // Who may act on what the view shows is for the lease to say.
      stale: () => {},
    })
  }

  /** A store that is out of reach is asked for as long as the view is open. */
  async #listAgain(): Promise<void> {
    while (!this.#closed) {
      try {
        await this.#list()
        return
      } catch (error) {
        if (this.#closed) return
        if (!(error instanceof StoreUnavailable)) throw error
      }
    }
  }

  #follow(batch: readonly MetaEvent[], revision: Revision): void {
    const before = this.#image
    for (const event of batch) this.#draft.apply(event)
    const { image, topicIds, changed } = this.#draft.next(before, revision)
    if (changed) this.#publish({ before, after: image, topicIds })
    else this.#show(image)
  }

  #publish(change: ImageChange): void {
    this.#image = change.after
    for (const listener of this.#listeners) listener(change)
    this.#show(change.after)
  }

  #show(image: ClusterImage): void {
    this.#image = image
    if (this.#waiting.length === 0) return
    const reached = this.#waiting.filter(({ revision }) => revision <= image.revision)
    this.#waiting = this.#waiting.filter(({ revision }) => revision > image.revision)
    for (const { resolve } of reached) resolve()
  }
}

function closedError(): Error {
  return new Error('the view of the cluster is closed')
}

/** What the keys say, and what of it the next image must show anew. */
class ImageDraft {
  #clusterId = ''
  #controllerId = -1
  #brokers = new Map<number, BrokerImage>()
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
      case 'topic':
        this.#applyTopic(key.name, value)
        break
      case 'partition':
        this.#applyPartition(key.topicId, key.index, value)
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
    const topicsByName = new Map(before.topicsByName)
    const topicsById = new Map(before.topicsById)
    for (const name of this.#touchedTopics) {
      const old = topicsByName.get(name)
      if (old !== undefined) {
        topicsByName.delete(name)
        topicsById.delete(old.id)
        this.#touchedIds.add(old.id)
      }
      const topic = this.#topicImage(name)
      if (topic === null) continue
      topicsByName.set(name, topic)
      topicsById.set(topic.id, topic)
      this.#touchedIds.add(topic.id)
    }
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
      const { endpoints, rack } = decodeDocument('live', value)
      this.#brokers.set(brokerId, { id: brokerId, epoch, endpoints, rack })
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

  #applyPartition(topicId: string, index: number, value: Uint8Array | null): void {
    let partitions = this.#partitions.get(topicId)
    if (value === null) {
      // Partitions of a topic go all together, in one revision.
      this.#partitions.delete(topicId)
    } else {
      if (partitions === undefined) this.#partitions.set(topicId, (partitions = []))
      const { replicas, isr, leader, leaderEpoch, partitionEpoch } = decodeDocument('partition', value)
      partitions[index] = { index, replicas, isr, leader, leaderEpoch, partitionEpoch }
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
