// The two suites against the simulated etcd. The real one is in test/etcd.

import { SimulatedClock } from '../../io/clock.sim.ts'
import { SimulatedEtcd } from '../../io/etcd.sim.ts'
import { seededRandom } from '../../io/random.sim.ts'
import { silentLogger } from '../../lib/logger.ts'
import { metaStoreFaultContract } from '../meta-store-faults.contract.ts'
import { metaStoreContract, type StoreUnderTest } from '../meta-store.contract.ts'
import { EtcdMetaStore } from './etcd-store.ts'
import { FaultyDoor } from './faulty-door.sim.ts'

const logger = silentLogger

async function under(etcd: SimulatedEtcd, clock: SimulatedClock, namespace: string): Promise<StoreUnderTest> {
  const { endpoints } = etcd
  const connect = (): Promise<EtcdMetaStore> =>
    EtcdMetaStore.connect({ door: etcd.door(), endpoints, namespace, clock, logger })
  const store = await connect()
  return {
    store,
    leaseTtlMs: 10_000,
    pass: (ms) => clock.advance(ms),
    connect,
    async restart() {
      await store.close()
      return under(etcd, clock, namespace)
    },
    async forgetHistory() {
      etcd.compact()
    },
  }
}

for (const namespace of ['', '/some/where']) {
  metaStoreContract(`simulated etcd, namespace '${namespace}'`, 20, async () => {
    const clock = new SimulatedClock()
    return under(new SimulatedEtcd({ clock, random: seededRandom(1) }), clock, namespace)
  })
}

metaStoreFaultContract('simulated etcd', async () => {
  const clock = new SimulatedClock()
  const etcd = new SimulatedEtcd({ clock, random: seededRandom(1) })
  const door = new FaultyDoor(etcd.door())
  const { endpoints } = etcd
  return {
    store: await EtcdMetaStore.connect({ door, endpoints, clock, logger }),
    other: await EtcdMetaStore.connect({ door: etcd.door(), endpoints, clock, logger }),
    async whileTimePasses(work) {
      let settled = false
      void work.finally(() => (settled = true)).catch(() => {})
      await clock.advanceUntil(() => settled)
      return work
    },
    failNext: (fault) => door.failNext('txn', fault),
    deliverLate: () => door.deliverLate(),
  }
})
