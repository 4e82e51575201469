// The settings of brokers that can be changed while they run, kept in the cluster's metadata: for one broker, or for all that have none of
// their own (KIP-226). Kafka has more; these are the ones its tools set of their own accord, to throttle a reassignment (KIP-73).

import { type ConfigDefinition, long, noLimit, valueOf } from './config-definition.ts'

const rate = (name: string, documentation: string): ConfigDefinition<number> =>
  long(name, noLimit, { atLeast: 0, documentation })

export const replicationRates = {
  leader: rate(
    'leader.replication.throttled.rate',
    'Bytes per second that this broker sends to followers of throttled replicas, in all.',
  ),
  follower: rate(
    'follower.replication.throttled.rate',
    'Bytes per second that this broker fetches as a follower of throttled replicas, in all.',
  ),
}

/** By name. */
export const dynamicBrokerDefinitions: ReadonlyMap<string, ConfigDefinition> = new Map(
  Object.values(replicationRates).map((definition) => [definition.name, definition]),
)

type Configs = ReadonlyMap<string, string>
const noConfigs: Configs = new Map()

/** What was set: on the broker, and on all. */
export interface DynamicBrokerConfigs {
  readonly own: Configs
  readonly defaults: Configs
}

/** `configs`: of the cluster's image. */
export function dynamicConfigsOf(configs: ReadonlyMap<string, Configs>, brokerId: number): DynamicBrokerConfigs {
  return { own: configs.get(`broker/${brokerId}`) ?? noConfigs, defaults: configs.get('broker/') ?? noConfigs }
}

/** The value in force. */
export function dynamicValue<T>(definition: ConfigDefinition<T>, { own, defaults }: DynamicBrokerConfigs): T {
  return valueOf(definition, own.get(definition.name) ?? defaults.get(definition.name))
}

/** What is wrong with configs that a client wants to set on brokers, in Kafka's words; null when nothing is. */
export function dynamicConfigProblem(configs: Configs): string | null {
  for (const [name, text] of configs) {
    const parsed = dynamicBrokerDefinitions.get(name)?.parse(text)
    if (parsed?.ok === false) return parsed.problem
  }
  return null
}
