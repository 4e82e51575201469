// What classic consumers tell each other in JoinGroup and SyncGroup, and a consumer group reads and writes for them: topics by name
// there, by id here (KIP-848, online migration).

import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../../protocol/consumer-protocol.ts'
import { decodedOrNull } from '../../../protocol/schema/index.ts'
import type { AssignedPartitions } from '../assignors/assignor.ts'
import type { TopicsView } from '../topics-view.ts'
import { ascending, type OwnedPartitions } from './member-partitions.ts'

export interface EmbeddedSubscription {
  /** Sorted, each once. */
  readonly topics: readonly string[]
  /** KIP-881. */
  readonly rackId: string | null
  /** What the member still has (KIP-429), of topics that exist. A member that gives up everything before it joins has nothing. */
  readonly owned: OwnedPartitions
}

/** Null when the bytes are no subscription. */
export function readSubscription(metadata: Uint8Array, topics: TopicsView): EmbeddedSubscription | null {
  const read = decodedOrNull(() => consumerProtocolSubscription.decode(metadata))
  if (read === null) return null
  const owned = read.ownedPartitions.flatMap(({ topic, partitions }) => {
    const known = topics.byName(topic)
    return known === null ? [] : [{ topicId: known.id, partitions }]
  })
  return { topics: [...new Set(read.topics)].toSorted(), rackId: read.rackId === '' ? null : read.rackId, owned }
}

export type EmbeddedAssignment =
  | { readonly ok: true; readonly partitions: AssignedPartitions }
  /** `custom`: an assignor keeps something of its own in it, which would be lost. */
  | { readonly ok: false; readonly problem: 'malformed' | 'custom' }

/** No bytes at all are an assignment too: that of a member that has never synced. Topics that are gone are left out. */
export function readAssignment(assignment: Uint8Array, topics: TopicsView): EmbeddedAssignment {
  if (assignment.length === 0) return { ok: true, partitions: new Map() }
  const read = decodedOrNull(() => consumerProtocolAssignment.decode(assignment))
  if (read === null) return { ok: false, problem: 'malformed' }
  if (read.userData !== null && read.userData.length > 0) return { ok: false, problem: 'custom' }
  const partitions = new Map<string, number[]>()
  for (const { topic, partitions: listed } of read.assignedPartitions) {
    const known = topics.byName(topic)
    if (known !== null && listed.length > 0) partitions.set(known.id, ascending(new Set(listed)))
  }
  return { ok: true, partitions }
}

/** In the version that the member's own subscription is in. Topics that are gone are left out. */
export function writeAssignment(
  partitions: ReadonlyMap<string, Iterable<number>>,
  subscription: Uint8Array,
  topics: TopicsView,
): Uint8Array {
  const assignedPartitions = Array.from(partitions).flatMap(([topicId, listed]) => {
    const known = topics.byId(topicId)
    return known === null ? [] : [{ topic: known.name, partitions: ascending(listed) }]
  })
  return consumerProtocolAssignment.encode({ assignedPartitions, userData: null }, versionOf(subscription))
}

const [versionMin, versionMax] = consumerProtocolAssignment.versions

/**
 * Of later versions, as much as is known is understood. Of what a member offers, only the protocol in use has been read: the rest may be
 * anything.
 */
function versionOf({ buffer, byteOffset, byteLength }: Uint8Array): number {
  if (byteLength < 2) return versionMin
  return Math.min(Math.max(new DataView(buffer, byteOffset).getInt16(0), versionMin), versionMax)
}
