// The suites of the metadata store against a real etcd.

import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { EtcdMetaStore, type EtcdStoreOptions } from '../../src/cluster/etcd/etcd-store.ts'
import { FaultyDoor } from '../../src/cluster/etcd/faulty-door.sim.ts'
import { metaStoreFaultContract } from '../../src/cluster/meta-store-faults.contract.ts'
import { metaStoreModelContract } from '../../src/cluster/meta-store-model.contract.ts'
import { metaStoreContract, type StoreUnderTest } from '../../src/cluster/meta-store.contract.ts'
import { systemClock } from '../../src/io/clock.ts'
import { realEtcd } from '../../src/io/etcd.real.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import type { EtcdUnderTest } from '../support/etcd.ts'
import { pause } from '../support/wait-for.ts'

/** A store that is closed with the test. */
export async function storeOn(
  etcd: EtcdUnderTest,
  t: TestContext,
  options: Partial<EtcdStoreOptions> = {},
): Promise<EtcdMetaStore> {
  const { endpoints } = etcd
  const defaults = { door: realEtcd(), endpoints, clock: systemClock, logger: silentLogger }
  const store = await EtcdMetaStore.connect({ ...defaults, ...options })
  t.after(() => store.close())
  return store
}

/** Each test has a namespace of its own, and leaves nothing behind. */
export function metaStoreSuites(name: string, starting: Promise<EtcdUnderTest>): void {
  metaStoreContract(name, 20, async (t) => {
    const etcd = await starting
    const namespace = `/${randomUUID()}/`
    t.after(async () => {
      const range = { key: base64(namespace), range_end: base64(`${namespace.slice(0, -1)}0`) }
      await etcd.ask(0, 'kv/deleterange', range)
    })
    return storeUnderTest(etcd, t, namespace)
  })

  metaStoreModelContract(name, 20, async (t) => storeOn(await starting, t, { namespace: `/${randomUUID()}/` }))

  metaStoreFaultContract(name, async (t) => {
    const etcd = await starting
    const namespace = `/${randomUUID()}/`
    const door = new FaultyDoor(realEtcd())
    return {
      store: await storeOn(etcd, t, { door, namespace, attemptTimeoutMs: 150 }),
      other: await storeOn(etcd, t, { namespace }),
      whileTimePasses: async (work) => work,
      failNext: (fault) => door.failNext('txn', fault),
      deliverLate: () => door.deliverLate(),
    }
  })
}

async function storeUnderTest(etcd: EtcdUnderTest, t: TestContext, namespace: string): Promise<StoreUnderTest> {
  const store = await storeOn(etcd, t, { namespace })
  return {
    store,
    // The least that etcd gives.
    leaseTtlMs: 2000,
    pass: pause,
    connect: () => storeOn(etcd, t, { namespace }),
    async restart() {
      await store.close()
      return storeUnderTest(etcd, t, namespace)
    },
    async forgetHistory() {
      await etcd.compact((await store.get('')).revision)
    },
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
