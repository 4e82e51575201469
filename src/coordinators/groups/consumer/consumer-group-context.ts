// What all KIP-848 groups of one coordinator share.

import type { Assignor } from '../assignors/assignor.ts'
import type { Group } from '../group.ts'
import type { GroupConfigs } from '../group-config.ts'
import type { GroupSettings } from '../group-settings.ts'
import type { TopicsView } from '../topics-view.ts'
import type { TopicHashes } from './metadata-hash.ts'

export interface ConsumerGroupContext {
  readonly settings: GroupSettings
  readonly configs: GroupConfigs
  readonly topics: TopicsView
  readonly hashes: TopicHashes
  /** The broker's, at least one; the first is the default. */
  readonly assignors: readonly Assignor[]
  /** Revision of the cluster's metadata in which a topic was last created, as far as this coordinator knows. */
  topicsCreatedIn(): number
  /** A group takes the place of the consumer group of its name (online migration). */
  becomes(group: Group): void
}
