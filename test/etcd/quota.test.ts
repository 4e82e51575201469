// An etcd that has reached its quota takes no more writes until somebody makes room.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { absent, put, succeed } from '../../src/cluster/meta-store.contract.ts'
import { StoreFull } from '../../src/cluster/meta-store.ts'
import { EtcdUnderTest } from '../support/etcd.ts'
import { withoutEtcd } from '../support/tools.ts'
import { storeOn } from './suites.ts'

test('a full etcd refuses writes, and says so', { skip: withoutEtcd() }, async (t) => {
  const etcd = await EtcdUnderTest.start(t, { flags: ['--quota-backend-bytes=4000000'] })
  const store = await storeOn(etcd, t)
  await succeed(store.transact([absent('a')], [put('a')]))
  const megabyte = 'x'.repeat(1_000_000)
  const fill = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await succeed(store.transact([absent(`k${i}`)], [put(`k${i}`, megabyte)]))
  }
  await assert.rejects(fill(), StoreFull)
  await assert.rejects(store.lease(2000), StoreFull)
  assert.notEqual((await store.get('a')).entry, null)
  // What frees its keys is still taken.
  assert.ok((await store.transact([absent('b')], [{ kind: 'deletePrefix', prefix: 'k' }])).ok)
})
