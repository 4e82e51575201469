// The composition root on simulated doors: starting, refusing to start, stopping, and starting again.

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { SimulatedClock } from './io/clock.sim.ts'
import { DiskError } from './io/disk.ts'
import { SimulatedDisk } from './io/disk.sim.ts'
import { SimulatedNetwork } from './io/network.sim.ts'
import { seededRandom } from './io/random.sim.ts'
import { createTopics } from './protocol/apis/create-topics.ts'
import { deleteTopics } from './protocol/apis/delete-topics.ts'
import { describeGroups } from './protocol/apis/describe-groups.ts'
import { fetch } from './protocol/apis/fetch.ts'
import { findCoordinator } from './protocol/apis/find-coordinator.ts'
import { joinGroup } from './protocol/apis/join-group.ts'
import { metadata } from './protocol/apis/metadata.ts'
import { offsetCommit } from './protocol/apis/offset-commit.ts'
import { offsetFetch } from './protocol/apis/offset-fetch.ts'
import { produce } from './protocol/apis/produce.ts'
import { ErrorCode } from './protocol/error-code.ts'
import { buildBatch } from './records/batch-builder.ts'
import { batchesIn } from './records/batches-in.ts'
import { recordsOf } from './records/record.ts'
import { StartRefused } from './start.ts'
import { SimulatedBroker, type SimulatedBrokerOptions } from './start/simulated-broker.sim.ts'

const cleanMark = '/data/.kafka_cleanshutdown'

async function createTopic(broker: SimulatedBroker, name = 'orders', partitions = 1): Promise<string> {
  const topics = [{ name, numPartitions: partitions, replicationFactor: 1 }]
  const answer = await broker.ask(createTopics, 7, { topics, timeoutMs: 1000 })
  assert.equal(answer.topics[0]!.errorCode, ErrorCode.NONE)
  return answer.topics[0]!.topicId
}

/** With acks=all. Answers the base offset. */
async function send(broker: SimulatedBroker, values: readonly string[], topic = 'orders'): Promise<number> {
  const records = [buildBatch(values.map((value) => ({ value, timestamp: 1 })))]
  const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
  const answer = await broker.ask(produce, 9, { acks: -1, timeoutMs: 1000, topicData })
  const [partition] = answer.responses[0]!.partitionResponses
  assert.equal(partition!.errorCode, ErrorCode.NONE)
  return partition!.baseOffset
}

async function read(broker: SimulatedBroker, topic = 'orders'): Promise<string[]> {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000_000 }]
  const answer = await broker.ask(fetch, 11, { maxWaitMs: 0, minBytes: 0, topics: [{ topic, partitions }] })
  const [partition] = answer.responses[0]!.partitions
  assert.equal(partition!.errorCode, ErrorCode.NONE)
  const bytes = Buffer.concat(partition!.records ?? [])
  return [...batchesIn(bytes)].flatMap((batch) =>
    [...recordsOf(batch)].map(({ value }) => Buffer.from(value!).toString()),
  )
}

async function topicNames(broker: SimulatedBroker): Promise<string[]> {
  const answer = await broker.ask(metadata, 9, { topics: null })
  return answer.topics.flatMap(({ name, isInternal }) => (isInternal || name === null ? [] : [name]))
}

suite('a broker that starts', () => {
  test('serves what it is asked, under an id that stays', async () => {
    const broker = await SimulatedBroker.start()
    await createTopic(broker)
    assert.equal(await send(broker, ['a', 'b']), 0)
    assert.deepEqual(await read(broker), ['a', 'b'])
    assert.equal(broker.running.clusterId.length, 22)
    const answer = await broker.ask(metadata, 9, { topics: null })
    assert.equal(answer.clusterId, broker.running.clusterId)
    assert.equal(answer.controllerId, 1)
  })

  test('sends clients to the address they came by, or to the advertised one', async () => {
    const addressOf = async (settings?: Record<string, string>) => {
      const broker = await SimulatedBroker.start(settings === undefined ? {} : { settings })
      const answer = await broker.ask(metadata, 9, { topics: null })
      return answer.brokers.map(({ host, port }) => `${host}:${port}`)
    }
    assert.deepEqual(await addressOf(), ['broker:9092'])
    const advertised = { 'advertised.listeners': 'PLAINTEXT://kafka.example.org:19092' }
    assert.deepEqual(await addressOf(advertised), ['kafka.example.org:19092'])
  })

  test('accepts connections before it is ready, and answers them when it is', async () => {
    const { disk } = await stoppedWithRecords()
    const broker = new SimulatedBroker({ disk })
    const held = Promise.withResolvers<void>()
    disk.onOperation = ({ kind, path }) => (kind === 'open' && path.includes('/orders-0/') ? held.promise : undefined)
    let isReady = false
    const started = broker.run().then(() => {
      isReady = true
    })
    await broker.clock.advance(10)
    const answer = broker.ask(metadata, 9, { topics: null })
    let isAnswered = false
    void answer.then(() => {
      isAnswered = true
    })
    await broker.clock.advance(1000)
    assert.deepEqual({ isReady, isAnswered }, { isReady: false, isAnswered: false })
    held.resolve()
    await broker.drive(started)
    assert.equal((await broker.drive(answer)).topics.length, 2)
    await broker.stop()
  })
})

/** What a clean stop leaves: a topic, two records, an offset that a group committed. */
async function stoppedWithRecords(options?: SimulatedBrokerOptions) {
  const broker = await SimulatedBroker.start(options)
  const topicId = await createTopic(broker)
  await send(broker, ['a', 'b'])
  await broker.ask(findCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
  const topics = [{ name: 'orders', partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: 'm' }] }]
  const committed = await broker.ask(offsetCommit, 8, { groupId: 'g', topics })
  assert.equal(committed.topics[0]!.partitions[0]!.errorCode, ErrorCode.NONE)
  await broker.stop()
  return { broker, disk: broker.disk, topicId, clusterId: broker.running.clusterId }
}

suite('a broker that stops', () => {
  test('leaves no timer, no socket, no open file, and the mark of a clean stop', async () => {
    const { broker, disk } = await stoppedWithRecords()
    assert.equal(broker.clock.pendingTimers, 0)
    assert.equal(broker.network.openSockets, 0)
    assert.equal(disk.openFiles, 0)
    assert.notEqual(await disk.readFile(cleanMark), null)
    assert.deepEqual(
      broker.log.filter(({ level }) => level === 'warn' || level === 'error'),
      [],
    )
    await assert.rejects(broker.connect(), { code: 'ECONNREFUSED' })
  })

  test('stops once, however often it is told', async () => {
    const broker = await SimulatedBroker.start()
    const { running } = broker
    assert.equal(running.stop(), running.stop())
    await broker.stop()
    const { operations } = broker.disk
    await broker.stop()
    assert.equal(broker.disk.operations, operations)
  })

  test('does not wait for a fetch that waits, nor for a client that keeps its connection', async () => {
    const broker = await SimulatedBroker.start()
    await createTopic(broker)
    const client = await broker.connect()
    const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1000 }]
    const waiting = client.ask(fetch, 11, { maxWaitMs: 60_000, minBytes: 1, topics: [{ topic: 'orders', partitions }] })
    waiting.catch(() => undefined)
    await broker.clock.advance(5)
    const before = broker.clock.monotonic()
    await broker.stop()
    assert.ok(broker.clock.monotonic() - before < 1000)
    assert.equal(broker.network.openSockets, 0)
    await assert.rejects(waiting, /the connection closed/)
  })

  test('answers a produce request before its socket closes, or the records are not promised', async () => {
    const broker = await SimulatedBroker.start()
    await createTopic(broker)
    const sent = send(broker, ['a']).then(
      () => 'acknowledged',
      () => 'not acknowledged',
    )
    await broker.clock.advance(0)
    await broker.stop()
    const outcome = await broker.drive(sent)
    const again = await SimulatedBroker.start({ disk: broker.disk })
    if (outcome === 'acknowledged') assert.deepEqual(await read(again), ['a'])
    await again.stop()
  })
})

suite('a broker that starts again', () => {
  test('has its topics, records, committed offsets and cluster id', async () => {
    const { disk, topicId, clusterId } = await stoppedWithRecords()
    const again = await SimulatedBroker.start({ disk })
    assert.equal(again.running.clusterId, clusterId)
    const answer = await again.ask(metadata, 10, { topics: [{ name: 'orders' }] })
    assert.equal(answer.topics[0]!.topicId, topicId)
    assert.deepEqual(await read(again), ['a', 'b'])
    assert.equal(await send(again, ['c']), 2)
    await again.ask(findCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
    const topics = [{ name: 'orders', partitionIndexes: [0] }]
    const offsets = await again.ask(offsetFetch, 7, { groupId: 'g', topics })
    const { committedOffset, metadata: note } = offsets.topics[0]!.partitions[0]!
    assert.deepEqual({ committedOffset, note }, { committedOffset: 1, note: 'm' })
    await again.stop()
  })

  for (let seed = 1; seed <= 25; seed++) {
    test(`has all it acknowledged before the power failed, seed ${seed}`, async () => {
      const random = seededRandom(seed)
      const broker = await SimulatedBroker.start()
      await createTopic(broker)
      const acknowledged: string[] = []
      broker.disk.haltAt(1 + random.below(60))
      try {
        for (let i = 0; i < 40; i++) {
          const values = [`${i}a`, `${i}b`]
          await send(broker, values)
          acknowledged.push(...values)
        }
      } catch {
        // The power failed under it.
      }
      const again = await SimulatedBroker.start({ disk: broker.crash(random) })
      const found = await read(again)
      assert.deepEqual(found.slice(0, acknowledged.length), acknowledged)
      assert.ok(found.length <= acknowledged.length + 2)
      assert.equal(await send(again, ['next']), found.length)
      await again.stop()
    })
  }

  test('sets a log aside whose topic was deleted, and a topic of that name begins anew', async () => {
    const { disk } = await stoppedWithRecords()
    const broker = await SimulatedBroker.start({ disk })
    disk.failWhen({ kind: 'rename', path: '/data/orders-0' })
    await broker.ask(deleteTopics, 6, { topics: [{ name: 'orders' }], timeoutMs: 1000 })
    await broker.clock.advance(10)
    await broker.stop()

    const again = await SimulatedBroker.start({ disk })
    const folders = (await disk.list('/data')).map(({ name }) => name)
    assert.ok(!folders.includes('orders-0'))
    const stray = folders.find((name) => /^orders-0\.[0-9a-f]{32}-stray$/.test(name))
    assert.notEqual(stray, undefined)
    assert.ok((await disk.list(`/data/${stray}`)).some(({ name }) => name.endsWith('.log')))
    assert.deepEqual(
      again.log.filter(({ level }) => level === 'warn').map(({ message }) => message),
      ['a log belongs to no topic of this cluster and was set aside; delete the folder if nobody needs it'],
    )
    assert.deepEqual(await topicNames(again), [])
    await createTopic(again)
    assert.deepEqual(await read(again), [])
    assert.equal(await send(again, ['new']), 0)
    await again.stop()

    const third = await SimulatedBroker.start({ disk })
    assert.deepEqual(await read(third), ['new'])
    assert.equal(third.log.filter(({ level }) => level === 'warn').length, 0)
    await third.stop()
  })

  test('starts after a first start that ended before it had a cluster', async () => {
    for (let nth = 1; nth < 60; nth++) {
      const disk = new SimulatedDisk()
      disk.haltAt(nth)
      const first = new SimulatedBroker({ disk })
      await first.drive(first.run()).catch(() => undefined)
      const again = await SimulatedBroker.start({ disk: first.crash(seededRandom(nth)) })
      await createTopic(again)
      await again.stop()
    }
  })
})

interface Refusal {
  readonly what: string
  readonly message: RegExp
  /** Makes the disk, the network or the settings such that the broker must not start. */
  readonly prepare: (options: {
    disk: SimulatedDisk
    network: SimulatedNetwork
  }) => Promise<Record<string, string> | void>
  /** Puts it right again. */
  readonly repair?: (disk: SimulatedDisk) => Promise<void>
}

async function replaceIn(disk: SimulatedDisk, path: string, from: RegExp, to: string): Promise<void> {
  const text = Buffer.from((await disk.readFile(path))!).toString()
  assert.match(text, from)
  await disk.replaceFile(path, Buffer.from(text.replace(from, to)))
}

const journalFile = async (disk: SimulatedDisk): Promise<string> => {
  const [entry] = await disk.list('/data/__cluster_metadata-0')
  return `/data/__cluster_metadata-0/${entry!.name}`
}

const refusals: Refusal[] = [
  {
    what: "its folder is another node's",
    message: /^\/data belongs to node 1, not 2$/,
    prepare: async () => ({ 'node.id': '2' }),
  },
  {
    what: "its metadata is another cluster's",
    message: /^the logs in \/data are of cluster AAAAAAAAAAAAAAAAAAAAAA, its metadata is of /,
    prepare: ({ disk }) => replaceIn(disk, '/data/meta.properties', /(?<=cluster\.id=).*/, 'A'.repeat(22)),
  },
  {
    what: 'its metadata is gone',
    message: /the metadata that names their topics is gone; restore \/data\/__cluster_metadata-0 from a backup$/,
    prepare: ({ disk }) => disk.remove('/data/__cluster_metadata-0'),
  },
  {
    what: 'its metadata is damaged',
    message: /is damaged at byte \d+, with later changes behind it/,
    prepare: async ({ disk }) => disk.flipBit(await journalFile(disk), 300),
  },
  {
    what: 'another program has its port',
    message: /^cannot listen on broker:9092: another program listens there$/,
    prepare: async ({ network }) => {
      await network.host('broker').listen({ host: 'broker', port: 9092 }, () => undefined)
    },
  },
  {
    what: 'the disk is full',
    message: /^cannot use the data folder \/data: the disk is full \(ENOSPC/,
    prepare: async ({ disk }) => {
      disk.capacityBytes = 0
    },
  },
  {
    what: 'it may not write',
    message: /^cannot use the data folder \/data: this user may not write there \(EACCES/,
    prepare: async ({ disk }) => {
      disk.failWhen({ kind: 'open', code: 'EACCES' })
    },
  },
]

suite('a broker that does not start', () => {
  for (const { what, message, prepare } of refusals) {
    test(`because ${what}, says so and frees everything`, async () => {
      const { disk } = await stoppedWithRecords()
      const clock = new SimulatedClock()
      const network = new SimulatedNetwork({ clock })
      const settings = (await prepare({ disk, network })) ?? {}
      const broker = new SimulatedBroker({ disk, clock, network, settings })
      await assert.rejects(broker.drive(broker.run()), (error) => {
        assert.ok(error instanceof StartRefused)
        assert.match(error.message, message)
        return true
      })
      assert.equal(clock.pendingTimers, 0)
      assert.equal(disk.openFiles, 0)
      assert.deepEqual(broker.faults, [])
      const lock = await disk.lock('/data')
      assert.notEqual(lock, null)
    })
  }

  test('because its folder is in use, leaves that broker alone', async () => {
    const first = await SimulatedBroker.start()
    const second = new SimulatedBroker({ disk: first.disk, settings: { listeners: 'PLAINTEXT://broker:9093' } })
    await assert.rejects(second.drive(second.run()), { name: 'StartRefused', message: /in use by another broker/ })
    await createTopic(first)
    await first.stop()
  })

  test('frees its port, and starts when the reason is gone', async () => {
    const { disk } = await stoppedWithRecords()
    const fault = disk.failWhen({ kind: 'write', path: '__cluster_metadata-0', code: 'EIO' })
    const broker = new SimulatedBroker({ disk })
    await assert.rejects(broker.drive(broker.run()))
    fault.cancel()
    const { clock, network } = broker
    const again = await SimulatedBroker.start({ disk, clock, network })
    assert.deepEqual(await read(again), ['a', 'b'])
    await again.stop()
  })

  test('does not call a folder clean that nobody has looked through', async () => {
    const first = await SimulatedBroker.start()
    await createTopic(first)
    await send(first, ['a'])
    const disk = first.crash(seededRandom(1))
    const clock = new SimulatedClock()
    const network = new SimulatedNetwork({ clock })
    await network.host('broker').listen({ host: 'broker', port: 9092 }, () => undefined)
    const refused = new SimulatedBroker({ disk, clock, network })
    await assert.rejects(refused.drive(refused.run()), { name: 'StartRefused' })
    assert.equal(await disk.readFile(cleanMark), null)
  })
})

suite('a broker that meets what it cannot outlive', () => {
  test('says so once, and can still be stopped', async () => {
    const broker = await SimulatedBroker.start()
    broker.disk.failWhen({ kind: 'write', path: '__cluster_metadata-0', times: Infinity })
    const topics = [{ name: 'orders', numPartitions: 1, replicationFactor: 1 }]
    const answer = await broker.ask(createTopics, 7, { topics })
    assert.equal(answer.topics[0]?.errorCode, ErrorCode.NOT_CONTROLLER)
    await broker.clock.advance(10)
    const [fault] = broker.faults
    assert.equal(broker.faults.length, 1)
    assert.ok(fault instanceof Error && fault.cause instanceof DiskError)
    await broker.stop()
    assert.equal(broker.faults.length, 1)
  })
})

for (const { removed, state } of [
  { removed: true, state: 'Empty' },
  { removed: false, state: 'CompletingRebalance' },
]) {
  test(`a member whose socket closes is ${removed ? 'gone' : 'kept'} as the options say`, async () => {
    const broker = await SimulatedBroker.start({ removeMembersOnDisconnect: removed })
    await broker.ask(findCoordinator, 4, { keyType: 0, coordinatorKeys: ['g'] })
    const client = await broker.connect()
    const protocols = [{ name: 'range', metadata: new Uint8Array() }]
    const request = {
      groupId: 'g',
      sessionTimeoutMs: 60_000,
      rebalanceTimeoutMs: 60_000,
      protocolType: 'consumer',
      protocols,
    }
    const { memberId } = await broker.drive(client.ask(joinGroup, 5, request))
    const joined = await broker.drive(client.ask(joinGroup, 5, { ...request, memberId }))
    assert.equal(joined.errorCode, ErrorCode.NONE)
    await client.close()
    await broker.clock.advance(100)
    const { groups } = await broker.ask(describeGroups, 5, { groups: ['g'] })
    assert.equal(groups[0]!.groupState, state)
    await broker.stop()
  })
}
