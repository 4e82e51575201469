// One group, two protocols: KafkaJS speaks the classic one, @platformatic/kafka that of KIP-848, Java's client both. The group moves from
// one to the other member by member and back, while records are written all the time.

import assert from 'node:assert/strict'
import { after, before, test, type TestContext } from 'node:test'
import { Admin, Consumer, type MessagesStream, stringDeserializers } from '@platformatic/kafka'
import type { Kafka } from 'kafkajs'
import { kafkaJs, Member } from '../support/kafkajs-client.ts'
import { startTarget, type Target, uniqueName } from '../support/target.ts'
import { startKafkaTool, withoutKafkaTools } from '../support/tools.ts'
import { waitFor } from '../support/wait-for.ts'

const partitionCount = 6

let target: Target
let kafka: Kafka
let admin: Admin

before(async () => {
  target = await startTarget({
    'group.initial.rebalance.delay.ms': '0',
    'group.consumer.heartbeat.interval.ms': '100',
    'group.consumer.min.heartbeat.interval.ms': '100',
    'group.consumer.assignment.interval.ms': '0',
  })
  kafka = kafkaJs(target.bootstrap)
  admin = new Admin({ clientId: 'migration-test', bootstrapBrokers: [target.bootstrap] })
})

after(async () => {
  await admin?.close()
  await target?.stop()
})

/** Whatever its protocol. */
interface Reader {
  readonly values: readonly string[]
  readonly partitions: readonly number[]
  leave(): Promise<void>
}

async function classicReader(t: TestContext, topic: string, groupId: string): Promise<Reader> {
  const member = await Member.join(t, kafka, {
    topic,
    groupId,
    sessionTimeout: 10_000,
    run: { autoCommitInterval: 50 },
  })
  return {
    get values() {
      return member.values.map(String)
    },
    get partitions() {
      return member.partitions
    },
    leave: () => member.leave(),
  }
}

async function consumerReader(t: TestContext, topic: string, groupId: string): Promise<Reader> {
  const consumer = new Consumer<string, string, string, string>({
    clientId: 'modern',
    bootstrapBrokers: [target.bootstrap],
    groupId,
    groupProtocol: 'consumer',
    maxWaitTime: 100,
    deserializers: stringDeserializers,
  })
  const values: string[] = []
  let stream: MessagesStream<string, string, string, string> | undefined
  const leave = async () => {
    const open = stream
    stream = undefined
    await open?.close()
    await consumer.close(true)
  }
  t.after(leave)
  stream = await consumer.consume({ topics: [topic], mode: 'committed', fallbackMode: 'earliest', autocommit: 50 })
  stream.on('data', ({ value }) => values.push(value))
  return {
    values,
    get partitions() {
      return consumer.assignments?.find((own) => own.topic === topic)?.partitions ?? []
    },
    leave,
  }
}

interface JavaEvent {
  readonly name: string
  readonly partitions?: readonly { readonly partition: number }[]
  readonly value?: string
}

/** `kafka-verifiable-consumer`: tells what it gains, loses and reads, and commits what it has read. */
function javaReader(protocol: 'classic' | 'consumer'): OpenReader {
  return async (t, topic, groupId) => {
    const where = ['--bootstrap-server', target.bootstrap, '--topic', topic, '--group-id', groupId]
    const how = ['--group-protocol', protocol, '--reset-policy', 'earliest', '--verbose']
    const child = startKafkaTool('verifiable-consumer', [...where, ...how])
    t.after(() => child.kill('SIGKILL'))
    const events = (): JavaEvent[] => {
      const lines = child.stdout.split('\n').slice(0, -1) // what follows the last line break is not whole yet
      return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as JavaEvent)
    }
    return {
      get values() {
        return events().flatMap(({ name, value }) => (name === 'record_data' && value !== undefined ? [value] : []))
      },
      get partitions() {
        const own = new Set<number>()
        for (const { name, partitions = [] } of events()) {
          if (name === 'partitions_assigned') for (const { partition } of partitions) own.add(partition)
          if (name === 'partitions_revoked') for (const { partition } of partitions) own.delete(partition)
        }
        return [...own]
      },
      leave: async () => {
        child.kill('SIGTERM')
        await child.finished
      },
    }
  }
}

/** Writes until told to stop; says what it has written. */
async function writing(t: TestContext, topic: string) {
  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  t.after(() => producer.disconnect())
  const written: string[] = []
  const state = { stopped: false }
  const ended = (async () => {
    while (!state.stopped) {
      const value = `value ${written.length}`
      await producer.send({ topic, messages: [{ value, partition: written.length % partitionCount }] })
      written.push(value)
    }
  })()
  return {
    stop: async () => {
      state.stopped = true
      await ended
      return written
    },
  }
}

async function typeOf(groupId: string): Promise<string | undefined> {
  const groups = await admin.listGroups({ types: ['classic', 'consumer'] })
  return groups.get(groupId)?.groupType
}

type OpenReader = (t: TestContext, topic: string, groupId: string) => Promise<Reader>

async function movesAndComesBack(t: TestContext, classic: OpenReader, modern: OpenReader): Promise<void> {
  const topic = uniqueName('migration')
  const groupId = uniqueName('group')
  await admin.createTopics({ topics: [topic], partitions: partitionCount, replicas: 1 })
  const writer = await writing(t, topic)
  const readers: Reader[] = []
  const values = new Set<string>()
  const replace = async (old: Reader | undefined, open: OpenReader) => {
    if (old !== undefined) {
      await old.leave()
      for (const value of old.values) values.add(value)
      readers.splice(readers.indexOf(old), 1)
    }
    readers.push(await open(t, topic, groupId))
    await waitFor('each partition to have one reader, and each reader some', () => {
      const owned = readers.flatMap(({ partitions }) => partitions)
      const isWhole = owned.length === partitionCount && new Set(owned).size === partitionCount
      return isWhole && readers.every(({ partitions }) => partitions.length > 0)
    })
    const before = readers.map((reader) => reader.values.length)
    await waitFor('everybody to read', () => readers.every((reader, index) => reader.values.length > before[index]!))
  }

  await replace(undefined, classic)
  await replace(undefined, classic)
  assert.equal(await typeOf(groupId), 'classic')
  const [one, two] = readers
  await replace(one, modern)
  assert.equal(await typeOf(groupId), 'consumer')
  await replace(two, modern)
  assert.equal(await typeOf(groupId), 'consumer')
  const [three, four] = readers
  await replace(three, classic)
  assert.equal(await typeOf(groupId), 'consumer')
  await replace(four, classic)
  assert.equal(await typeOf(groupId), 'classic')

  const written = await writer.stop()
  await waitFor('all records to be read', () => {
    for (const reader of readers) for (const value of reader.values) values.add(value)
    return values.size === written.length
  })
  assert.deepEqual([...values].sort(), [...written].sort())
  await waitFor('all to be committed', async () => {
    const offsets = await kafkaOffsets(groupId, topic)
    return offsets.reduce((sum, offset) => sum + offset, 0) === written.length
  })
}

test('a group of KafkaJS moves to @platformatic/kafka and the consumer protocol, and back, and no record is lost', (t) =>
  movesAndComesBack(t, classicReader, consumerReader))

test('a group of Java consumers moves from one protocol to the other, and back', { skip: withoutKafkaTools() }, (t) =>
  movesAndComesBack(t, javaReader('classic'), javaReader('consumer')),
)

async function kafkaOffsets(groupId: string, topic: string): Promise<number[]> {
  const client = kafka.admin()
  await client.connect()
  try {
    const [own] = await client.fetchOffsets({ groupId, topics: [topic] })
    return own!.partitions.map(({ offset }) => Number(offset))
  } finally {
    await client.disconnect()
  }
}
