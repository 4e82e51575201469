// The configs of Kafka's topics, brokers and groups, as Odradek can hold them.

import { isInternalTopic } from '../../cluster/internal-topics.ts'
import { type KraftMetadata, resourceTypes } from '../../cluster/kraft-metadata.ts'
import { brokerDefinition } from '../../cluster/settings/broker-settings.ts'
import { groupDefinitions } from '../../cluster/settings/group-definitions.ts'
import { topicDefinitions } from '../../cluster/settings/topic-definitions.ts'
import { listed, plural } from './words.ts'

export interface AdoptedConfigs {
  readonly configs: ReadonlyMap<string, string>
  readonly leftOut: readonly string[]
  readonly problems: readonly string[]
  /** Part of the topic lies in remote storage (KIP-405). */
  readonly isRemote: boolean
}

const remoteStorage = 'remote.storage.enable'

/** What was set on the topic. A config that Odradek knows and whose value it refuses is a problem: what it would do instead is not meant. */
export function configsFrom(metadata: KraftMetadata, topic: string): AdoptedConfigs {
  const configs = new Map<string, string>()
  const leftOut: string[] = []
  const problems: string[] = []
  let isRemote = false
  for (const [name, value] of metadata.configsOf(resourceTypes.topic, topic)) {
    if (name === remoteStorage && value === 'true') {
      isRemote = true
      continue
    }
    const definition = topicDefinitions.get(name)
    const parsed = definition?.parse(value)
    if (parsed === undefined) leftOut.push(`the config ${name}=${value} of ${topic}: Odradek does not know it`)
    else if (parsed.ok) configs.set(name, value)
    else problems.push(`${topic}: ${parsed.problem}; change it with kafka-configs before the adoption`)
  }
  return { configs, leftOut, problems, isRemote }
}

/** For a topic of which nothing is known: nothing of it may go. What is internal only ever needs the last record of each key. */
export function configsKeepingAll(topic: string): ReadonlyMap<string, string> {
  if (isInternalTopic(topic)) return new Map([['cleanup.policy', 'compact']])
  return new Map([
    ['cleanup.policy', 'delete'],
    ['retention.ms', '-1'],
    ['retention.bytes', '-1'],
  ])
}

export interface DynamicBrokerConfigs {
  /** That Odradek would act on, were they given to it, and that are not its defaults. */
  readonly known: ReadonlyMap<string, string>
  /** Names only, for a value may be a password. */
  readonly unknown: readonly string[]
}

/** What was set on brokers at run time (KIP-226): for all, and for this one, which wins. */
export function dynamicBrokerConfigs(metadata: KraftMetadata, nodeId: number): DynamicBrokerConfigs {
  const known = new Map<string, string>()
  const unknown: string[] = []
  const configs = new Map([
    ...metadata.configsOf(resourceTypes.broker, ''),
    ...metadata.configsOf(resourceTypes.broker, String(nodeId)),
  ])
  for (const [name, value] of configs) {
    const definition = brokerDefinition(name)
    if (definition?.honoured !== true) unknown.push(name)
    else if (definition.defaultText !== value) known.set(name, value)
  }
  return { known, unknown }
}

export interface AdoptedGroupConfigs {
  /** By group id; none of them is empty. */
  readonly byGroup: ReadonlyMap<string, ReadonlyMap<string, string>>
  readonly leftOut: readonly string[]
}

/** What was set on single groups (KIP-848). A value outside of the bounds that a broker has for it counts as the nearest within them. */
export function groupConfigsFrom(metadata: KraftMetadata): AdoptedGroupConfigs {
  const byGroup = new Map<string, ReadonlyMap<string, string>>()
  const leftOut: string[] = []
  for (const group of metadata.configured(resourceTypes.group)) {
    const configs = new Map<string, string>()
    for (const [name, value] of metadata.configsOf(resourceTypes.group, group)) {
      if (groupDefinitions.get(name)?.parse(value).ok === true) configs.set(name, value)
      else leftOut.push(`the config ${name}=${value} of the group ${group}: Odradek does not know it`)
    }
    if (configs.size > 0) byGroup.set(group, configs)
  }
  return { byGroup, leftOut }
}

/** What else KRaft's metadata holds that Odradek has no place for, a line each. */
export function leftOutOf(metadata: KraftMetadata, nodeId: number): string[] {
  const left: string[] = []
  const { known, unknown } = dynamicBrokerConfigs(metadata, nodeId)
  for (const [name, value] of known) {
    left.push(`the broker config ${name}=${value}, set while Kafka ran: give it to odradek start with --set`)
  }
  if (unknown.length > 0) left.push(`broker configs that Odradek does not act on: ${listed(unknown)}`)
  const { aclCount, scramCredentialCount, quotaCount } = metadata
  if (aclCount > 0) left.push(`${plural(aclCount, 'ACL')}: Odradek has no authorizer`)
  if (scramCredentialCount > 0) left.push(`${plural(scramCredentialCount, 'SCRAM credential')}: Odradek has no SASL`)
  if (quotaCount > 0) left.push(`${plural(quotaCount, 'client quota')}: Odradek has none`)
  left.push(...groupConfigsFrom(metadata).leftOut)
  for (const name of metadata.configured(resourceTypes.clientMetrics))
    left.push(`the client metrics subscription ${name}`)
  return left
}
