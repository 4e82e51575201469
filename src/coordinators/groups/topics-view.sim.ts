// Topics that exist because a test says so.

import { encodeUuid } from '../../lib/uuid.ts'
import type { GroupTopic, TopicsView } from './topics-view.ts'

export class SimulatedTopics implements TopicsView {
  readonly #topics = new Map<string, GroupTopic>()
  #created = 0
  revision = 1

  /** Creates the topic, or gives it more partitions. `racksOf`: none unless told. Returns its id. */
  set(name: string, partitionCount: number, options: { id?: string; racksOf?: GroupTopic['racksOf'] } = {}): string {
    const id = options.id ?? this.#topics.get(name)?.id ?? this.#newId()
    const racksOf = options.racksOf ?? (() => [])
    this.revision++
    this.#topics.set(name, { name, id, partitionCount, racksOf })
    return id
  }

  delete(name: string): void {
    this.revision++
    this.#topics.delete(name)
  }

  byName(name: string): GroupTopic | null {
    return this.#topics.get(name) ?? null
  }

  byId(id: string): GroupTopic | null {
    for (const topic of this.#topics.values()) if (topic.id === id) return topic
    return null
  }

  names(): Iterable<string> {
    return this.#topics.keys()
  }

  #newId(): string {
    const bytes = new Uint8Array(16).fill(7)
    new DataView(bytes.buffer).setUint32(12, ++this.#created)
    return encodeUuid(bytes)
  }
}
