// ElectLeaders. v0: preferred leaders only. v1: unclean elections, an error of the whole (KIP-460).

import type { PartitionName } from '../../cluster/partition-admin.ts'
import type { RequestedElection } from '../../cluster/requested-election.ts'
import { refuse } from '../../cluster/topic-rules.ts'
import type { electLeaders, ElectLeadersRequest, ElectLeadersResponse } from '../../protocol/apis/elect-leaders.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Handler } from '../handler.ts'
import type { ClusterView } from '../../cluster/image.ts'
import { within } from './time-limit.ts'

type TopicResult = ElectLeadersResponse['replicaElectionResults'][number]

const electionOf: Readonly<Record<number, RequestedElection>> = { 0: 'preferred', 1: 'unclean' }

const timedOut = refuse(ErrorCode.REQUEST_TIMED_OUT, 'The leaders may still be elected.')

export const handleElectLeaders: Handler<typeof electLeaders, 'partitionAdmin' | 'cluster' | 'clock'> = async (
  { partitionAdmin, cluster, clock },
  request,
) => {
  const election = electionOf[request.electionType]
  if (election === undefined) return unknownType(request)
  const topics = wantedTopics(request, cluster)
  const wanted = topics.flatMap(({ topic, partitions }) => partitions.map((index) => ({ topic, index })))
  const answers = await within(clock, request.timeoutMs, partitionAdmin.elect(wanted, election))
  let position = 0
  const results = topics.map(({ topic, partitions }): TopicResult => {
    const partitionResult = partitions.map((partitionId) => {
      const answer = answers === null ? timedOut : answers[position++]!
      return { partitionId, errorCode: answer?.error ?? ErrorCode.NONE, errorMessage: answer?.message ?? null }
    })
    // Asked for all, nobody wants to hear of those that need nothing.
    const all = request.topicPartitions === null
    const told = all
      ? partitionResult.filter(({ errorCode }) => errorCode !== ErrorCode.ELECTION_NOT_NEEDED)
      : partitionResult
    return { topic, partitionResult: told }
  })
  const notMember = answers?.some((answer) => answer?.error === ErrorCode.NOT_CONTROLLER) ?? false
  return respond(notMember ? ErrorCode.NOT_CONTROLLER : ErrorCode.NONE, results)
}

/** Each partition has the error of the whole. */
function unknownType({ electionType, topicPartitions }: ElectLeadersRequest): ElectLeadersResponse {
  const errorCode = ErrorCode.INVALID_REQUEST
  const errorMessage = `Unknown election type ${electionType}`
  const results = (topicPartitions ?? []).map(({ topic, partitions }) => ({
    topic,
    partitionResult: partitions.map((partitionId) => ({ partitionId, errorCode, errorMessage })),
  }))
  return respond(errorCode, results)
}

/** Null asks for all partitions. */
function wantedTopics(
  { topicPartitions }: ElectLeadersRequest,
  { image }: ClusterView,
): readonly { readonly topic: PartitionName['topic']; readonly partitions: readonly number[] }[] {
  if (topicPartitions !== null) return topicPartitions
  return [...image.topicsByName.values()].map(({ name, partitions }) => ({
    topic: name,
    partitions: partitions.map(({ index }) => index),
  }))
}

function respond(errorCode: ErrorCode, replicaElectionResults: readonly TopicResult[]): ElectLeadersResponse {
  return { throttleTimeMs: 0, errorCode, replicaElectionResults }
}
