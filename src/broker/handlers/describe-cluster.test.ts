import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DescribeClusterRequest, DescribeClusterResponse } from '../../protocol/apis/describe-cluster.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { AdministeredCluster } from './administered.sim.ts'
import { handleDescribeCluster } from './describe-cluster.ts'

async function describeCluster(
  cluster: AdministeredCluster,
  asked: Partial<DescribeClusterRequest> = {},
): Promise<DescribeClusterResponse> {
  const response = await handleDescribeCluster(cluster.context(2), {
    includeClusterAuthorizedOperations: false,
    endpointType: 1,
    includeFencedBrokers: false,
    ...asked,
  })
  assert.ok(response !== null)
  return response
}

test('the cluster is described with its living brokers', async () => {
  const cluster = await AdministeredCluster.start({ brokers: [4, 7] })
  assert.deepEqual(await describeCluster(cluster, { includeFencedBrokers: true }), {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    endpointType: 1,
    clusterId: 'Some-cluster-id-of-22c',
    controllerId: 4,
    brokers: [4, 7].map((id) => ({ brokerId: id, host: `broker-${id}`, port: 9092, rack: null, isFenced: false })),
    clusterAuthorizedOperations: -2_147_483_648,
  })
})

test('a broker that is away is described to those who ask for fenced brokers', async () => {
  const cluster = await AdministeredCluster.start({ brokers: [4, 7] })
  await cluster.cluster.brokers.get(7)!.membership.stop()
  const brokersOf = async (includeFencedBrokers: boolean) =>
    (await describeCluster(cluster, { includeFencedBrokers })).brokers.map(({ brokerId, isFenced }) => [
      brokerId,
      isFenced,
    ])
  assert.deepEqual(await brokersOf(false), [[4, false]])
  assert.deepEqual(await brokersOf(true), [
    [4, false],
    [7, true],
  ])
})

test('authorized operations are given to those who ask', async () => {
  const response = await describeCluster(await AdministeredCluster.start(), {
    includeClusterAuthorizedOperations: true,
  })
  assert.equal(response.clusterAuthorizedOperations, 8096)
})

for (const [endpointType, errorCode] of [
  [2, ErrorCode.MISMATCHED_ENDPOINT_TYPE],
  [3, ErrorCode.UNSUPPORTED_ENDPOINT_TYPE],
  [0, ErrorCode.UNSUPPORTED_ENDPOINT_TYPE],
] as const) {
  test(`endpoints of type ${endpointType} are not here`, async () => {
    const response = await describeCluster(await AdministeredCluster.start(), { endpointType })
    assert.deepEqual([response.errorCode, response.brokers], [errorCode, []])
  })
}
