// Replicas for tests of the rules: all is well with them, save what a test says.

import type { ReplicaSight } from './replica-sight.ts'

export function sight(given: Partial<ReplicaSight> = {}): ReplicaSight {
  return {
    machine: 1,
    life: 1,
    topicId: 'id',
    name: 'orders-0',
    state: 'leading',
    leaderEpoch: 0,
    logStartOffset: 0,
    highWatermark: 0,
    logEndOffset: 0,
    durableOffset: given.logEndOffset ?? 0,
    minInsyncReplicas: 2,
    keepsBytes: true,
    isFsynced: true,
    ...given,
  }
}
