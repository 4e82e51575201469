// Adoptions on a simulated disk. Odradek's logs are Kafka's, so a folder that a broker has filled, with a metadata log of KRaft in place
// of its own, is one of Kafka's.

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { resourceTypes } from '../../cluster/kraft-metadata.ts'
import { metadataValue, writeMetadataLog } from '../../cluster/kraft-log.sim.ts'
import { SimulatedClock } from '../../io/clock.sim.ts'
import type { Disk } from '../../io/disk.ts'
import { SimulatedDisk } from '../../io/disk.sim.ts'
import type { LockHolder } from '../../io/file-lock-holder.ts'
import { seededRandom } from '../../io/random.sim.ts'
import { createTopics } from '../../protocol/apis/create-topics.ts'
import { describeConfigs } from '../../protocol/apis/describe-configs.ts'
import { fetch } from '../../protocol/apis/fetch.ts'
import { initProducerId } from '../../protocol/apis/init-producer-id.ts'
import { metadata } from '../../protocol/apis/metadata.ts'
import { produce } from '../../protocol/apis/produce.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import {
  configRecord,
  partitionRecord,
  producerIdsRecord,
  topicRecord,
  userScramCredentialRecord,
} from '../../protocol/metadata-records.ts'
import { buildBatch } from '../../records/batch-builder.ts'
import { batchesIn } from '../../records/batches-in.ts'
import { recordsOf } from '../../records/record.ts'
import { SimulatedBroker } from '../simulated-broker.sim.ts'
import { adoptKafka, type Adoption, type AdoptRequest } from './adopt.ts'

const kafka = '/kafka'
const metadataLog = '__cluster_metadata-0'

const place: AdoptRequest = {
  folders: [kafka],
  data: null,
  metadata: null,
  brokerId: null,
  partial: false,
  keepAll: false,
  force: false,
  dryRun: false,
}

async function copy(disk: Disk, from: string, to: string): Promise<'copied'> {
  const file = await disk.open(to, { create: true })
  await file.truncate(0)
  await file.write([(await disk.readFile(from))!], 0)
  await file.sync()
  await file.close()
  return 'copied'
}

interface Outcome {
  readonly adoption: Adoption
  readonly said: string
}

async function adopt(
  disk: Disk,
  request: Partial<AdoptRequest> = {},
  holder: LockHolder = { kind: 'nobody' },
): Promise<Outcome> {
  const said: string[] = []
  const adoption = await adoptKafka(
    {
      disk,
      random: seededRandom(1),
      clock: new SimulatedClock(),
      copyFile: (from, to) => copy(disk, from, to),
      lockHolderOf: async () => holder,
      say: (line) => void said.push(line),
    },
    { ...place, ...request },
  )
  return { adoption, said: said.join('\n') }
}

/** What a refusal says, in lines. */
function problemsOf({ adoption }: Outcome): string {
  assert.equal(adoption.ok, false)
  return adoption.problems.join('\n')
}

interface Partition {
  readonly replicas?: readonly number[]
  readonly isr?: readonly number[]
  readonly eligibleLeaderReplicas?: readonly number[]
  readonly leader?: number
}

/** Of the topics that `newKafka` makes. */
const leaderEpoch = 11

/** A folder with `orders` (two partitions, records a and b in the first) and `audit`, as Kafka leaves it when it stops cleanly. */
async function newKafka(
  partitions: { readonly orders0?: Partition; readonly orders1?: Partition } = {},
  more: readonly Uint8Array[] = [],
): Promise<SimulatedDisk> {
  const broker = await SimulatedBroker.start({ settings: { 'log.dir': kafka } })
  const topics = [
    { name: 'audit', numPartitions: 1, replicationFactor: 1 },
    { name: 'orders', numPartitions: 2, replicationFactor: 1 },
  ]
  const created = await broker.ask(createTopics, 7, { topics, timeoutMs: 1000 })
  const ids = new Map(created.topics.map(({ name, topicId }) => [name, topicId]))
  for (const [name, index] of [
    ['orders', 0],
    ['orders', 1],
    ['audit', 0],
  ] as const) {
    await send(broker, name, index, ['a', 'b'])
  }
  await broker.stop()
  const { disk } = broker
  await disk.remove(`${kafka}/${metadataLog}`)
  const partitionOf = (name: string, partitionId: number, partition: Partition = {}) => {
    const state = { replicas: [1], isr: [1], leader: 1, leaderEpoch, partitionEpoch: 20, ...partition }
    return metadataValue(partitionRecord, { topicId: ids.get(name)!, partitionId, ...state })
  }
  const config = { resourceType: resourceTypes.topic, resourceName: 'orders', name: 'retention.ms', value: '-1' }
  await writeMetadataLog(disk, `${kafka}/${metadataLog}`, [
    [
      metadataValue(topicRecord, { name: 'orders', topicId: ids.get('orders')! }),
      partitionOf('orders', 0, partitions.orders0),
      partitionOf('orders', 1, partitions.orders1),
      metadataValue(topicRecord, { name: 'audit', topicId: ids.get('audit')! }),
      partitionOf('audit', 0),
    ],
    [
      metadataValue(configRecord, config),
      metadataValue(producerIdsRecord, { brokerId: 1, brokerEpoch: 1, nextProducerId: 7000 }),
      ...more,
    ],
  ])
  return disk
}

async function send(broker: SimulatedBroker, name: string, index: number, values: readonly string[]): Promise<void> {
  const records = [buildBatch(values.map((value) => ({ value, timestamp: 1 })))]
  const topicData = [{ name, partitionData: [{ index, records }] }]
  const answer = await broker.ask(produce, 9, { acks: -1, timeoutMs: 1000, topicData })
  assert.equal(answer.responses[0]!.partitionResponses[0]!.errorCode, ErrorCode.NONE)
}

async function read(broker: SimulatedBroker, topic: string, partition: number): Promise<string> {
  const partitions = [{ partition, fetchOffset: 0, partitionMaxBytes: 1_000_000 }]
  const answer = await broker.ask(fetch, 11, { maxWaitMs: 0, minBytes: 0, topics: [{ topic, partitions }] })
  assert.equal(answer.responses[0]!.partitions[0]!.errorCode, ErrorCode.NONE, `${topic}-${partition}`)
  const values: string[] = []
  for (const batch of batchesIn(Buffer.concat(answer.responses[0]!.partitions[0]!.records ?? []))) {
    for (const { value } of recordsOf(batch)) values.push(Buffer.from(value!).toString())
  }
  return values.join(' ')
}

/** The broker serves all of it, and goes on from there. */
async function serves(disk: SimulatedDisk, folder: string): Promise<void> {
  const broker = await SimulatedBroker.start({ disk, settings: { 'log.dir': folder } })
  const { topics } = await broker.ask(metadata, 12, { topics: null })
  const epochs = topics.flatMap(({ partitions }) => partitions.map((partition) => partition.leaderEpoch))
  assert.deepEqual(
    epochs,
    Array.from({ length: 3 }, () => leaderEpoch + 1),
  )
  for (const [name, index] of [
    ['orders', 0],
    ['orders', 1],
    ['audit', 0],
  ] as const) {
    await send(broker, name, index, ['c'])
    assert.equal(await read(broker, name, index), 'a b c')
  }
  const { producerId } = await broker.ask(initProducerId, 4, { transactionalId: null, transactionTimeoutMs: 0 })
  assert.equal(producerId, 7000)
  await broker.stop()
}

/** Paths and sizes. */
async function filesIn(disk: Disk, folder: string): Promise<string[]> {
  const found: string[] = []
  for (const { name, kind, sizeBytes } of await disk.list(folder)) {
    if (kind === 'folder') found.push(...(await filesIn(disk, `${folder}/${name}`)))
    else found.push(`${folder}/${name} ${sizeBytes}`)
  }
  return found
}

suite('an adoption', () => {
  test('in place takes the folder over, and says how to go back', async () => {
    const disk = await newKafka()
    const logs = (await filesIn(disk, kafka)).filter((file) => /(orders|audit)-/.test(file))
    const { adoption, said } = await adopt(disk)
    assert.ok(adoption.ok)
    assert.match(said, /2 topics, 3 partitions/)
    assert.match(said, /orders: 2 partitions, .* retention.ms=-1/)
    assert.match(said, new RegExp(`mv ${kafka}/${metadataLog}.kafka ${kafka}/${metadataLog}`))
    assert.deepEqual(
      (await filesIn(disk, kafka)).filter((file) => /(orders|audit)-/.test(file)),
      logs,
    )
    await serves(disk, kafka)
  })

  test('into a new folder leaves Kafka with every file it had', async () => {
    const disk = await newKafka()
    const before = await filesIn(disk, kafka)
    assert.ok((await adopt(disk, { data: '/data' })).adoption.ok)
    assert.deepEqual(await filesIn(disk, kafka), before)
    await serves(disk, '/data')
  })

  test('that is only tried changes nothing', async () => {
    const disk = await newKafka()
    const before = await filesIn(disk, '')
    assert.match((await adopt(disk, { dryRun: true })).said, /Nothing was changed/)
    assert.match((await adopt(disk, { dryRun: true, data: '/data' })).said, /Nothing was changed/)
    assert.deepEqual(await filesIn(disk, ''), before)
  })

  for (const { title, data, stride } of [
    { title: 'in place', data: null, stride: 1 },
    { title: 'into a new folder', data: '/data', stride: 7 },
  ]) {
    test(`${title} can be made again wherever the power failed, and until then no broker starts`, async () => {
      const folder = data ?? kafka
      for (let step = 1, over = false; !over; step += stride) {
        const disk = await newKafka()
        disk.haltAt(step)
        over = await adopt(disk, { data }).then(
          () => true,
          () => false,
        )
        if (over) assert.ok(step > 20, 'the power failed at no step')
        const found = disk.crash(seededRandom(step))
        const names = (await found.list(folder)).map(({ name }) => name)
        const isDone =
          names.includes(metadataLog) &&
          !names.includes(`${metadataLog}.adopting`) &&
          (data !== null || names.includes(`${metadataLog}.kafka`))
        if (!isDone) {
          if (names.length > 0) {
            const starting = SimulatedBroker.start({ disk: found, settings: { 'log.dir': folder } })
            await assert.rejects(starting, /odradek adopt/, `step ${step}`)
          }
          const { adoption } = await adopt(found, { data })
          assert.ok(adoption.ok, `step ${step}: ${JSON.stringify(adoption)}`)
        }
        await serves(found, folder)
      }
    })
  }
})

suite('an adoption is refused', () => {
  test('while Kafka runs, and where nobody can tell until the operator does', async () => {
    const disk = await newKafka()
    assert.match(problemsOf(await adopt(disk, { force: true }, { kind: 'process', pid: 4711 })), /process 4711/)
    assert.match(problemsOf(await adopt(disk, {}, { kind: 'unknown' })), /--force/)
    assert.ok((await adopt(disk, { force: true }, { kind: 'unknown' })).adoption.ok)
  })

  test('of what is no folder of Kafka, and of what is Odradek already', async () => {
    const disk = await newKafka()
    assert.match(problemsOf(await adopt(disk, { folders: ['/nowhere'] })), /is empty, or not there/)
    await disk.makeFolder('/other/things')
    assert.match(problemsOf(await adopt(disk, { folders: ['/other'] })), /there is no meta.properties/)
    await adopt(disk)
    assert.match(problemsOf(await adopt(disk)), /was adopted already/)
    await adopt(await newKafka(), { data: '/data' })
    const own = await SimulatedBroker.start()
    await own.stop()
    assert.match(problemsOf(await adopt(own.disk, { folders: ['/data'] })), /is a data folder of Odradek/)
  })

  test('into a folder that holds something, into one of Kafka, and of several folders in place', async () => {
    const disk = await newKafka()
    await disk.makeFolder('/data/mine')
    assert.match(problemsOf(await adopt(disk, { data: '/data' })), /\/data is not empty/)
    assert.match(problemsOf(await adopt(disk, { data: `${kafka}/new` })), /lies in Kafka's own folder/)
    assert.match(problemsOf(await adopt(disk, { folders: [kafka, '/kafka2'] })), /name a new one with --data/)
  })

  test('of folders of different clusters or nodes', async () => {
    const disk = await newKafka()
    const own = Buffer.from((await disk.readFile(`${kafka}/meta.properties`))!).toString()
    for (const [path, properties] of [
      ['/of-another-cluster', 'cluster.id=other\nnode.id=1\n'],
      ['/of-another-node', own.replace('node.id=1', 'node.id=2')],
    ] as const) {
      await disk.makeFolder(path)
      await disk.replaceFile(`${path}/meta.properties`, Buffer.from(properties))
      assert.match(problemsOf(await adopt(disk, { folders: [kafka, path], data: '/data' })), /is of (cluster|node) /)
    }
  })

  for (const { title, partitions, words } of [
    { title: 'that are on other nodes', partitions: { orders1: { replicas: [2], isr: [2] } }, words: /orders-1/ },
    {
      title: 'that were not in sync',
      partitions: { orders0: { replicas: [1, 2], isr: [2], leader: 2 } },
      words: /not in sync.*orders-0 \(in sync: 2\)/,
    },
  ]) {
    test(`of partitions ${title}, until the operator takes what there is`, async () => {
      const disk = await newKafka(partitions)
      const problems = problemsOf(await adopt(disk))
      assert.match(problems, words)
      assert.match(problems, /--partial/)
      const { adoption, said } = await adopt(disk, { partial: true })
      assert.ok(adoption.ok)
      assert.match(said, words)
    })
  }

  test('of a partition whose folder is gone; taken as it is, the partition begins empty', async () => {
    const disk = await newKafka()
    await disk.remove(`${kafka}/orders-1`)
    assert.match(problemsOf(await adopt(disk)), /1 partition of topics that are here is not: orders-1/)
    assert.ok((await adopt(disk, { partial: true })).adoption.ok)
    const broker = await SimulatedBroker.start({ disk, settings: { 'log.dir': kafka } })
    assert.equal(await read(broker, 'orders', 0), 'a b')
    await send(broker, 'orders', 1, ['first'])
    assert.equal(await read(broker, 'orders', 1), 'first')
    await broker.stop()
  })

  test('of records of Kafka 0.10', async () => {
    const disk = await newKafka()
    const old = new Uint8Array(64).fill(1)
    await disk.replaceFile(`${kafka}/orders-0/00000000000000000000.log`, old)
    assert.match(problemsOf(await adopt(disk)), /format of Kafka 0.10/)
  })

  test('without a metadata log, until the operator has everything kept', async () => {
    const disk = await newKafka()
    await disk.remove(`${kafka}/${metadataLog}`)
    assert.match(problemsOf(await adopt(disk)), /--unknown-configs keep-all/)
    const { adoption } = await adopt(disk, { keepAll: true })
    assert.ok(adoption.ok)
    assert.deepEqual(
      adoption.plan.topics.map(({ configs }) => configs.get('retention.ms')),
      ['-1', '-1'],
    )
    assert.ok(adoption.plan.nextProducerId >= 1_000_000)
    const broker = await SimulatedBroker.start({ disk, settings: { 'log.dir': kafka } })
    assert.equal(await read(broker, 'orders', 0), 'a b')
    await broker.stop()
  })

  test('of a config that Odradek would not accept', async () => {
    const wrong = { resourceType: resourceTypes.topic, resourceName: 'orders', name: 'cleanup.policy', value: 'shred' }
    const disk = await newKafka({}, [metadataValue(configRecord, wrong)])
    assert.match(problemsOf(await adopt(disk)), /orders: .*shred.*kafka-configs/)
  })
})

test('the configs of single groups come along', async () => {
  const resourceType = resourceTypes.group
  const config = (name: string, value: string) =>
    metadataValue(configRecord, { resourceType, resourceName: 'billing', name, value })
  const disk = await newKafka({}, [
    config('consumer.session.timeout.ms', '50000'),
    config('consumer.heartbeat.interval.ms', 'often'),
  ])
  const { adoption } = await adopt(disk)
  assert.ok(adoption.ok)
  const broker = await SimulatedBroker.start({ disk, settings: { 'log.dir': kafka } })
  const { results } = await broker.ask(describeConfigs, 4, {
    resources: [{ resourceType, resourceName: 'billing', configurationKeys: null }],
  })
  const own = results[0]!.configs.filter(({ configSource }) => configSource === 8)
  assert.deepEqual(
    own.map(({ name, value }) => [name, value]),
    [['consumer.session.timeout.ms', '50000']],
  )
  await broker.stop()
})

suite('an adoption says', () => {
  test('what it leaves out', async () => {
    const bytes = new Uint8Array(4)
    const credential = { name: 'a', mechanism: 1, salt: bytes, storedKey: bytes, serverKey: bytes, iterations: 4096 }
    const config = (resourceType: number, resourceName: string, name: string, value: string) =>
      metadataValue(configRecord, { resourceType, resourceName, name, value })
    const disk = await newKafka({}, [
      config(resourceTypes.broker, '', 'log.retention.ms', '5000'),
      config(resourceTypes.broker, '', 'ssl.keystore.password', 'secret'),
      config(resourceTypes.broker, '', 'min.insync.replicas', '1'),
      config(resourceTypes.topic, 'orders', 'of.a.plugin', 'x'),
      config(resourceTypes.group, 'billing', 'of.a.plugin', 'y'),
      metadataValue(userScramCredentialRecord, credential),
    ])
    await disk.makeFolder(`${kafka}/gone-0.0123456789abcdef0123456789abcdef-delete`)
    await disk.makeFolder(`${kafka}/gone-1`)
    const { adoption, said } = await adopt(disk, { dryRun: true })
    assert.ok(adoption.ok)
    assert.match(said, /1 SCRAM credential/)
    assert.match(said, /log.retention.ms=5000.*--set/)
    assert.match(said, /ssl.keystore.password/)
    assert.doesNotMatch(said, /secret|min.insync.replicas/)
    assert.match(said, /of.a.plugin=x of orders/)
    assert.match(said, /of.a.plugin=y of the group billing/)
    assert.match(said, /-delete: its topic was deleted/)
    assert.match(said, /gone-1: the cluster has no topic of that name any more/)
    assert.deepEqual(adoption.plan.brokerConfigs, new Map([['log.retention.ms', '5000']]))
  })

  test('that a killed Kafka has its logs checked, and believes none of its high watermarks', async () => {
    const disk = await newKafka()
    await disk.remove(`${kafka}/.kafka_cleanshutdown`)
    const promised = Uint8Array.from(Buffer.from('0\n1\norders 0 99\n'))
    await disk.replaceFile(`${kafka}/replication-offset-checkpoint`, promised)
    const { said } = await adopt(disk)
    assert.match(said, /its logs will be checked when Odradek starts/)
    assert.deepEqual(await disk.readFile(`${kafka}/replication-offset-checkpoint.kafka`), promised)
    await serves(disk, kafka)
  })

  test('nothing of a segment that Kafka was replacing when it was killed, and the broker finishes that', async () => {
    const disk = await newKafka()
    await disk.remove(`${kafka}/.kafka_cleanshutdown`)
    const segment = `${kafka}/orders-0/00000000000000000000.log`
    await disk.rename(segment, `${segment}.swap`)
    assert.ok((await adopt(disk, { data: '/data' })).adoption.ok)
    await serves(disk, '/data')
  })

  test('another id for the broker', async () => {
    const disk = await newKafka()
    const { adoption } = await adopt(disk, { brokerId: 5 })
    assert.ok(adoption.ok)
    assert.equal(adoption.plan.brokerId, 5)
    await serves(disk, kafka).then(
      () => assert.fail('it has the id it had'),
      (error: Error) => assert.match(error.message, /node 5, not 1/),
    )
  })
})
