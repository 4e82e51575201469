// Whatever an operator asks for is done once, and answered as it is, when the store's answers are lost or writes apply late.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ErrorCode } from '../protocol/error-code.ts'
import { BrokerAdmin } from './broker-admin.ts'
import { noFaults } from './meta-store.faulty.sim.ts'
import { PartitionAdmin } from './partition-admin.ts'
import { ProducerIds } from './producer-ids.ts'
import { ResourceConfigs } from './resource-configs.ts'
import type { TopicRefusal } from './topic-rules.ts'
import { type RunningBroker, SeveralBrokers } from './several-brokers.sim.ts'
import { newTopic } from './small-cluster.sim.ts'
import type { NewTopic, TopicCreation } from './topic-admin.ts'
import { TopicConfigs } from './topic-configs.ts'
import { TopicGrowth } from './topic-growth.ts'

const faults = { ...noFaults, lostBefore: 20, lostAfter: 25, late: 20, lateMsMax: 400, watchLagMsMax: 30 }

interface Under {
  readonly brokers: SeveralBrokers
  readonly broker: RunningBroker
}

async function start(seed: number): Promise<Under> {
  const brokers = await SeveralBrokers.create({ seed })
  for (const id of [1, 2, 3]) await brokers.start(id)
  const broker = brokers.running.get(2)!
  broker.store.faults = faults
  return { brokers, broker }
}

function options({ brokers, broker }: Under) {
  const { clock, random, settings } = brokers
  const { store, view, membership, id } = broker
  return { store, view, settings, membership, brokerId: id, clock, random, served: async () => {} }
}

function forSeeds(title: string, run: (under: Under) => Promise<void>): void {
  test(title, async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), async (seed) => {
        const under = await start(seed)
        await run(under)
      }),
      { numRuns: Number(process.env['UNKNOWN_RUNS'] ?? 25) },
    )
  })
}

/** As a client does: what may not have been done is asked for again. */
async function create({ brokers, broker }: Under, topic: NewTopic): Promise<TopicCreation & { readonly ok: true }> {
  for (;;) {
    const [created] = await brokers.finish(broker.topics.create([topic], { validateOnly: false }))
    if (created?.ok === true) return created
    assert.equal(created?.error, ErrorCode.NOT_CONTROLLER)
    assert.equal(brokers.view.image.topicsByName.get(topic.name), undefined)
  }
}

for (const partitions of [3, 150]) {
  forSeeds(`a topic of ${partitions} partitions is created once, grows once, and is deleted once`, async (under) => {
    const { brokers, broker } = under
    const { view } = brokers
    const created = await create(under, newTopic('orders', { partitions, replicationFactor: 2 }))
    assert.equal(view.image.topicsByName.get('orders')?.id, created.id)
    assert.equal(view.image.topicsByName.get('orders')?.partitions.length, partitions)
    const growth = new TopicGrowth(options(under))
    const grown = await brokers.finish(
      growth.grow([{ name: 'orders', count: 3 * partitions, assignments: null }], { validateOnly: false }),
    )
    assert.deepEqual(grown, [null])
    assert.equal(view.image.topicsByName.get('orders')?.partitions.length, 3 * partitions)
    const deleted = await brokers.finish(broker.topics.delete(created.id!))
    assert.ok(deleted.ok)
    await brokers.clock.advance(1000)
    assert.equal(view.image.topicsByName.size, 0)
  })
}

forSeeds('a reassignment and an election are made once, and one that is not needed is still told so', async (under) => {
  const { brokers } = under
  const { view } = brokers
  const topic = newTopic('orders', { assignments: [{ partitionIndex: 0, brokerIds: [1, 2] }] })
  await brokers.finish(brokers.running.get(1)!.topics.create([topic], { validateOnly: false }))
  const admin = new PartitionAdmin(options(under))
  const partition = () => view.image.topicsByName.get('orders')!.partitions[0]!
  const reassign = (replicas: readonly number[] | null) =>
    brokers.finish(admin.reassign([{ topic: 'orders', index: 0, replicas }], { allowReplicationFactorChange: true }))
  await brokers.clock.advance(100)
  assert.deepEqual(await reassign([2, 1]), [null])
  assert.deepEqual(partition().replicas, [2, 1])
  const elect = () => brokers.finish(admin.elect([{ topic: 'orders', index: 0 }], 'preferred'))
  assert.deepEqual(await elect(), [null])
  assert.deepEqual([partition().leader, partition().leaderEpoch], [2, 1])
  assert.equal((await elect())[0]?.error, ErrorCode.ELECTION_NOT_NEEDED)
  assert.deepEqual(await reassign([3, 1]), [null])
  assert.deepEqual(await reassign(null), [null])
  assert.equal((await reassign(null))[0]?.error, ErrorCode.NO_REASSIGNMENT_IN_PROGRESS)
  assert.deepEqual(partition().replicas, [1, 2])
})

function idOf(next: number | TopicRefusal): number {
  assert.ok(typeof next === 'number', JSON.stringify(next))
  return next
}

forSeeds('configs are set as asked, and no producer id is given twice', async (under) => {
  const { brokers } = under
  await create(under, newTopic('orders'))
  const configs = new TopicConfigs(options(under))
  const edits = [{ kind: 'set', name: 'retention.ms', value: '1000' } as const]
  const refused = await brokers.finish(configs.alter('orders', { kind: 'edit', edits }, { validateOnly: false }))
  assert.equal(refused, null)
  await brokers.clock.advance(1000)
  assert.equal(brokers.view.image.topicsByName.get('orders')?.configs.get('retention.ms'), '1000')
  const ids = [new ProducerIds(options(under)), new ProducerIds(options(under))]
  const given = new Set<number>()
  for (let i = 0; i < 1200; i++) for (const source of ids) given.add(idOf(await brokers.finish(source.nextId())))
  assert.equal(given.size, 2400)
})

forSeeds(
  'brokers that take producer ids at the same time, and are cut off in between, never give one twice',
  async (under) => {
    const { brokers } = under
    const sources = [...brokers.running.values()].map((broker) => {
      broker.store.faults = faults
      return { broker, ids: new ProducerIds(options({ brokers, broker })) }
    })
    const given = new Set<number>()
    let count = 0
    const take = async (ids: ProducerIds): Promise<void> => {
      for (let i = 0; i < 150; i++) {
        const next = await ids.nextId()
        if (typeof next !== 'number') continue
        given.add(next)
        count += 1
      }
    }
    const taking = () =>
      brokers.finish(Promise.all(sources.flatMap(({ ids }) => Array.from({ length: 8 }, () => take(ids)))))
    await taking()
    sources[0]!.broker.store.cutOff()
    await taking()
    await brokers.clock.advance(20_000)
    // Fenced, it gives none, though it still has some.
    assert.equal(typeof (await sources[0]!.ids.nextId()), 'object')
    sources[0]!.broker.store.reconnect()
    await brokers.clock.advance(20_000)
    await taking()
    assert.equal(given.size, count)
    assert.ok(count >= 3 * 1200 + 2 * 1200)
  },
)

forSeeds('a broker is forgotten once, and configs of brokers are set as asked', async (under) => {
  const { brokers } = under
  brokers.kill(3)
  await brokers.clock.advance(20_000)
  assert.equal(await brokers.finish(new BrokerAdmin(options(under)).unregister(3)), null)
  const edits = [{ kind: 'set', name: 'leader.replication.throttled.rate', value: '5' } as const]
  const configs = ResourceConfigs.ofBrokers(options(under))
  assert.equal(await brokers.finish(configs.alter('2', { kind: 'edit', edits }, { validateOnly: false })), null)
  await brokers.clock.advance(1000)
  assert.equal(brokers.view.image.knownBrokers.has(3), false)
  assert.equal(brokers.view.image.configs.get('broker/2')?.get('leader.replication.throttled.rate'), '5')
})
