// log start <= high watermark <= log end, and what a broker shows to consumers is on its disk. Within a leadership none of them falls; a
// follower's high watermark falls only when its log is cut (KIP-101), or began anew.

import { Violation } from '../contracts.ts'
import type { ReplicaRule, ReplicaSight } from './replica-sight.ts'

export class OffsetsInOrder implements ReplicaRule {
  readonly name = 'the offsets of a replica are in order'

  replicaChanged(now: ReplicaSight, before: ReplicaSight | null): void {
    if (now.state !== 'leading' && now.state !== 'following') return
    const { logStartOffset, highWatermark, logEndOffset, durableOffset } = now
    if (logStartOffset > highWatermark || highWatermark > logEndOffset) this.#broken(now, 'are out of order')
    // What was deleted from the front need not be on the disk.
    if (now.isFsynced && highWatermark > Math.max(durableOffset, logStartOffset)) {
      this.#broken(now, `are said to be committed, but the disk holds no more than ${durableOffset}`)
    }
    if (before === null) return
    if (now.state === before.state && now.leaderEpoch === before.leaderEpoch && now.state === 'leading') {
      if (highWatermark < before.highWatermark || logStartOffset < before.logStartOffset) {
        this.#broken(now, `have fallen from ${before.logStartOffset}, ${before.highWatermark} in one leadership`)
      }
    }
  }

  #broken({ machine, name, logStartOffset, highWatermark, logEndOffset }: ReplicaSight, what: string): never {
    throw new Violation(
      this.name,
      `log start ${logStartOffset}, high watermark ${highWatermark} and end ${logEndOffset} of ${name} at broker ${machine} ${what}`,
    )
  }
}
