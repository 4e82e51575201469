// Follows the metadata store and shows it as immutable images. A change makes new objects only for what it touches: the
// topics it names and the maps above them; everything else is shared with the image before.

import { isDeepStrictEqual } from 'node:util'
import type { Clock, Millis, Timer } from '../io/clock.ts'
import { sameConfigs } from './config-change.ts'
import { emptyImage, ImageDraft } from './image-draft.ts'
import type { ClusterImage, ClusterView, ImageChange, TopicImage } from './image.ts'
import { keyPrefix } from './keys.ts'
import type { MetaEntry, MetaEvent, MetaStore, Revision } from './meta-store.ts'

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
/** Whoever waits for a revision of which nothing is heard for so long has it looked for: others may share the store's revisions. */
const catchUpMs: Millis = 500

interface Listed {
  readonly entries: readonly MetaEntry[]
  readonly revision: Revision
}

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
  /** Why it follows the store no more; null while it does. */
  #over: Error | null = null
  readonly #listeners = new Set<(change: ImageChange) => void>()
  #waiting: Waiting[] = []
  /** Lists are made one after the other. */
  #listed: Promise<void> = Promise.resolve()
  readonly #timers = new Set<Timer>()
  #catchingUp = false

  /** Resolves with the store's present state in `image`. */
  static async open(options: ClusterViewOptions): Promise<ClusterViewOfStore> {
    const view = new ClusterViewOfStore(options)
    view.#take(await options.store.list(keyPrefix))
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
    if (this.#over !== null) return Promise.reject(this.#over)
    if (this.#image.revision >= revision) return Promise.resolve()
    this.#catchUpLater()
    return new Promise((resolve, reject) => this.#waiting.push({ revision, resolve, reject }))
  }

  /** A watch of a store in another process may have missed something: a new list decides. */
  upToDate(): Promise<void> {
    return this.#remote === undefined ? Promise.resolve() : this.recheck()
  }

  /** Whoever waits for a revision is rejected. */
  close(): void {
    this.#end(new Error('the view of the cluster is closed'))
  }

  /**
   * Compares with a new list of the store, and tells listeners what was missed; normally nothing. Rejects with the store's faults; the
   * image is then followed as before.
   */
  recheck(): Promise<void> {
    const listed = this.#listed.then(() => this.#listAgain())
    this.#listed = listed.catch(() => {})
    return listed
  }

  /** Rejects with the store's faults; others go to `onFault`. */
  async #listAgain(): Promise<void> {
    if (this.#over !== null) return
    // Closed first: what is listed afterwards cannot be older than what was seen.
    this.#watch?.close()
    this.#watch = null
    let listed: Listed
    try {
      listed = await this.#store.list(keyPrefix)
    } catch (error) {
      this.#follow(this.#image.revision + 1)
      throw error
    }
    if (this.#over === null) this.#orFault(() => this.#take(listed))
  }

  /** Throws when what is listed cannot be shown, and what listeners throw. */
  #take({ entries, revision }: Listed): void {
    const before = this.#image
    if (revision < before.revision) {
      this.#replaced()
      return
    }
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
    if (this.#over !== null) return
    this.#watch = this.#store.watch(keyPrefix, from, {
      events: (batch, revision) => this.#orFault(() => this.#apply(batch, revision)),
      // What was acknowledged may be gone from it: an image of that would have logs deleted.
      reset: (cause) => {
        if (cause === 'replaced') this.#replaced()
        else this.#listUntilItWorks()
      },
      // The lease says whether the broker may go on.
      stale: () => {},
    })
  }

  #listUntilItWorks(): void {
    this.recheck().catch((error: unknown) => {
      if (this.#over !== null) return
      if (this.#remote === undefined) this.#onFault(error)
      else this.#after(retryMs, () => this.#listUntilItWorks())
    })
  }

  #recheckLater(): void {
    this.#after(this.#remote?.recheckMs ?? recheckMs, () => {
      // What fails now is tried the next time.
      void this.recheck()
        .catch(() => {})
        .finally(() => this.#recheckLater())
    })
  }

  #catchUpLater(): void {
    if (this.#catchingUp) return
    this.#catchingUp = true
    const { revision } = this.#image
    this.#after(catchUpMs, () => {
      const recheck = this.#waiting.length > 0 && this.#image.revision === revision
      void (recheck ? this.recheck() : Promise.resolve())
        .catch(() => {})
        .finally(() => {
          this.#catchingUp = false
          if (this.#waiting.length > 0) this.#catchUpLater()
        })
    })
  }

  /** Only where the store is in another process does time matter. */
  #after(ms: Millis, callback: () => void): void {
    if (this.#remote === undefined || this.#over !== null) return
    const timer = this.#remote.clock.setTimer(ms, () => {
      this.#timers.delete(timer)
      callback()
    })
    this.#timers.add(timer)
  }

  /** Only another start, which sets logs aside that belong to no topic, can tell what is left of the cluster. */
  #replaced(): void {
    if (this.#over !== null) return
    const fault = new Error(
      'the metadata is not the one it was: another cluster, or an older state of it; the broker must stop',
    )
    this.#end(fault)
    this.#onFault(fault)
  }

  #end(reason: Error): void {
    if (this.#over !== null) return
    this.#over = reason
    for (const { reject } of this.#waiting) reject(reason)
    this.#waiting = []
    for (const timer of this.#timers) timer.cancel()
    this.#timers.clear()
    this.#watch?.close()
    this.#listeners.clear()
  }

  #orFault(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#onFault(error)
    }
  }

  #apply(batch: readonly MetaEvent[], revision: Revision): void {
    const before = this.#image
    for (const event of batch) this.#draft.apply(event)
    const { image, topicIds, changed } = this.#draft.next(before, revision)
    if (changed) this.#publish({ before, after: image, topicIds })
    else this.#show(image)
  }

  #publish(change: ImageChange): void {
    const { clusterId } = change.before
    if (clusterId !== '' && change.after.clusterId !== clusterId) {
      this.#replaced()
      return
    }
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
