// What IncrementalAlterConfigs and AlterConfigs have in common (ConfigAdminManager.preprocess): each resource once, each config once,
// no nulls; then each kind of resource in its own way. Topics and groups have configs that can be changed here, and brokers a few; the
// others are refused in the words that Kafka has for configs it does not know, or cannot change while it runs. To remove what is not set
// is fine everywhere.

import type { ConfigChange } from '../../cluster/config-change.ts'
import { dynamicBrokerDefinitions } from '../../cluster/settings/dynamic-broker-definitions.ts'
import { refuse, type TopicRefusal } from '../../cluster/topic-rules.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Services } from '../services.ts'
import { resourceType } from './resource-type.ts'

export type AlterNeeds = 'topicConfigs' | 'brokerConfigs' | 'groupConfigs' | 'brokerId'

export interface AskedConfig {
  readonly name: string
  readonly value: string | null
}

export interface AskedResource<Config extends AskedConfig> {
  readonly resourceType: number
  readonly resourceName: string
  readonly configs: readonly Config[]
}

/** How one of the two APIs means its configs. */
export interface AlterRules<Config extends AskedConfig> {
  readonly validateOnly: boolean
  /** Sets nothing, so that it needs no value. */
  removes(config: Config): boolean
  change(configs: readonly Config[]): ConfigChange | TopicRefusal
  /** Log levels; null where the API does not know them. */
  readonly loggers: ((configs: readonly Config[]) => TopicRefusal | null) | null
}

interface Answer {
  readonly errorCode: ErrorCode
  readonly errorMessage: string | null
  readonly resourceType: number
  readonly resourceName: string
}

/** Answers in the order of `resources`. */
export function alterResources<Config extends AskedConfig>(
  context: Pick<Services, AlterNeeds>,
  resources: readonly AskedResource<Config>[],
  rules: AlterRules<Config>,
): Promise<Answer[]> {
  const timesNamed = new Map<string, number>()
  for (const resource of resources) timesNamed.set(keyOf(resource), (timesNamed.get(keyOf(resource)) ?? 0) + 1)
  return Promise.all(
    resources.map(async (resource) => {
      const refusal =
        timesNamed.get(keyOf(resource))! > 1
          ? invalid('Each resource must appear at most once.')
          : (malformed(resource.configs, rules) ?? (await alter(context, resource, rules)))
      return {
        errorCode: refusal?.error ?? ErrorCode.NONE,
        errorMessage: refusal?.message ?? null,
        resourceType: resource.resourceType,
        resourceName: resource.resourceName,
      }
    }),
  )
}

function keyOf({ resourceType: type, resourceName }: AskedResource<AskedConfig>): string {
  return `${type} ${resourceName}`
}

function malformed<Config extends AskedConfig>(
  configs: readonly Config[],
  rules: AlterRules<Config>,
): TopicRefusal | null {
  if (new Set(configs.map(({ name }) => name)).size < configs.length) {
    return invalid('Error due to duplicate config keys')
  }
  const nulls = configs.filter((config) => config.value === null && !rules.removes(config))
  return nulls.length === 0 ? null : invalid(`Null value not supported for : ${namesOf(nulls)}`)
}

async function alter<Config extends AskedConfig>(
  { topicConfigs, brokerConfigs, groupConfigs, brokerId }: Pick<Services, AlterNeeds>,
  { resourceType: type, resourceName: name, configs }: AskedResource<Config>,
  rules: AlterRules<Config>,
): Promise<TopicRefusal | null> {
  const setting = configs.filter((config) => !rules.removes(config))
  switch (type) {
    case resourceType.topic: {
      const change = rules.change(configs)
      return 'ok' in change ? change : topicConfigs.alter(name, change, { validateOnly: rules.validateOnly })
    }
    case resourceType.broker: {
      const other = name === '' ? null : otherBroker(brokerId, name, 'Unexpected broker id, expected %, but received')
      if (other !== null) return other
      const fixed = setting.filter((config) => !dynamicBrokerDefinitions.has(config.name))
      if (fixed.length > 0) {
        return invalid(
          `Cannot update these configs dynamically: [${namesOf(fixed)}]. This broker reads its settings when it starts.`,
        )
      }
      const change = rules.change(configs)
      if ('ok' in change) return change
      // +1 and 1 are the same broker.
      const resource = name === '' ? '' : String(Number(name))
      return brokerConfigs.alter(resource, change, { validateOnly: rules.validateOnly })
    }
    case resourceType.brokerLogger:
      if (rules.loggers === null) break
      return otherBroker(brokerId, name, 'Unexpected node id. Expected %, but received') ?? rules.loggers(configs)
    case resourceType.clientMetrics:
      if (name === '') return invalid("Subscription name can't be empty")
      return setting.length === 0 ? null : invalid(`Unknown client metrics configuration: ${setting[0]!.name}`)
    case resourceType.group: {
      if (name === '') return invalid('Default group resources are not allowed.')
      const change = rules.change(configs)
      return 'ok' in change ? change : groupConfigs.alter(name, change, { validateOnly: rules.validateOnly })
    }
  }
  return invalid(`Unknown resource type ${type}`)
}

/** `expected`: Kafka's words, with % for this broker's id. */
function otherBroker(brokerId: number, name: string, expected: string): TopicRefusal | null {
  if (!/^[+-]?\d+$/.test(name)) return invalid(`Node id must be an integer, but it is: ${name}`)
  return Number(name) === brokerId ? null : invalid(`${expected.replace('%', String(brokerId))} ${name}`)
}

function namesOf(configs: readonly AskedConfig[]): string {
  return configs.map(({ name }) => name).join(', ')
}

export function invalid(message: string): TopicRefusal {
  return refuse(ErrorCode.INVALID_REQUEST, message)
}
