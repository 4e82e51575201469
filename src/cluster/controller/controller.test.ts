import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeDocument } from '../documents.ts'
import type { ClusterImage, ClusterView, ImageChange, PartitionImage } from '../image.ts'
import { silentLogger } from '../../lib/logger.ts'
import { configKey, controllerKey, creationKey, liveKey, partitionKey, topicKey } from '../keys.ts'
import { keys, succeed } from '../meta-store.contract.ts'
import { noFaults } from '../meta-store.faulty.sim.ts'
import { partitionDocument } from '../partition-image.ts'
import { Controller } from './controller.ts'
import { SeveralBrokers, type SeveralBrokersOptions } from '../several-brokers.sim.ts'

async function cluster(ids: readonly number[], options: SeveralBrokersOptions = {}): Promise<SeveralBrokers> {
  const brokers = await SeveralBrokers.create(options)
  for (const id of ids) await brokers.start(id)
  return brokers
}

/** `replicas`: of each partition; all in sync. */
async function create(
  { store }: SeveralBrokers,
  name: string,
  replicas: readonly (readonly number[])[],
  entries: Record<string, string> = {},
): Promise<string> {
  const id = `id-of-${name}`
  const key = topicKey(name)
  await succeed(
    store.transact(
      [{ key, modRevision: 0 }],
      [
        { kind: 'put', key, value: encodeDocument({ id, partitionCount: replicas.length }) },
        { kind: 'put', key: configKey('topic', name), value: encodeDocument({ entries }) },
        ...replicas.map((ids, index) => ({
          kind: 'put' as const,
          key: partitionKey(id, index),
          value: encodeDocument({ replicas: ids, isr: ids, leader: ids[0]!, leaderEpoch: 0, partitionEpoch: 0 }),
        })),
      ],
    ),
  )
  return id
}

function partitions(brokers: SeveralBrokers, name: string): readonly PartitionImage[] {
  return brokers.view.image.topicsByName.get(name)!.partitions
}

/** `leader/isr@epoch` of each partition. */
function sketch(brokers: SeveralBrokers, name: string): string[] {
  return partitions(brokers, name).map(({ leader, isr, leaderEpoch }) => `${leader}/${isr.join(',')}@${leaderEpoch}`)
}

async function becomes(brokers: SeveralBrokers, name: string, expected: readonly string[]): Promise<void> {
  try {
    await brokers.clock.advanceUntil(() => sketch(brokers, name).join(' ') === expected.join(' '), 60_000)
  } catch {
    assert.deepEqual(sketch(brokers, name), expected)
  }
}

async function set(brokers: SeveralBrokers, topicId: string, partition: PartitionImage): Promise<void> {
  const key = partitionKey(topicId, partition.index)
  const value = encodeDocument(partitionDocument({ ...partition, partitionEpoch: partition.partitionEpoch + 1 }))
  const write = { kind: 'put', key, value } as const
  await succeed(brokers.store.transact([{ key, modRevision: partition.revision }], [write]))
}

test('when a broker dies, others lead its partitions, and nobody counts on it', async () => {
  const brokers = await cluster([1, 2, 3])
  await create(brokers, 'orders', [[2, 1, 3], [3, 2], [1, 3], [2]])
  brokers.kill(2)
  await becomes(brokers, 'orders', ['1/1,3@1', '3/3@0', '1/1,3@0', '-1/2@1'])
})

test('a broker that comes back leads what nobody else can', async () => {
  const brokers = await cluster([1, 2])
  await create(brokers, 'orders', [[2], [2, 1]])
  brokers.kill(2)
  await becomes(brokers, 'orders', ['-1/2@1', '1/1@1'])
  await brokers.start(2)
  await becomes(brokers, 'orders', ['2/2@2', '1/1@1'])
})

test('when the controller dies, another takes over and does what the first would have done', async () => {
  const brokers = await cluster([1, 2, 3])
  await create(brokers, 'orders', [[1, 2, 3]])
  assert.equal(brokers.running.get(1)!.membership.isController, true)
  brokers.kill(1)
  await becomes(brokers, 'orders', ['2/2,3@1'])
  assert.ok([2, 3].includes(brokers.view.image.controllerId))
  assert.equal(brokers.running.get(brokers.view.image.controllerId)!.membership.isController, true)
})

test('a controller that is cut off does nothing, and learns that it was replaced', async () => {
  const brokers = await cluster([1, 2, 3])
  await create(brokers, 'orders', [[1, 2, 3]])
  const { store, membership } = brokers.running.get(1)!
  const { epoch } = membership
  store.cutOff()
  await becomes(brokers, 'orders', ['2/2,3@1'])
  assert.deepEqual([membership.valid(), membership.isController], [false, false])
  store.reconnect()
  await brokers.clock.advanceUntil(() => membership.valid())
  assert.ok(membership.epoch > epoch)
  assert.equal(membership.isController, false)
  assert.equal(brokers.view.image.brokers.get(1)?.epoch, membership.epoch)
})

test('a broker whose registration vanishes is fenced although its lease holds, and registers anew', async () => {
  const brokers = await cluster([1, 2])
  await create(brokers, 'orders', [[2, 1]])
  const { membership } = brokers.running.get(2)!
  const standings: string[] = []
  membership.subscribe((standing) => standings.push(standing))
  const { epoch } = membership
  await brokers.store.transact([{ key: liveKey(2), createRevision: epoch }], [{ kind: 'delete', key: liveKey(2) }])
  await brokers.clock.advanceUntil(() => membership.epoch > epoch && membership.valid())
  assert.deepEqual(standings, ['fenced', 'member'])
  await becomes(brokers, 'orders', [sketch(brokers, 'orders')[0]!])
  assert.ok(partitions(brokers, 'orders')[0]!.leaderEpoch > 0)
})

test('a broker that leaves is not waited for: others lead before it is gone', async () => {
  const brokers = await cluster([1, 2, 3])
  await create(brokers, 'orders', [[1, 2, 3], [2, 1], [1]])
  const atTheEnd: string[][] = []
  brokers.view.subscribe(({ before, after }) => {
    if (before.brokers.has(1) && !after.brokers.has(1)) atTheEnd.push(sketch(brokers, 'orders'))
  })
  const before = brokers.clock.monotonic()
  await brokers.stop(1)
  assert.deepEqual(atTheEnd, [['2/2,3@1', '2/2@0', '1/1@0']])
  assert.ok(brokers.clock.monotonic() - before < 1000)
  await becomes(brokers, 'orders', ['2/2,3@1', '2/2@0', '-1/1@1'])
})

test('a broker that leaves waits no longer than it was told to when nobody takes over', async () => {
  const brokers = await cluster([1, 2])
  await create(brokers, 'orders', [[2, 1]])
  const { membership } = brokers.running.get(2)!
  // The controller is cut off, and its office is not free yet.
  brokers.running.get(1)!.store.cutOff()
  const before = brokers.clock.monotonic()
  await brokers.finish(membership.leave(2000))
  assert.equal(brokers.clock.monotonic() - before, 2000)
  assert.equal(membership.valid(), true)
})

test('with unclean election a replica that is not in sync leads when no other lives, also when it is switched on late', async () => {
  const brokers = await cluster([1, 2, 3])
  const unclean = await create(brokers, 'unclean', [[2, 3]], { 'unclean.leader.election.enable': 'true' })
  const clean = await create(brokers, 'clean', [[2, 3]])
  for (const [id, name] of [
    [unclean, 'unclean'],
    [clean, 'clean'],
  ] as const) {
    await set(brokers, id, { ...partitions(brokers, name)[0]!, isr: [2] })
  }
  brokers.kill(2)
  await becomes(brokers, 'unclean', ['3/3@1'])
  await becomes(brokers, 'clean', ['-1/2@1'])
})

test('a reassignment ends when its target is in sync, and the leader goes if it must', async () => {
  const brokers = await cluster([1, 2, 3])
  const id = await create(brokers, 'orders', [[1, 2]])
  const [partition] = partitions(brokers, 'orders')
  await set(brokers, id, { ...partition!, replicas: [3, 2, 1], adding: [3], removing: [1] })
  await brokers.clock.settle()
  assert.deepEqual(sketch(brokers, 'orders'), ['1/1,2@0'])
  await set(brokers, id, { ...partitions(brokers, 'orders')[0]!, isr: [1, 2, 3] })
  await becomes(brokers, 'orders', ['3/2,3@1'])
  assert.deepEqual(partitions(brokers, 'orders')[0]!.replicas, [3, 2])
})

test('leaderships go back to the preferred leaders after a while', async () => {
  const brokers = await cluster([1, 2])
  const id = await create(brokers, 'orders', [
    [2, 1],
    [2, 1],
    [1, 2],
  ])
  brokers.kill(2)
  await becomes(brokers, 'orders', ['1/1@1', '1/1@1', '1/1@0'])
  await brokers.start(2)
  for (const partition of partitions(brokers, 'orders')) await set(brokers, id, { ...partition, isr: [1, 2] })
  await brokers.clock.advance(290_000)
  assert.deepEqual(sketch(brokers, 'orders'), ['1/1,2@1', '1/1,2@1', '1/1,2@0'])
  await brokers.clock.advance(11_000)
  assert.deepEqual(sketch(brokers, 'orders'), ['2/1,2@2', '2/1,2@2', '1/1,2@0'])
})

/** What a creation writes before its commit, answering the key of its partition. */
async function beginCreation({ store, running }: SeveralBrokers, brokerId: number): Promise<string> {
  const { epoch } = running.get(brokerId)!.membership
  const partition = { replicas: [1], isr: [1], leader: 1, leaderEpoch: 0, partitionEpoch: 0 }
  await succeed(
    store.transact(
      [{ key: creationKey('litter'), modRevision: 0 }],
      [
        { kind: 'put', key: creationKey('litter'), value: encodeDocument({ brokerId, brokerEpoch: epoch }) },
        { kind: 'put', key: partitionKey('litter', 0), value: encodeDocument(partition) },
      ],
    ),
  )
  return partitionKey('litter', 0)
}

test('what a creation left behind is cleared when its broker dies', async () => {
  const brokers = await cluster([1, 2])
  const litter = await beginCreation(brokers, 2)
  brokers.kill(2)
  await brokers.clock.advance(8900)
  assert.deepEqual(await keys(brokers.store, litter), [litter])
  await brokers.clock.advance(200)
  assert.deepEqual(await keys(brokers.store, litter), [])
})

test('a creation that its broker gave up on is cleared after some minutes, although the broker lives', async () => {
  const brokers = await cluster([1, 2])
  const litter = await beginCreation(brokers, 2)
  await brokers.start(3)
  await brokers.clock.advance(100_000)
  assert.deepEqual(await keys(brokers.store, litter), [litter])
  await brokers.clock.advance(300_000)
  assert.deepEqual(await keys(brokers.store, litter), [])
})

test('a partition that begins with a broker that has just died is put right', async () => {
  const brokers = await cluster([1, 2])
  brokers.kill(2)
  await brokers.clock.advanceUntil(() => !brokers.view.image.brokers.has(2))
  await create(brokers, 'orders', [[2, 1]])
  await becomes(brokers, 'orders', ['1/1@1'])
})

test('only one broker holds the office, and it is free at once when its holder stops', async () => {
  const brokers = await cluster([1, 2, 3])
  assert.deepEqual(await keys(brokers.store, controllerKey), [controllerKey])
  await brokers.stop(1)
  await brokers.clock.settle()
  const offices = [...brokers.running.values()].filter(({ membership }) => membership.isController)
  assert.equal(offices.length, 1)
  assert.equal(brokers.view.image.controllerId, offices[0]!.id)
})

test('a controller whose lease lapsed while the store stood still goes on with its work when the store does', async () => {
  const brokers = await cluster([1, 2, 3])
  await create(brokers, 'orders', [[3, 2, 1]])
  const all = [1, 2].map((id) => brokers.running.get(id)!)
  // What it writes when it hears of the death is lost, and then it hears of nothing any more.
  all[0]!.store.faults = { ...noFaults, lostBefore: 100 }
  all[0]!.view.subscribe(({ after }) => {
    if (!after.brokers.has(3)) for (const { store } of all) store.standStill()
  })
  brokers.kill(3)
  await brokers.clock.advance(60_000)
  assert.deepEqual(sketch(brokers, 'orders'), ['3/3,2,1@0'])
  for (const { store } of all) {
    store.faults = noFaults
    store.goOn(100)
  }
  await becomes(brokers, 'orders', ['2/2,1@1'])
})

test('a candidate whose lease is not renewed yet when the office becomes free takes it a moment later', async () => {
  const brokers = await cluster([1, 2])
  const { store } = brokers.running.get(2)!
  store.standStill()
  brokers.kill(1)
  await brokers.clock.advance(30_000)
  store.goOn(300)
  await brokers.clock.advanceUntil(() => brokers.view.image.controllerId === 2, 60_000)
})

test('an office that was won by a broker that then failed to join is free again when the broker comes back', async () => {
  const brokers = await cluster([1])
  const { store, membership } = brokers.running.get(1)!
  let elections = 0
  brokers.store.watch(controllerKey, 1, {
    events: (batch) => {
      for (const { kind } of batch) if (kind === 'put' && ++elections === 2) store.standStill()
    },
    reset() {},
    stale() {},
  })
  const { epoch } = membership
  await succeed(
    brokers.store.transact([{ key: liveKey(1), createRevision: epoch }], [{ kind: 'delete', key: liveKey(1) }]),
  )
  await brokers.clock.advance(1000)
  assert.equal(elections, 2)
  store.goOn(100)
  await brokers.clock.advanceUntil(() => membership.valid() && membership.isController, 60_000)
  assert.ok(membership.epoch > epoch)
})

test('a controller that crashes and is back at once leaves the office free for no longer than that', async () => {
  const brokers = await cluster([1, 2])
  brokers.kill(1)
  await brokers.begin(1, { clean: false })
  await brokers.clock.advance(2000)
  const inOffice = [...brokers.running.values()].filter(({ membership }) => membership.isController)
  assert.equal(inOffice.length, 1)
})

test('what happens in the very moment in which the work is done is not left for later', async () => {
  const brokers = await SeveralBrokers.create()
  const { store, clock, settings } = brokers
  const lease = await store.lease(10_000)
  const value = encodeDocument({ incarnation: 'i', endpoints: [], rack: null, directoryId: 'd', leaving: false })
  const epoch = await succeed(
    store.transact([{ key: liveKey(1), modRevision: 0 }], [{ kind: 'put', key: liveKey(1), value, lease }]),
  )
  await create(brokers, 'orders', [[1]])
  // Shows what the test says, when the test says it.
  const listeners = new Set<(change: ImageChange) => void>()
  let { image } = brokers.view
  const view: ClusterView = {
    get image() {
      return image
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async reached(revision) {
      await brokers.view.reached(revision)
      image = brokers.view.image
    },
    upToDate: () => Promise.resolve(),
  }
  const show = (after: ClusterImage): void => {
    const change = { before: image, after, topicIds: new Set(['id-of-orders']) }
    image = after
    for (const listener of listeners) listener(change)
  }
  const controller = new Controller({ store, view, brokerId: 1, settings, clock, logger: silentLogger })
  await controller.join({ brokerId: 1, epoch, lease })
  for (let microtasks = 0; microtasks < 60; microtasks++) {
    await set(brokers, 'id-of-orders', { ...partitions(brokers, 'orders')[0]!, leader: -1 })
    // There is nothing to do yet, and a moment later there is.
    show(image)
    for (let i = 0; i < microtasks; i++) await Promise.resolve()
    show(brokers.view.image)
    await clock.settle()
    assert.deepEqual(sketch(brokers, 'orders'), [`1/1@${microtasks + 1}`], `${microtasks} microtasks later`)
  }
  controller.leave()
})

test('a broker that is stopped while it comes back leaves nothing running', async () => {
  for (let microtasks = 0; microtasks < 200; microtasks += 4) {
    const brokers = await cluster([1])
    await create(brokers, 'orders', [[1]])
    const { membership, view } = brokers.running.get(1)!
    const key = liveKey(1)
    await succeed(brokers.store.transact([{ key, createRevision: membership.epoch }], [{ kind: 'delete', key }]))
    for (let i = 0; i < microtasks; i++) await Promise.resolve()
    await membership.stop()
    await brokers.clock.advance(1000)
    assert.deepEqual([...brokers.view.image.brokers.keys()], [])
    assert.equal(brokers.view.image.controllerId, -1)
    view.close()
    assert.equal(brokers.clock.pendingTimers, 0, `${microtasks} microtasks after it was fenced`)
  }
})
