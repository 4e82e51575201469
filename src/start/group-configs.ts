// Configs of single groups as the group coordinator asks for them, out of the cluster image and this broker's settings.

import type { ClusterImage } from '../cluster/image.ts'
import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import { effectiveGroupTimes } from '../cluster/settings/group-config.ts'
import type { GroupConfigs } from '../coordinators/groups/group-config.ts'

export function configsForGroups(cluster: { readonly image: ClusterImage }, settings: BrokerSettings): GroupConfigs {
  return { consumerGroup: (groupId) => effectiveGroupTimes(cluster.image.configs.get(`group/${groupId}`), settings) }
}
