// Follows the metadata store and shows it as immutable images. A change makes new objects only for what it touches: the
// topics it names and the maps above them; everything else is shared with the image before.

import { isDeepStrictEqual } from 'node:util'
import type { Clock, Millis, Timer } from '../io/clock.ts'
import { sameConfigs } from './config-change.ts'
import { emptyImage, ImageDraft } from './image-draft.ts'
import type { ClusterImage, ClusterView, ImageChange, TopicImage } from './image.ts'
import { keyPrefix } from './keys.ts'
import type { MetaEvent, MetaStore, Revision } from './meta-store.ts'

export { emptyImage } from './image-draft.ts'

/** The change that leads from nothing to `image`: for listeners that come when there is one already. */
export function initialChange(image: ClusterImage): ImageChange {
  return { before: emptyImage, after: image, topicIds: new Set(image.topicsById.keys()) }
}

export interface ClusterViewOptions {
  readonly store: MetaStore
  /** For a store in another process, which may be out of reach for a while, and may miss to tell something. */
  readonly remote?: { readonly clock: Clock; readonly recheckMs?: Millis }
  /** The store cannot be followed any more, or a listener threw: the broker must stop. */
  readonly onFault: (error: unknown) => void
}

/** Where it is not said otherwise. */
const recheckMs: Millis = 300_000
/** After a list that failed. */
const retryMs: Millis = 500

interface Waiting {
  readonly revision: Revision
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export class ClusterViewOfStore implements ClusterView {
  readonly #store: MetaStore
  readonly #remote: ClusterViewOptions['remote']
  readonly #onFault: (error: unknown) => void
  #image: ClusterImage = emptyImage
  #draft = new ImageDraft()
  #watch: { close(): void } | null = null
  #closed = false
  readonly #listeners = new Set<(change: ImageChange) => void>()
  #waiting: Waiting[] = []

  #timer: Timer | null = null

  /** Resolves with the store's present state in `image`. */
  static async open(options: ClusterViewOptions): Promise<ClusterViewOfStore> {
    const view = new ClusterViewOfStore(options)
    await view.#list()
    view.#recheckLater()
    return view
  }

  private constructor({ store, remote, onFault }: ClusterViewOptions) {
    this.#store = store
    this.#remote = remote
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
    this.#timer?.cancel()
    this.#watch?.close()
    this.#listeners.clear()
  }

  /**
   * Compares with a new list of the store, and tells listeners what was missed; normally nothing. Rejects with the store's faults; the
   * image is then followed as before.
   */
  async recheck(): Promise<void> {
    // Closed first: what is listed afterwards cannot be older than what was seen.
    this.#watch?.close()
    this.#watch = null
    try {
      await this.#list()
    } catch (error) {
      if (!this.#closed) this.#follow(this.#image.revision + 1)
      throw error
    }
  }

  /** From the beginning, after the store's history was lost, or to make sure. */
  async #list(): Promise<void> {
    const { entries, revision } = await this.#store.list(keyPrefix)
    if (this.#closed) return
    const before = this.#image
    this.#draft = new ImageDraft()
    for (const entry of entries) this.#draft.apply({ kind: 'put', entry })
    const { image } = this.#draft.next(emptyImage, revision)
    const { topics, topicIds } = sharedTopics(before, image)
    const changed = topicIds.size > 0 || !sameButTopics(before, image)
    if (changed) this.#publish({ before, after: { ...image, ...topics }, topicIds })
    else this.#show({ ...before, revision })
    this.#follow(revision + 1)
  }

  #follow(from: Revision): void {
    this.#watch = this.#store.watch(keyPrefix, from, {
      events: (batch, revision) => {
        try {
          this.#apply(batch, revision)
        } catch (error) {
          this.#onFault(error)
        }
      },
      reset: () => {
        void this.#listAgain()
      },
      // The lease says whether the broker may go on.
      stale: () => {},
    })
  }

  async #listAgain(): Promise<void> {
    try {
      await this.#list()
    } catch (error) {
      if (this.#closed) return
      if (this.#remote === undefined) this.#onFault(error)
      else this.#timer = this.#remote.clock.setTimer(retryMs, () => void this.#listAgain())
    }
  }

  #recheckLater(): void {
    if (this.#remote === undefined) return
    this.#timer = this.#remote.clock.setTimer(this.#remote.recheckMs ?? recheckMs, () => {
      // What fails now is tried the next time.
      void this.recheck()
        .catch(() => {})
        .finally(() => {
          if (!this.#closed) this.#recheckLater()
        })
    })
  }

  #apply(batch: readonly MetaEvent[], revision: Revision): void {
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

type Topics = Pick<ClusterImage, 'topicsByName' | 'topicsById'>

/** The topics of `after`, those that are as in `before` the same objects; and the ids of the others, and of those that are gone. */
function sharedTopics(before: Topics, after: Topics): { topics: Topics; topicIds: Set<string> } {
  const topicsByName = new Map<string, TopicImage>()
  const topicsById = new Map<string, TopicImage>()
  const topicIds = new Set<string>()
  for (const [id, topic] of after.topicsById) {
    const old = before.topicsById.get(id)
    const same = old !== undefined && sameTopic(old, topic)
    topicsByName.set(topic.name, same ? old : topic)
    topicsById.set(id, same ? old : topic)
    if (!same) topicIds.add(id)
  }
  for (const id of before.topicsById.keys()) if (!topicsById.has(id)) topicIds.add(id)
  return { topics: { topicsByName, topicsById }, topicIds }
}

function sameTopic(a: TopicImage, b: TopicImage): boolean {
  return (
    a.name === b.name &&
    a.partitions.length === b.partitions.length &&
    a.partitions.every(({ revision }, index) => revision === b.partitions[index]!.revision) &&
    sameConfigs(a.configs, b.configs)
  )
}

function sameButTopics(a: ClusterImage, b: ClusterImage): boolean {
  return (
    a.clusterId === b.clusterId &&
    a.controllerId === b.controllerId &&
    isDeepStrictEqual(a.brokers, b.brokers) &&
    isDeepStrictEqual(a.knownBrokers, b.knownBrokers) &&
    isDeepStrictEqual(a.configs, b.configs)
  )
}
