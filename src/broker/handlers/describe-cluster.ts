// DescribeCluster (KIP-700). v1: asks brokers or controllers (KIP-919); every endpoint here is a broker's. v2: fenced brokers
// when asked (KIP-1073): here, those that have been part of the cluster and are not there.

import type { ClusterImage, EndpointImage, KnownBrokerImage } from '../../cluster/image.ts'
import type { describeCluster, DescribeClusterResponse } from '../../protocol/apis/describe-cluster.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Handler } from '../handler.ts'
import { clusterOperations, operationsNotAsked } from './authorized-operations.ts'

const endpointType = { broker: 1, controller: 2 } as const

export const handleDescribeCluster: Handler<typeof describeCluster, 'cluster' | 'endpointFor'> = (
  { cluster, connection, endpointFor },
  request,
) => {
  if (request.endpointType === endpointType.controller) {
    return refused(
      ErrorCode.MISMATCHED_ENDPOINT_TYPE,
      'The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type CONTROLLER',
    )
  }
  if (request.endpointType !== endpointType.broker) {
    return refused(ErrorCode.UNSUPPORTED_ENDPOINT_TYPE, `Unsupported endpoint type ${request.endpointType}`)
  }
  const { image } = cluster
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    endpointType: endpointType.broker,
    clusterId: image.clusterId,
    controllerId: image.controllerId,
    brokers: [
      ...[...image.brokers.values()].flatMap(({ id, rack }) => describe(id, rack, endpointFor(id, connection), false)),
      ...(request.includeFencedBrokers ? absentBrokers(image) : []).flatMap(({ id, rack, endpoints }) =>
        describe(id, rack, endpoints.find(({ listener }) => listener === connection.listener) ?? null, true),
      ),
    ],
    clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? clusterOperations : operationsNotAsked,
  }
}

function absentBrokers({ brokers, knownBrokers }: ClusterImage): KnownBrokerImage[] {
  return [...knownBrokers.values()].filter(({ id }) => !brokers.has(id))
}

/** None, where the broker has no address on the client's listener. */
function describe(
  brokerId: number,
  rack: string | null,
  endpoint: EndpointImage | null,
  isFenced: boolean,
): DescribeClusterResponse['brokers'] {
  return endpoint === null ? [] : [{ brokerId, host: endpoint.host, port: endpoint.port, rack, isFenced }]
}

function refused(errorCode: ErrorCode, errorMessage: string): DescribeClusterResponse {
  return {
    throttleTimeMs: 0,
    errorCode,
    errorMessage,
    endpointType: endpointType.broker,
    clusterId: '',
    controllerId: -1,
    brokers: [],
    clusterAuthorizedOperations: operationsNotAsked,
  }
}
