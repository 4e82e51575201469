// Which topics the members of a classic group read, as far as they say so in a form that the broker knows.

import { consumerProtocolSubscription } from '../../../protocol/consumer-protocol.ts'
import { decodedOrNull } from '../../../protocol/schema/index.ts'
import type { ClassicMember } from './classic-member.ts'

/** Protocol type of consumers; Connect's workers, for instance, have their own. */
export const consumerProtocolType = 'consumer'

/** Null when the members' metadata cannot be read. */
export function subscribedTopics(
  members: Iterable<ClassicMember>,
  protocol: string | null,
): ReadonlySet<string> | null {
  const topics = new Set<string>()
  for (const member of members) {
    const subscription = decodedOrNull(() => consumerProtocolSubscription.decode(member.metadataFor(protocol)))
    if (subscription === null) return null
    for (const topic of subscription.topics) topics.add(topic)
  }
  return topics
}
