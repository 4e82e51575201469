// The metadata as etcd has it at this moment, read past members, doors and faults.

import { ImageDraft } from '../src/cluster/image-draft.ts'
import { emptyImage } from '../src/cluster/cluster-view.ts'
import type { ClusterImage } from '../src/cluster/image.ts'
import type { MetaEvent } from '../src/cluster/meta-store.ts'
import type { EtcdState, StateEvent } from '../src/io/etcd-state.sim.ts'
import { eventType, type EtcdKeyValue } from '../src/io/etcd.ts'

export class Truth {
  readonly #state: EtcdState
  readonly #onEvent: (event: MetaEvent) => void
  readonly #draft = new ImageDraft()
  #image: ClusterImage = emptyImage

  /** `onEvent`: told of each change once, when it is looked for. */
  constructor(state: EtcdState, onEvent: (event: MetaEvent) => void) {
    this.#state = state
    this.#onEvent = onEvent
  }

  /** Must be asked before etcd forgets revisions it has not shown. */
  get image(): ClusterImage {
    const { revision } = this.#state
    if (this.#image.revision === revision) return this.#image
    for (const { events } of this.#state.eventsFrom(this.#image.revision + 1) ?? []) {
      for (const event of events) {
        const change = changeOf(event)
        this.#draft.apply(change)
        this.#onEvent(change)
      }
    }
    this.#image = this.#draft.next(this.#image, revision).image
    return this.#image
  }
}

function changeOf({ type, kv, prevKv }: StateEvent): MetaEvent {
  if (type === eventType.put) return { kind: 'put', entry: entryOf(kv) }
  return { kind: 'delete', entry: entryOf(prevKv ?? kv) }
}

function entryOf({ key, value, createRevision, modRevision }: EtcdKeyValue): MetaEvent['entry'] {
  const name = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString()
  return { key: name, value, createRevision: Number(createRevision), modRevision: Number(modRevision) }
}
