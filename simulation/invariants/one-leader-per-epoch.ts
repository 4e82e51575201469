// A leader epoch belongs to one life of one broker: were there two, records of one epoch could differ, and nobody could tell which of
// them are to be cut. Also a broker that comes back must lead under a new epoch: what it appended before it may have lost.

import { Violation } from '../contracts.ts'
import { partitionOf, type ReplicaRule, type ReplicaSight } from './replica-sight.ts'

export class OneLeaderPerEpoch implements ReplicaRule {
  readonly name = 'one leader per epoch'
  readonly #leaders = new Map<string, Pick<ReplicaSight, 'machine' | 'life'>>()

  replicaChanged(now: ReplicaSight, before: ReplicaSight | null): void {
    if (now.state !== 'leading') return
    if (before?.state === 'leading' && before.leaderEpoch === now.leaderEpoch) return
    const key = `${partitionOf(now)} ${now.leaderEpoch}`
    const leader = this.#leaders.get(key)
    if (leader === undefined) this.#leaders.set(key, { machine: now.machine, life: now.life })
    else if (leader.machine !== now.machine || leader.life !== now.life) {
      throw new Violation(
        this.name,
        `broker ${now.machine} in life ${now.life} leads ${now.name} in epoch ${now.leaderEpoch}, as did broker ${leader.machine} in life ${leader.life}`,
      )
    }
  }
}
