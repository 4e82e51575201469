// Faults of etcd itself, for everybody who uses it.

import { liveKey } from '../src/cluster/keys.ts'
import type { Millis } from '../src/io/clock.ts'
import type { SimulatedEtcd } from '../src/io/etcd.sim.ts'
import type { SeededRandom } from '../src/io/random.sim.ts'

type Undo = () => void

interface CallFaults {
  readonly requestLost: number
  readonly answerLost: number
  readonly late: number
  readonly lateMsMax: Millis
}

export class EtcdFaults {
  readonly #etcd: SimulatedEtcd
  readonly #random: SeededRandom
  readonly #calls: CallFaults[] = []
  /** How often each member was stopped, and has not come back. */
  readonly #stopped = new Map<string, number>()

  constructor(etcd: SimulatedEtcd, random: SeededRandom) {
    this.#etcd = etcd
    this.#random = random
    etcd.onCall = () => this.#faultOfCall()
  }

  /** One that is down or frozen already stays so until the last of its faults ends. `number`: from 1. */
  member(how: 'etcdKill' | 'etcdFreeze', number: number): Undo {
    const endpoint = this.#etcd.endpoints[number - 1]!
    const times = this.#stopped.get(endpoint) ?? 0
    this.#stopped.set(endpoint, times + 1)
    if (times === 0) {
      if (how === 'etcdKill') this.#etcd.kill(endpoint)
      else this.#etcd.freeze(endpoint)
    }
    return () => {
      const left = this.#stopped.get(endpoint)! - 1
      this.#stopped.set(endpoint, left)
      // A frozen member thaws, a dead one starts: the same word for the simulated one.
      if (left === 0) this.#etcd.start(endpoint)
    }
  }

  calls(faults: CallFaults): Undo {
    this.#calls.push(faults)
    return () => void this.#calls.splice(this.#calls.indexOf(faults), 1)
  }

  /** Watches that lag behind must begin again. */
  compact(): void {
    if (this.#etcd.state.revision > this.#etcd.state.compactRevision) this.#etcd.compact()
  }

  /** As by an operator, or by an etcd that took the holder for dead. */
  endLease(brokerId: number): void {
    const { state } = this.#etcd
    const { kvs } = state.range({ key: Buffer.from(liveKey(brokerId)) }, null)
    const lease = kvs[0]?.lease ?? '0'
    if (lease === '0') return
    state.revoke(lease)
    this.#etcd.committed()
  }

  #faultOfCall(): ReturnType<SimulatedEtcd['onCall']> {
    for (const { requestLost, answerLost, late, lateMsMax } of this.#calls) {
      const drawn = this.#random.below(100)
      if (drawn < requestLost) return 'requestLost'
      if (drawn < requestLost + answerLost) return 'answerLost'
      if (drawn < requestLost + answerLost + late) return { appliedAfterMs: 1 + this.#random.below(lateMsMax) }
    }
    return null
  }
}
