// ListConfigResources. What has configs, or could: brokers and topics all, groups where one was set. v0 asked for client metrics alone
// (KIP-714), of which there are none; v1 for any type (KIP-1142).

import type { listConfigResources } from '../../protocol/apis/list-config-resources.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Handler, RequestContext } from '../handler.ts'
import type { Services } from '../services.ts'
import { resourceType } from './resource-type.ts'

type Needs = 'cluster'

/** In the order of Kafka's answer. */
const listed = [
  resourceType.group,
  resourceType.clientMetrics,
  resourceType.brokerLogger,
  resourceType.broker,
  resourceType.topic,
]

/** No types at all: every type that the version knows. */
export const handleListConfigResources: Handler<typeof listConfigResources, Needs> = (context, { resourceTypes }) => {
  const known = context.apiVersion === 0 ? [resourceType.clientMetrics] : listed
  if (resourceTypes.some((type) => !known.some((each) => each === type))) {
    return { throttleTimeMs: 0, errorCode: ErrorCode.UNSUPPORTED_VERSION, configResources: [] }
  }
  const wanted = resourceTypes.length === 0 ? known : known.filter((type) => resourceTypes.includes(type))
  const configResources = wanted.flatMap((type) =>
    Array.from(namesOf(context, type), (resourceName) => ({ resourceName, resourceType: type })),
  )
  return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, configResources }
}

function namesOf({ cluster, connection }: RequestContext & Pick<Services, Needs>, type: number): Iterable<string> {
  const { brokers, topicsByName, configs } = cluster.image
  switch (type) {
    case resourceType.group:
      // Emptied configs leave their key.
      return [...configs].flatMap(([key, { size }]) => (key.startsWith('group/') && size > 0 ? [key.slice(6)] : []))
    case resourceType.broker:
    case resourceType.brokerLogger:
      return [...brokers.values()]
        .filter(({ endpoints }) => endpoints.some(({ listener }) => listener === connection.listener))
        .map(({ id }) => String(id))
    case resourceType.topic:
      return topicsByName.keys()
    default:
      return []
  }
}
