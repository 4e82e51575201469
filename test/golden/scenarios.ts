// What each client does while it is recorded: as many of the APIs it knows as a few seconds allow, with every codec,
// with an error here and there. The answers are not checked: test/clients does that.

import {
  Admin as PlatformaticAdmin,
  Consumer as PlatformaticConsumer,
  type ConsumeOptions,
  Producer as PlatformaticProducer,
  stringDeserializers,
  stringSerializers,
} from '@platformatic/kafka'
import kafkajs from 'kafkajs'
import { CompressionTypes, ConfigResourceTypes, kafkaJs } from '../support/kafkajs-client.ts'
import { kafkaTool, kcat, startKafkaTool, startKcat } from '../support/tools.ts'
import { waitFor } from '../support/wait-for.ts'

/** Runs a call that Kafka may refuse: the refusal is as welcome in a recording as an answer. */
async function attempt(call: Promise<unknown>): Promise<void> {
  await call.catch(() => {})
}

async function recordKafkaJs(bootstrap: string): Promise<void> {
  const topic = 'kafkajs-orders'
  const groupId = 'kafkajs-group'
  const kafka = kafkaJs(bootstrap, { clientId: 'kafkajs' })
  const admin = kafka.admin({ retry: { retries: 1, initialRetryTime: 50 } })
  await admin.connect()
  const configEntries = [{ name: 'max.message.bytes', value: '20000' }]
  await admin.createTopics({ topics: [{ topic, numPartitions: 2, configEntries }], waitForLeaders: true })
  await attempt(admin.createTopics({ topics: [{ topic: 'not allowed' }] }))
  await admin.createPartitions({ topicPartitions: [{ topic, count: 3 }] })
  await admin.describeCluster()
  await admin.fetchTopicMetadata()

  const producer = kafka.producer()
  await producer.connect()
  for (const compression of [
    CompressionTypes.None,
    CompressionTypes.GZIP,
    CompressionTypes.Snappy,
    CompressionTypes.LZ4,
    CompressionTypes.ZSTD,
  ]) {
    const messages = [
      {
        partition: 0,
        key: 'k',
        value: `codec ${compression} `.repeat(20),
        headers: { trace: 'abc', again: ['1', '2'] },
      },
      { partition: 1, key: 'k', value: null },
    ]
    await producer.send({ topic, compression, messages })
  }
  await attempt(producer.send({ topic, messages: [{ value: Buffer.alloc(40_000, 7) }] }))
  await producer.disconnect()
  const idempotent = kafka.producer({ idempotent: true })
  await idempotent.connect()
  for (const value of ['1', '2']) await idempotent.send({ topic, messages: [{ partition: 2, value }] })
  await idempotent.disconnect()

  const join = async () => {
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, heartbeatInterval: 100 })
    let messages = 0
    let joined = 0
    consumer.on(consumer.events.GROUP_JOIN, () => void (joined += 1))
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await consumer.run({ eachMessage: async () => void (messages += 1) })
    return { consumer, count: () => messages, joined: () => joined }
  }
  const first = await join()
  await waitFor('the messages', () => first.count() >= 12)
  const second = await join()
  await waitFor('a rebalance', () => first.joined() > 1 && second.joined() > 0)
  await admin.describeGroups([groupId])
  await second.consumer.disconnect()
  await first.consumer.disconnect()

  const transactional = kafka.producer({ transactionalId: 'kafkajs-transactions', maxInFlightRequests: 1 })
  await transactional.connect()
  const transaction = await transactional.transaction()
  await transaction.send({ topic, messages: [{ partition: 0, value: 'in a transaction' }] })
  await transaction.sendOffsets({
    consumerGroupId: groupId,
    topics: [{ topic, partitions: [{ partition: 0, offset: '1' }] }],
  })
  await transaction.commit()
  await transactional.disconnect()

  await admin.listGroups()
  await admin.fetchOffsets({ groupId, topics: [topic] })
  await admin.fetchOffsets({ groupId })
  await admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '2' }] })
  await admin.fetchTopicOffsets(topic)
  await admin.fetchTopicOffsetsByTimestamp(topic, 1_700_000_000_000)
  const resources = [
    { type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['max.message.bytes', 'retention.ms'] },
  ]
  await admin.describeConfigs({ includeSynonyms: true, resources })
  await admin.alterConfigs({
    validateOnly: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
  })
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '1' }] })
  await attempt(
    admin.createAcls({
      acl: [
        {
          resourceType: kafkajs.AclResourceTypes.TOPIC,
          resourceName: topic,
          resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
          principal: 'User:me',
          host: '*',
          operation: kafkajs.AclOperationTypes.ALL,
          permissionType: kafkajs.AclPermissionTypes.ALLOW,
        },
      ],
    }),
  )
  await attempt(admin.listPartitionReassignments({}))
  await attempt(admin.deleteGroups([groupId, 'unknown']))
  await admin.deleteTopics({ topics: [topic] })
  await attempt(admin.deleteTopics({ topics: ['unknown'] }))
  await admin.disconnect()
}

async function recordPlatformatic(bootstrap: string): Promise<void> {
  const topic = 'platformatic-orders'
  const client = { clientId: 'platformatic', bootstrapBrokers: [bootstrap], retries: 0 }
  const admin = new PlatformaticAdmin(client)
  const configs = [{ name: 'max.message.bytes', value: '20000' }]
  await admin.createTopics({ topics: [topic], partitions: 2, replicas: 1, configs })
  await attempt(admin.createTopics({ topics: [topic] }))
  await admin.createPartitions({ topics: [{ name: topic, count: 3, assignments: [{ brokerIds: [1] }] }] })
  await admin.listTopics()

  const producer = new PlatformaticProducer({ ...client, serializers: stringSerializers })
  for (const compression of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    const headers = { trace: 'abc' }
    const messages = [
      { topic, partition: 0, key: 'k', value: `codec ${compression} `.repeat(20), headers },
      { topic, partition: 1, key: 'k' },
    ]
    await producer.send({ compression, messages })
  }
  await attempt(producer.send({ messages: [{ topic, value: 'x'.repeat(40_000) }] }))
  await producer.close()
  const idempotent = new PlatformaticProducer({ ...client, idempotent: true, serializers: stringSerializers })
  for (const value of ['1', '2']) await idempotent.send({ messages: [{ topic, partition: 2, value }] })
  await idempotent.close()
  const transactionalId = 'platformatic-transactions'
  const transactional = new PlatformaticProducer({
    ...client,
    idempotent: true,
    transactionalId,
    serializers: stringSerializers,
  })
  const transaction = await transactional.beginTransaction()
  await transaction.send({ messages: [{ topic, partition: 0, value: 'in a transaction' }] })
  await transaction.commit()
  await transactional.close()

  const join = async (groupId: string, protocol: 'classic' | 'consumer') => {
    const group = protocol === 'classic' ? { heartbeatInterval: 100 } : { groupProtocol: protocol }
    const consumer = new PlatformaticConsumer({
      ...client,
      groupId,
      deserializers: stringDeserializers,
      maxWaitTime: 100,
      ...group,
    })
    const options: ConsumeOptions<string, string, string, string> = {
      topics: [topic],
      mode: 'earliest',
      autocommit: 100,
    }
    const stream = await consumer.consume(options)
    let messages = 0
    stream.on('data', () => void (messages += 1))
    return {
      partitions: () => consumer.assignments?.[0]?.partitions.length ?? 0,
      count: () => messages,
      leave: async () => {
        await stream.close()
        await consumer.close(true)
      },
    }
  }
  for (const protocol of ['classic', 'consumer'] as const) {
    const groupId = `platformatic-${protocol}`
    const first = await join(groupId, protocol)
    await waitFor('the messages', () => first.count() >= 12)
    const second = await join(groupId, protocol)
    await waitFor('two shares', () => first.partitions() < 3 && second.partitions() > 0)
    await attempt(admin.describeGroups({ groups: [groupId] }))
    await second.leave()
    await first.leave()
    await admin.listConsumerGroupOffsets({ groups: [groupId] })
    await attempt(admin.deleteGroups({ groups: [groupId] }))
  }

  await admin.listGroups()
  await admin.findCoordinator({ keyType: 0, keys: ['platformatic-classic'] })
  await admin.describeConfigs({
    resources: [{ resourceType: 2, resourceName: topic, configurationKeys: ['max.message.bytes', 'retention.ms'] }],
    includeSynonyms: true,
  })
  await admin.incrementalAlterConfigs({
    resources: [
      { resourceType: 2, resourceName: topic, configs: [{ name: 'retention.ms', value: '1000', configOperation: 0 }] },
    ],
  })
  for (const timestamp of [-1n, -2n, 1_700_000_000_000n]) {
    await admin.listOffsets({ topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp }] }] })
  }
  await admin.describeLogDirs({ topics: [{ name: topic, partitions: [0, 1] }] })
  await attempt(admin.describeClientQuotas({ components: [{ entityType: 'user', matchType: 2 }] }))
  await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 1n }] }] })
  await admin.deleteTopics({ topics: [topic] })
  await attempt(admin.deleteTopics({ topics: ['unknown'] }))
  await admin.close()
}

async function recordKcat(bootstrap: string): Promise<void> {
  const topic = 'kcat-orders'
  const server = ['-b', bootstrap, '-X', 'client.id=kcat']
  const produce = (input: string, ...flags: string[]) => kcat([...server, '-P', '-t', topic, ...flags], { input })
  await produce('created by its first message\n')
  await kcat([...server, '-L', '-J'])
  for (const codec of ['gzip', 'snappy', 'lz4', 'zstd']) {
    await produce(`k:${`codec ${codec} `.repeat(20)}\n`, '-K:', '-z', codec, '-H', 'trace=abc')
  }
  await produce('k:\n', '-K:', '-Z', '-X', 'enable.idempotence=true')
  await produce('one\n', '-X', 'acks=1')
  await kcat([...server, '-C', '-t', topic, '-o', 'beginning', '-e'])
  await kcat([...server, '-C', '-t', topic, '-o', 's@1700000000000', '-e'])
  await kcat([...server, '-C', '-t', topic, '-o', '1000', '-e'], { anyCode: true })
  await kcat([...server, '-C', '-t', 'unknown', '-e'], { anyCode: true })
  await kcat([...server, '-Q', '-t', `${topic}:0:-1`])
  await produce('in a transaction\n', '-X', 'transactional.id=kcat-transactions')
  const join = () =>
    startKcat([
      ...server,
      '-X',
      'auto.offset.reset=earliest',
      '-X',
      'heartbeat.interval.ms=100',
      '-X',
      'fetch.wait.max.ms=100',
      '-u',
      '-G',
      'kcat-group',
      topic,
    ])
  const first = join()
  await first.output(/in a transaction/)
  const second = join()
  await waitFor('a rebalance', () => second.stderr.includes('assigned:'))
  await second.stop()
  await first.stop()
}

async function recordJava(bootstrap: string): Promise<void> {
  const topic = 'java-orders'
  const tool = (name: string, args: readonly string[], input = '') =>
    kafkaTool(name, ['--bootstrap-server', bootstrap, ...args], { input, anyCode: true })
  await tool('broker-api-versions', [])
  await tool('topics', ['--create', '--topic', topic, '--partitions', '3', '--config', 'max.message.bytes=20000'])
  await tool('topics', ['--create', '--topic', topic])
  await tool('topics', ['--list'])
  await tool('topics', ['--describe', '--topic', topic])
  await tool('topics', ['--alter', '--topic', topic, '--partitions', '4'])
  await tool('configs', ['--describe', '--entity-type', 'topics', '--entity-name', topic])
  await tool('configs', [
    '--alter',
    '--entity-type',
    'topics',
    '--entity-name',
    topic,
    '--add-config',
    'retention.ms=1000000',
  ])

  const keyed = ['--reader-property', 'parse.key=true', '--reader-property', 'parse.headers=true']
  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    const input = `trace:abc\tk\t${`codec ${codec} `.repeat(20)}\n`
    await tool('console-producer', ['--topic', topic, '--compression-codec', codec, ...keyed], input)
  }
  await tool('console-producer', ['--topic', topic, '--command-property', 'enable.idempotence=false'], 'plain\n')
  await tool('console-producer', ['--topic', topic], 'x'.repeat(40_000))

  const consume = (...args: string[]) => tool('console-consumer', ['--topic', topic, '--timeout-ms', '8000', ...args])
  for (const protocol of ['classic', 'consumer']) {
    const group = ['--group', `java-${protocol}`, '--command-property', `group.protocol=${protocol}`]
    await consume('--from-beginning', '--max-messages', '6', ...group)
    await tool('consumer-groups', ['--describe', '--group', `java-${protocol}`])
  }
  await consume(
    '--partition',
    '0',
    '--offset',
    '1000',
    '--max-messages',
    '1',
    '--command-property',
    'auto.offset.reset=none',
  )
  const shared = ['--topic', topic, '--group-id', 'java-shared', '--session-timeout', '6000']
  const member = () => startKafkaTool('verifiable-consumer', ['--bootstrap-server', bootstrap, ...shared])
  const assigned = /"name":"partitions_assigned"/g
  const first = member()
  await first.output(assigned)
  const second = member()
  await second.output(assigned)
  await tool('consumer-groups', ['--describe', '--group', 'java-shared', '--members', '--verbose'])
  await second.stop()
  await first.stop()

  await tool('consumer-groups', ['--list'])
  const reset = ['--reset-offsets', '--to-datetime', '2023-11-14T22:13:21.000', '--topic', topic, '--execute']
  await tool('consumer-groups', ['--group', 'java-classic', ...reset])
  await tool('consumer-groups', ['--delete', '--group', 'java-classic', '--group', 'unknown'])
  for (const time of ['latest', 'earliest', 'max-timestamp', '1700000000000']) {
    await tool('get-offsets', ['--topic', topic, '--time', time])
  }
  await tool('verifiable-producer', ['--topic', topic, '--max-messages', '20', '--acks', '1'])
  const transactions = ['--transactional-id', 'java-transactions', '--transaction-duration-ms', '50']
  const load = ['--topic', topic, '--num-records', '20', '--record-size', '100', '--throughput', '100']
  await tool('producer-perf-test', [...load, ...transactions])
  await consume('--from-beginning', '--max-messages', '10', '--command-property', 'isolation.level=read_committed')
  await tool('transactions', ['list'])
  await tool('transactions', ['describe', '--transactional-id', 'java-transactions'])
  await tool('transactions', ['describe-producers', '--topic', topic, '--partition', '0'])
  const share = ['--group', 'java-share', '--max-messages', '1', '--timeout-ms', '5000']
  const sharing = tool('console-share-consumer', ['--topic', topic, ...share])
  await waitFor('the share group', async () => (await tool('groups', ['--list'])).stdout.includes('java-share'))
  await tool('console-producer', ['--topic', topic], 'shared\n')
  await sharing
  await tool('share-groups', ['--describe', '--group', 'java-share'])
  await tool('acls', ['--list'])
  await tool('features', ['describe'])
  await tool('log-dirs', ['--describe', '--topic-list', topic])
  await tool('leader-election', ['--election-type', 'preferred', '--topic', topic, '--partition', '0'])
  await tool('topics', ['--delete', '--topic', topic])
}

/** By the name of the file they are recorded in. */
export const scenarios: Readonly<Record<string, (bootstrap: string) => Promise<void>>> = {
  kafkajs: recordKafkaJs,
  platformatic: recordPlatformatic,
  kcat: recordKcat,
  java: recordJava,
}
