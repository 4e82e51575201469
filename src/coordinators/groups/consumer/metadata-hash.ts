// What a group sees of the topics it reads, as one number: a group is assigned anew when it changes. The same as Kafka's, so that a
// group survives a move from one to the other without a rebalance.

import { xxh3 } from '../../../lib/xxh3.ts'
import { decodeUuid } from '../../../lib/uuid.ts'
import { invariant } from '../../../lib/invariant.ts'
import type { GroupTopic, TopicsView } from '../topics-view.ts'

/** Version of the way to hash. */
const magic = 0

/** Hashes of topics, each computed once until it changes. Bounded by the topics that groups have read since. */
export class TopicHashes {
  readonly #topics: TopicsView
  readonly #hashes = new Map<string, bigint>()

  constructor(topics: TopicsView) {
    this.#topics = topics
  }

  /** The topics look different now. */
  changed(names: readonly string[]): void {
    for (const name of names) this.#hashes.delete(name)
  }

  /** Of all these topics, as far as they exist; 0 when none does. */
  of(names: Iterable<string>): bigint {
    const hashes = [...names]
      .toSorted((one, other) => (one < other ? -1 : 1))
      .flatMap((name) => {
        const hash = this.#ofTopic(name)
        return hash === null ? [] : [hash]
      })
    if (hashes.length === 0) return 0n
    const bytes = Buffer.allocUnsafe(8 * hashes.length)
    hashes.forEach((hash, index) => bytes.writeBigUInt64LE(hash, 8 * index))
    return BigInt.asIntN(64, xxh3(bytes))
  }

  #ofTopic(name: string): bigint | null {
    const known = this.#hashes.get(name)
    if (known !== undefined) return known
    const topic = this.#topics.byName(name)
    if (topic === null) return null
    const hash = topicHash(topic)
    this.#hashes.set(name, hash)
    return hash
  }
}

/** Unsigned. Id, name, number of partitions; of each partition its index and the sorted racks of its replicas. */
export function topicHash(topic: GroupTopic): bigint {
  const { id, name, partitionCount } = topic
  const idBytes = decodeUuid(id)
  invariant(idBytes !== null, 'a topic has a valid id')
  const parts: Uint8Array[] = [
    Uint8Array.of(magic),
    long(idBytes, 0),
    long(idBytes, 8),
    text(name),
    int(partitionCount),
  ]
  for (let partition = 0; partition < partitionCount; partition++) {
    parts.push(int(partition))
    for (const rack of topic.racksOf(partition).toSorted()) parts.push(int(rack.length), text(rack))
  }
  return xxh3(Buffer.concat(parts))
}

/** Java's long of eight bytes, the most significant first, is hashed with the least significant first. */
function long(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.slice(at, at + 8).toReversed()
}

/** UTF-16, then how many characters that was. */
function text(value: string): Uint8Array {
  return Buffer.concat([Buffer.from(value, 'utf16le'), int(value.length)])
}

function int(value: number): Uint8Array {
  const bytes = Buffer.allocUnsafe(4)
  bytes.writeInt32LE(value)
  return bytes
}
