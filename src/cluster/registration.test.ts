import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from '../io/disk.memory.ts'
import { decodeDocument, encodeDocument } from './documents.ts'
import { openFolderMemory } from './folder-memory.ts'
import { VolatileFolder } from './volatile-folder.sim.ts'
import type { BrokerImage, PartitionImage } from './image.ts'
import { brokerKey, liveKey, partitionKey, topicKey } from './keys.ts'
import { succeed } from './meta-store.contract.ts'
import { noFaults } from './meta-store.faulty.sim.ts'
import { partitionImage } from './partition-image.ts'
import { BrokerIdTaken } from './registration.ts'
import { beforeReturn, trustIn, type Trust } from './returning-broker.ts'
import { SeveralBrokers } from './several-brokers.sim.ts'

const partition: PartitionImage = {
  index: 0,
  revision: 7,
  replicas: [1, 2, 3],
  isr: [1, 2, 3],
  leader: 1,
  leaderEpoch: 4,
  partitionEpoch: 9,
  adding: [],
  removing: [],
  failed: [],
}

function brokers(...ids: number[]): Map<number, BrokerImage> {
  return new Map(ids.map((id) => [id, { id, epoch: 1, endpoints: [], rack: null, directoryId: '', leaving: false }]))
}

interface Case {
  readonly what: string
  readonly trust: Trust
  readonly before?: Partial<PartitionImage>
  readonly live: readonly number[]
  readonly synced?: boolean
  /** `leader/isr@epoch`; null: as before. */
  readonly after: string | null
}

const cases: Case[] = [
  { what: 'after a clean stop it stays in the ISR', trust: 'everything', live: [2, 3], after: null },
  { what: 'after a crash it leaves the ISR where others live', trust: 'durable', live: [2, 3], after: '2/2,3@5' },
  {
    what: 'after a crash a follower leaves the ISR, and the leader leads on',
    trust: 'durable',
    before: { leader: 2 },
    live: [2, 3],
    after: '2/2,3@4',
  },
  { what: 'after a crash of all it stays: what was acknowledged was synced', trust: 'durable', live: [], after: null },
  {
    what: 'after a crash of all it leaves the ISR of records that were not synced',
    trust: 'durable',
    live: [],
    synced: false,
    after: '-1/2,3@5',
  },
  {
    what: 'after a crash the last member stays',
    trust: 'durable',
    before: { isr: [1] },
    live: [2, 3],
    synced: false,
    after: null,
  },
  { what: 'with another disk it leaves the ISR', trust: 'nothing', live: [], after: '-1/2,3@5' },
  {
    what: 'with another disk the last member leaves too, and nobody has what was acknowledged',
    trust: 'nothing',
    before: { isr: [1] },
    live: [2, 3],
    after: '-1/@5',
  },
  {
    what: 'where it is not in sync nothing changes',
    trust: 'nothing',
    before: { isr: [2], leader: 2 },
    live: [2],
    after: null,
  },
]

for (const { what, trust, before = {}, live, synced = true, after } of cases) {
  test(`a broker that returns: ${what}`, () => {
    const from = { ...partition, ...before }
    const document = beforeReturn(from, { id: 1, trust, brokers: brokers(...live), synced })
    const now = document === null ? null : partitionImage(document, 0, 8)
    assert.equal(now === null ? null : `${now.leader}/${now.isr.join()}@${now.leaderEpoch}`, after)
  })
}

test('a broker that returns has its logs again', () => {
  for (const trust of ['everything', 'durable', 'nothing'] as const) {
    const from = { ...partition, isr: [2], leader: 2, failed: [1, 3] }
    const document = beforeReturn(from, { id: 1, trust, brokers: brokers(2), synced: true })
    assert.deepEqual(document?.failed, [3])
  }
})

test('a folder is trusted with what it was registered with last', () => {
  const folder = new VolatileFolder('folder')
  folder.incarnations = ['first', 'second']
  const known = (directoryId: string, incarnation: string) => trustIn({ directoryId, incarnation }, folder)
  assert.equal(known('folder', 'second'), 'everything')
  // A registration of which the broker never heard that it succeeded.
  assert.equal(known('folder', 'first'), 'everything')
  assert.equal(known('folder', 'third'), 'nothing')
  assert.equal(known('another', 'second'), 'nothing')
  assert.equal(trustIn(undefined, folder), 'everything')
  folder.wasClean = false
  assert.equal(known('folder', 'second'), 'durable')
})

test('a folder remembers its registrations on disk', async () => {
  const disk = new MemoryDisk()
  await disk.makeFolder('/data')
  const open = () => openFolderMemory({ disk, path: '/data', place: 'here', directoryId: 'folder', wasClean: true })
  const folder = await open()
  assert.deepEqual(folder.incarnations, [])
  await folder.remember(['first', 'second'])
  assert.deepEqual(folder.incarnations, ['first', 'second'])
  assert.deepEqual((await open()).incarnations, ['first', 'second'])
})

async function withTopic(brokers: SeveralBrokers, replicas: readonly number[]): Promise<void> {
  const document = { replicas, isr: replicas, leader: replicas[0]!, leaderEpoch: 0, partitionEpoch: 0 }
  await succeed(
    brokers.store.transact(
      [{ key: topicKey('orders'), modRevision: 0 }],
      [
        { kind: 'put', key: topicKey('orders'), value: encodeDocument({ id: 'orders', partitionCount: 1 }) },
        { kind: 'put', key: partitionKey('orders', 0), value: encodeDocument(document) },
      ],
    ),
  )
}

function state({ view }: SeveralBrokers): string {
  const { leader, isr } = view.image.topicsByName.get('orders')!.partitions[0]!
  return `${leader}/${isr.join()}`
}

test('a broker with an empty disk is not elected, until somebody asks for it', async () => {
  const brokers = await SeveralBrokers.create()
  for (const id of [1, 2]) await brokers.start(id)
  await withTopic(brokers, [2])
  brokers.kill(2)
  await brokers.clock.advanceUntil(() => state(brokers) === '-1/2')
  await brokers.start(2, { folder: 'new' })
  await brokers.clock.advance(1000)
  assert.equal(state(brokers), '-1/')
  // Nor later, with the same folder.
  await brokers.stop(2)
  await brokers.start(2)
  await brokers.clock.advance(1000)
  assert.equal(state(brokers), '-1/')
})

test('a broker that restarts before its lease has run out takes its own place, and leads under a new epoch', async () => {
  const brokers = await SeveralBrokers.create()
  await brokers.start(1)
  const first = await brokers.start(2)
  await withTopic(brokers, [2])
  brokers.kill(2)
  const before = brokers.clock.monotonic()
  const second = await brokers.start(2, { clean: false })
  assert.ok(brokers.clock.monotonic() - before < 500)
  assert.ok(second.membership.epoch > first.membership.epoch)
  assert.equal(state(brokers), '2/2')
  assert.ok(brokers.view.image.topicsByName.get('orders')!.partitions[0]!.leaderEpoch > 0)
})

test('a broker with an empty disk waits until the lease of its earlier life has run out', async () => {
  const brokers = await SeveralBrokers.create()
  await brokers.start(1)
  await brokers.start(2)
  brokers.kill(2)
  const before = brokers.clock.monotonic()
  await brokers.start(2, { folder: 'new' })
  assert.ok(brokers.clock.monotonic() - before >= 8900)
})

for (const fault of ['lostBefore', 'lostAfter', 'late'] as const) {
  test(`a registration of which nobody knows the outcome is settled (${fault})`, async () => {
    const brokers = await SeveralBrokers.create()
    await brokers.start(1)
    const broker = await brokers.begin(2)
    broker.store.faults = { ...noFaults, [fault]: 100, lateMsMax: 250 }
    await brokers.clock.advance(180)
    broker.store.faults = noFaults
    await brokers.finish(broker.started)
    assert.equal(brokers.view.image.brokers.get(2)?.epoch, broker.membership.epoch)
    assert.equal(broker.membership.valid(), true)
    // Late writes of the first attempt change nothing any more.
    await brokers.clock.advance(10_000)
    assert.equal(brokers.view.image.brokers.get(2)?.epoch, broker.membership.epoch)
    assert.equal(broker.membership.valid(), true)
  })
}

test('what stays of a broker says which registration was its last', async () => {
  const brokers = await SeveralBrokers.create({ racks: new Map([[1, 'rack-a']]) })
  const { membership } = await brokers.start(1)
  const known = brokers.view.image.knownBrokers.get(1)!
  assert.deepEqual([known.lastEpoch, known.rack], [membership.epoch, 'rack-a'])
  const { entry } = await brokers.store.get(liveKey(1))
  assert.equal(decodeDocument('live', entry!.value).incarnation, known.incarnation)
  await brokers.stop(1)
  assert.equal((await brokers.store.get(liveKey(1))).entry, null)
  assert.equal((await brokers.store.get(brokerKey(1))).entry!.modRevision, known.lastEpoch)
})

test('a copy of a folder takes nothing from the broker that uses the original', async () => {
  const brokers = await SeveralBrokers.create()
  const { membership } = await brokers.start(1)
  const copy = await brokers.begin(1, { clean: false, place: 'elsewhere' })
  await assert.rejects(brokers.finish(copy.started), BrokerIdTaken)
  assert.equal(membership.valid(), true)
})

test('a folder that was moved registers when the registration of its old place has run out', async () => {
  const brokers = await SeveralBrokers.create()
  const { membership } = await brokers.start(1)
  brokers.kill(1)
  const begun = brokers.clock.monotonic()
  const moved = await brokers.start(1, { clean: false, place: 'elsewhere' })
  assert.ok(moved.membership.epoch > membership.epoch)
  assert.ok(brokers.clock.monotonic() - begun >= brokers.settings.brokerSessionTimeoutMs)
})
