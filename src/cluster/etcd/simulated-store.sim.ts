// A simulated etcd on a simulated clock, and stores on it: what the tests of this folder begin with.

import { SimulatedClock } from '../../io/clock.sim.ts'
import { SimulatedEtcd, type SimulatedEtcdDoor, type SimulatedEtcdOptions } from '../../io/etcd.sim.ts'
import type { EtcdDoor } from '../../io/etcd.ts'
import { seededRandom, type SeededRandom } from '../../io/random.sim.ts'
import { silentLogger } from '../../lib/logger.ts'
import { EtcdMetaStore, type EtcdStoreOptions } from './etcd-store.ts'

export class SimulatedEtcdWithStores {
  readonly clock = new SimulatedClock()
  readonly random: SeededRandom
  readonly etcd: SimulatedEtcd

  constructor(options: Partial<SimulatedEtcdOptions> & { readonly seed?: number } = {}) {
    this.random = seededRandom(options.seed ?? 1)
    this.etcd = new SimulatedEtcd({ clock: this.clock, random: this.random, ...options })
  }

  /** Its way to etcd can be cut. */
  async connect(
    options: Partial<EtcdStoreOptions> = {},
  ): Promise<{ readonly store: EtcdMetaStore; readonly door: SimulatedEtcdDoor }> {
    const door = this.etcd.door()
    return { door, store: await this.store(door, options) }
  }

  async store(door: EtcdDoor, options: Partial<EtcdStoreOptions> = {}): Promise<EtcdMetaStore> {
    const { clock } = this
    const defaults = { door, endpoints: this.etcd.endpoints, clock, logger: silentLogger }
    return this.whileTimePasses(EtcdMetaStore.connect({ ...defaults, ...options }))
  }

  /** Moves the clock until `work` has settled. */
  async whileTimePasses<T>(work: Promise<T>): Promise<T> {
    let settled = false
    void work.finally(() => (settled = true)).catch(() => {})
    await this.clock.advanceUntil(() => settled)
    return work
  }
}
