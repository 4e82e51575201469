// AlterPartitionReassignments (KIP-455). v1: a change of the replication factor may be ruled out (KIP-860). An answer without error means
// that the reassignment is under way; ListPartitionReassignments shows it until it is complete.

import { refuse } from '../../cluster/topic-rules.ts'
import type { alterPartitionReassignments } from '../../protocol/apis/alter-partition-reassignments.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import type { Handler } from '../handler.ts'
import { within } from './time-limit.ts'

const timedOut = refuse(ErrorCode.REQUEST_TIMED_OUT, 'The reassignment may still begin.')

export const handleAlterPartitionReassignments: Handler<
  typeof alterPartitionReassignments,
  'partitionAdmin' | 'clock'
> = async ({ partitionAdmin, clock }, { topics, timeoutMs, allowReplicationFactorChange }) => {
  const wanted = topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, replicas }) => ({ topic: name, index: partitionIndex, replicas })),
  )
  const answers = await within(
    clock,
    timeoutMs,
    partitionAdmin.reassign(wanted, { allowReplicationFactorChange: allowReplicationFactorChange ?? true }),
  )
  let position = 0
  const responses = topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => {
      const answer = answers === null ? timedOut : answers[position++]!
      // The code says it all: there is nothing to take back.
      const words = answer?.error === ErrorCode.NO_REASSIGNMENT_IN_PROGRESS ? null : answer?.message
      return { partitionIndex, errorCode: answer?.error ?? ErrorCode.NONE, errorMessage: words ?? null }
    }),
  }))
  const notMember = answers?.find((answer) => answer?.error === ErrorCode.NOT_CONTROLLER)
  return {
    throttleTimeMs: 0,
    allowReplicationFactorChange,
    errorCode: notMember?.error ?? ErrorCode.NONE,
    // As in Kafka, where nothing is asked for.
    errorMessage: topics.length === 0 ? '' : (notMember?.message ?? null),
    responses,
  }
}
