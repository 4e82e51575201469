// DescribeConfigs. v1: sources and synonyms (KIP-226). v3: types and documentation (KIP-569). What the broker does not act on is
// not listed, unless it was set: a tool shall see what it set.

import {
  asUnderstood,
  describeBrokerConfigs,
  describeDynamicConfigs,
  type DescribedConfig,
  describeGroupConfigs,
  describeTopicConfigs,
} from '../../cluster/settings/described-configs.ts'
import { dynamicConfigsOf } from '../../cluster/settings/dynamic-broker-definitions.ts'
import { refuse, topicNameProblem, type TopicRefusal } from '../../cluster/topic-rules.ts'
import type {
  describeConfigs,
  DescribeConfigsRequest,
  DescribeConfigsResponse,
} from '../../protocol/apis/describe-configs.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Handler, RequestContext } from '../handler.ts'
import type { Services } from '../services.ts'
import { configSourceCode, configTypeCode } from './config-entries.ts'
import { resourceType } from './resource-type.ts'

type Needs = 'cluster' | 'settings' | 'brokerId'
type Context = RequestContext & Pick<Services, Needs>
type Resource = DescribeConfigsRequest['resources'][number]
type Result = DescribeConfigsResponse['results'][number]

export const handleDescribeConfigs: Handler<typeof describeConfigs, Needs> = (context, request) => ({
  throttleTimeMs: 0,
  results: request.resources.map((resource) => {
    const described = describe(context, resource)
    return 'ok' in described ? refusedResult(resource, described) : result(resource, described, request)
  }),
})

function describe(context: Context, { resourceType: type, resourceName: name }: Resource): Described {
  switch (type) {
    case resourceType.topic:
      return describeTopic(context, name)
    case resourceType.broker:
      return notThisBroker(context, name) ?? describeBroker(context, name)
    case resourceType.brokerLogger:
      // The log has one level for everything and no named loggers.
      return name === '' ? invalid('Broker id must not be empty') : (notThisBroker(context, name) ?? [])
    case resourceType.clientMetrics:
      return name === '' ? invalid('Client metrics subscription name must not be empty') : []
    case resourceType.group:
      return name === '' ? invalid('Group name must not be empty') : describeGroup(context, name)
    default:
      return invalid(`Unexpected resource type ${type} for resource ${name}`)
  }
}

type Described = readonly DescribedConfig[] | TopicRefusal

function describeTopic({ cluster, settings }: Context, name: string): Described {
  const badName = topicNameProblem(name)
  if (badName !== null) return badName
  const topic = cluster.image.topicsByName.get(name)
  if (topic !== undefined) return asUnderstood(describeTopicConfigs(topic.configs, settings))
  return refuse(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, 'This server does not host this topic-partition.')
}

/** Whether there is such a group or not: its configs may come first. */
function describeGroup({ cluster, settings }: Context, name: string): Described {
  return describeGroupConfigs(cluster.image.configs.get(`group/${name}`) ?? new Map(), settings)
}

/** No name stands for what was set on all brokers while they ran. */
function describeBroker({ cluster, settings, brokerId }: Context, name: string): Described {
  const dynamic = dynamicConfigsOf(cluster.image.configs, brokerId)
  if (name === '') return describeDynamicConfigs({ ...dynamic, own: new Map() })
  return [...describeBrokerConfigs(settings), ...describeDynamicConfigs(dynamic)].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )
}

function notThisBroker({ brokerId }: Context, name: string): TopicRefusal | null {
  if (name === '') return null
  if (!/^[+-]?\d+$/.test(name)) return invalid(`Broker id must be an integer, but it is: ${name}`)
  if (Number(name) === brokerId) return null
  return invalid(`Unexpected broker id, expected ${brokerId} or empty string, but received ${name}`)
}

function invalid(message: string): TopicRefusal {
  return refuse(ErrorCode.INVALID_REQUEST, message)
}

function result(resource: Resource, described: readonly DescribedConfig[], request: DescribeConfigsRequest): Result {
  const { resourceType, resourceName, configurationKeys } = resource
  const wanted = configurationKeys === null || configurationKeys.length === 0 ? null : new Set(configurationKeys)
  const configs = described.filter(({ name }) => wanted === null || wanted.has(name))
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: '',
    resourceType,
    resourceName,
    configs: configs.map((config) => ({
      name: config.name,
      value: config.value,
      readOnly: config.readOnly,
      configSource: configSourceCode[config.source],
      isSensitive: config.type === 'password',
      synonyms: request.includeSynonyms
        ? config.synonyms.map(({ name, value, source }) => ({ name, value, source: configSourceCode[source] }))
        : [],
      configType: configTypeCode[config.type],
      documentation: request.includeDocumentation ? config.documentation : null,
    })),
  }
}

function refusedResult({ resourceType, resourceName }: Resource, { error, message }: TopicRefusal): Result {
  return { errorCode: error, errorMessage: message, resourceType, resourceName, configs: [] }
}
