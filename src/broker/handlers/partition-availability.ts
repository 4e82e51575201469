// What clients are told of a partition: its leader if they can reach it, and which replicas are not there.

import type { PartitionImage } from '../../cluster/image.ts'
import { ErrorCode } from '../../protocol/error-code.ts'

export interface PartitionAvailability {
  readonly errorCode: ErrorCode
  /** -1 when it cannot be reached. */
  readonly leaderId: number
  readonly offlineReplicas: readonly number[]
}

/** `reachable`: brokers that live and have an address on the client's listener. A replica whose log has failed is offline too. */
export function availabilityOf(partition: PartitionImage, reachable: ReadonlySet<number>): PartitionAvailability {
  const led = reachable.has(partition.leader)
  return {
    errorCode: led ? ErrorCode.NONE : ErrorCode.LEADER_NOT_AVAILABLE,
    leaderId: led ? partition.leader : -1,
    offlineReplicas: partition.replicas.filter((id) => !reachable.has(id) || partition.failed.includes(id)),
  }
}
