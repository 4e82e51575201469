// Which broker serves a group. Version 4 asks for many at once.

import type { findCoordinator } from '../../protocol/apis/find-coordinator.ts'
import { ErrorCode, errorName } from '../../protocol/error-code.ts'
import type { RequestContext, Handler } from '../handler.ts'
import type { Services } from '../services.ts'

const keyTypes = { group: 0, transaction: 1, share: 2 } as const
const knownKeyTypes: ReadonlySet<number> = new Set(Object.values(keyTypes))

interface Found {
  readonly errorCode: ErrorCode
  readonly nodeId: number
  readonly host: string
  readonly port: number
}

function notFound(errorCode: ErrorCode): Found {
  return { errorCode, nodeId: -1, host: '', port: -1 }
}

/**
 * A group's coordinator topic is created by the first who asks, who is answered when its leaders are known: Kafka says
 * COORDINATOR_NOT_AVAILABLE and lets the client ask again. Transactions have no coordinator here; share groups and unknown types are an
 * INVALID_REQUEST, as where Kafka has them disabled.
 */
async function find(
  { groups, endpointFor, connection }: RequestContext & Pick<Services, 'groups' | 'endpointFor'>,
  keyType: number,
  key: string,
): Promise<Found> {
  if (keyType === keyTypes.transaction) return notFound(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  if (keyType !== keyTypes.group) return notFound(ErrorCode.INVALID_REQUEST)
  const nodeId = await groups.coordinatorFor(key)
  const endpoint = nodeId < 0 ? null : endpointFor(nodeId, connection)
  if (endpoint === null) return notFound(ErrorCode.COORDINATOR_NOT_AVAILABLE)
  return { errorCode: ErrorCode.NONE, nodeId, host: endpoint.host, port: endpoint.port }
}

export const handleFindCoordinator: Handler<typeof findCoordinator, 'groups' | 'endpointFor'> = async (
  context,
  { keyType, key, coordinatorKeys },
) => {
  const none = { errorCode: ErrorCode.NONE, errorMessage: '', nodeId: 0, host: '', port: 0 }
  if (context.apiVersion < 4) {
    const found = await find(context, keyType, key)
    return { throttleTimeMs: 0, ...found, errorMessage: errorName(found.errorCode), coordinators: [] }
  }
  const coordinators = await Promise.all(
    coordinatorKeys.map(async (each) => {
      const found = await find(context, keyType, each)
      // Kafka has words for a type it does not know, and none for a coordinator it does not find.
      const errorMessage = knownKeyTypes.has(keyType) ? '' : errorName(found.errorCode)
      return { key: each, errorMessage, ...found }
    }),
  )
  return { throttleTimeMs: 0, ...none, coordinators }
}
