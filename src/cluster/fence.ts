// A broker whose registration is gone may change nothing: each of its writes is guarded by the registration it knows of.

import { ErrorCode } from '../protocol/error-code.ts'
import type { ClusterView } from './image.ts'
import { liveKey } from './keys.ts'
import type { Revision } from './meta-store.ts'
import { refuse, type TopicRefusal } from './topic-rules.ts'

export interface BrokerFence {
  readonly key: string
  readonly createRevision: Revision
}

/** Null when the broker is not registered. */
export function brokerFence(view: ClusterView, brokerId: number): BrokerFence | null {
  const epoch = view.image.brokers.get(brokerId)?.epoch
  return epoch === undefined ? null : { key: liveKey(brokerId), createRevision: epoch }
}

/** `entry`: what a refused transaction found at the fence's key. */
export function fenceHolds(
  entry: { readonly createRevision: Revision } | null | undefined,
  fence: BrokerFence,
): boolean {
  return entry?.createRevision === fence.createRevision
}

export function notPartOfTheCluster(): TopicRefusal {
  return refuse(ErrorCode.NOT_CONTROLLER, 'This broker is not part of the cluster at the moment.')
}
