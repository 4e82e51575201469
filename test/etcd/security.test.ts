// Users and passwords, TLS and mutual TLS to etcd.

import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { keyPrefix } from '../../src/cluster/keys.ts'
import { absent, put, succeed, text } from '../../src/cluster/meta-store.contract.ts'
import { StoreUnavailable } from '../../src/cluster/meta-store.ts'
import { realEtcd } from '../../src/io/etcd.real.ts'
import { CertificateAuthority } from '../support/certificates.ts'
import { EtcdUnderTest } from '../support/etcd.ts'
import { withoutEtcd, withoutOpenssl } from '../support/tools.ts'
import { waitFor } from '../support/wait-for.ts'
import { storeOn } from './suites.ts'

const user = { name: 'odradek', password: 'a secret' }
const key = `${keyPrefix}a`

/** An authority and a certificate for 127.0.0.1, in a folder that goes with the test. */
async function authority(t: TestContext): Promise<CertificateAuthority> {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-tls-'))
  t.after(() => rm(folder, { recursive: true }))
  return CertificateAuthority.make(folder)
}

const skipTls = withoutEtcd() === false ? withoutOpenssl() : withoutEtcd()

// Each has an etcd of its own.
describe('security', { concurrency: true }, () => {
  void test('users: only who is known gets in, and only below its prefix', { skip: withoutEtcd() }, async (t) => {
    const etcd = await EtcdUnderTest.start(t)
    const before = await storeOn(etcd, t, { user })
    await succeed(before.transact([absent(key)], [put(key, 'without users')]))
    await etcd.enableUsers(user, keyPrefix)

    // Made when no user was asked for: it shows who it is once it must.
    assert.equal(text((await before.get(key)).entry?.value), 'without users')
    await assert.rejects(storeOn(etcd, t), /user name is empty/)
    await assert.rejects(storeOn(etcd, t, { user: { ...user, password: 'a guess' } }), /invalid user ID or password/)

    const store = await storeOn(etcd, t, { user })
    const lease = await store.lease(2000)
    const live = { kind: 'put', key: `${keyPrefix}live`, value: Buffer.from('x'), lease } as const
    await succeed(store.transact([absent(live.key)], [live]))
    await assert.rejects(store.get('/elsewhere'), /permission denied/)
    await assert.rejects(store.transact([absent('/elsewhere')], [put('/elsewhere')]), /permission denied/)
    await lease.revoke()
    assert.equal((await store.get(live.key)).entry, null)
  })

  void test(
    'users: a token that the member has forgotten is replaced, also for watches',
    { skip: withoutEtcd() },
    async (t) => {
      const etcd = await EtcdUnderTest.start(t)
      await etcd.enableUsers(user, keyPrefix)
      const store = await storeOn(etcd, t, { user })
      const told: string[] = []
      store.watch(keyPrefix, (await store.list(keyPrefix)).revision + 1, {
        events: (batch) => told.push(...batch.map(({ entry }) => entry.key)),
        reset() {},
        stale() {},
      })
      await etcd.kill(0)
      etcd.startMember(0)
      await etcd.ready(0)
      await succeed(store.transact([absent(key)], [put(key)]))
      await waitFor('the watch to go on', () => told.length > 0, 5000)
      assert.deepEqual(told, [key])
    },
  )

  void test(
    'TLS: the member must show a certificate of the authority, for its own name',
    { skip: skipTls },
    async (t) => {
      const trusted = await authority(t)
      const ca = await trusted.bytes()
      const server = await trusted.sign('server', 'DNS:etcd.internal')
      const client = { ca, serverName: 'etcd.internal' }
      const etcd = await EtcdUnderTest.start(t, { tls: { ...server, client } })

      const store = await storeOn(etcd, t, { door: realEtcd(client) })
      await succeed(store.transact([absent('a')], [put('a')]))
      const refused = [
        { what: 'another name', door: realEtcd({ ca }) },
        {
          what: 'another authority',
          door: realEtcd({ ca: await (await authority(t)).bytes(), serverName: 'etcd.internal' }),
        },
        { what: 'the authorities of the system', door: realEtcd({ serverName: 'etcd.internal' }) },
        { what: 'no TLS', door: realEtcd() },
      ]
      for (const { what, door } of refused) {
        await assert.rejects(storeOn(etcd, t, { door, patienceMs: 100, attemptTimeoutMs: 500 }), StoreUnavailable, what)
      }
    },
  )

  void test('mutual TLS: who shows no certificate of the authority is turned away', { skip: skipTls }, async (t) => {
    const trusted = await authority(t)
    const ca = await trusted.bytes()
    const server = await trusted.sign('server', 'IP:127.0.0.1')
    const files = await trusted.sign('broker', 'DNS:broker-1')
    const client = { ca, certificate: await readFile(files.certificate), key: await readFile(files.key) }
    const etcd = await EtcdUnderTest.start(t, { tls: { ...server, ca: trusted.certificate, client } })

    const endpoints = etcd.endpoints.map((endpoint) => `https://${endpoint}`)
    const store = await storeOn(etcd, t, { door: realEtcd(client), endpoints })
    await succeed(store.transact([absent('a')], [put('a')]))

    const otherFiles = await (await authority(t)).sign('broker', 'DNS:broker-1')
    const other = { ca, certificate: await readFile(otherFiles.certificate), key: await readFile(otherFiles.key) }
    for (const door of [realEtcd({ ca }), realEtcd(other)]) {
      await assert.rejects(
        storeOn(etcd, t, { door, endpoints, patienceMs: 100, attemptTimeoutMs: 500 }),
        StoreUnavailable,
      )
    }
  })
})
