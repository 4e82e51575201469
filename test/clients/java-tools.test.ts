// Apache Kafka's own command-line tools, and with them the Java clients, against the broker.

import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import { kafkaJs } from '../support/kafkajs-client.ts'
import type { RunningProcess } from '../support/processes.ts'
import { startTarget, type Target, uniqueName } from '../support/target.ts'
import { kafkaTool, startKafkaTool, withoutKafkaTools } from '../support/tools.ts'
import { waitFor } from '../support/wait-for.ts'

/** What `kafka-verifiable-consumer` and `-producer` print: one JSON event a line. */
interface VerifiableEvent {
  readonly name: string
  readonly count?: number
  readonly acked?: number
  readonly offset?: number
  readonly partitions?: readonly { readonly partition: number }[]
}

function events(output: string): VerifiableEvent[] {
  const lines = output.split('\n')
  lines.pop() // what follows the last line break is not whole yet
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as VerifiableEvent)
}

/** The share a verifiable consumer holds, as its last assignment said. */
function assigned(member: RunningProcess): number[] {
  const last = events(member.stdout).findLast(({ name }) => name === 'partitions_assigned')
  return (last?.partitions ?? []).map(({ partition }) => partition).sort((a, b) => a - b)
}

const lines = (output: string) => output.split('\n').filter((line) => line !== '')

describe("Apache Kafka's tools", { skip: withoutKafkaTools(), concurrency: 2 }, () => {
  let target: Target

  before(async () => {
    target = await startTarget()
  })

  after(async () => {
    await target?.stop()
  })

  const tool = (name: string, args: readonly string[], options?: Parameters<typeof kafkaTool>[2]) =>
    kafkaTool(name, ['--bootstrap-server', target.bootstrap, ...args], options)

  function start(t: TestContext, name: string, args: readonly string[]): RunningProcess {
    const child = startKafkaTool(name, ['--bootstrap-server', target.bootstrap, ...args])
    t.after(() => child.kill('SIGKILL'))
    return child
  }

  async function newTopic(stem: string, numPartitions = 1, config: Record<string, string> = {}): Promise<string> {
    const topic = uniqueName(stem)
    const admin = kafkaJs(target.bootstrap).admin() // a JVM costs a second
    await admin.connect()
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
    await admin.createTopics({ topics: [{ topic, numPartitions, configEntries }], waitForLeaders: true })
    await admin.disconnect()
    return topic
  }

  async function produce(topic: string, input: string, ...flags: string[]): Promise<void> {
    await tool('console-producer', ['--topic', topic, ...flags], { input })
  }

  /** Reads with the classic group protocol until it has `count` messages, and prints them as `flags` ask. */
  async function consume(topic: string, count: number, ...flags: string[]): Promise<string[]> {
    const classic = ['--command-property', 'group.protocol=classic']
    const bound = ['--max-messages', String(count), '--timeout-ms', '20000']
    const { stdout } = await tool('console-consumer', ['--topic', topic, ...classic, ...bound, ...flags])
    return lines(stdout)
  }

  test('kafka-broker-api-versions finds the APIs a client needs', async () => {
    const { stdout } = await tool('broker-api-versions', [])
    for (const api of [
      'Produce',
      'Fetch',
      'ListOffsets',
      'Metadata',
      'FindCoordinator',
      'JoinGroup',
      'InitProducerId',
    ]) {
      assert.match(stdout, new RegExp(`\\b${api}\\(\\d+\\): .*usable: \\d+`))
    }
  })

  test('kafka-topics creates, lists, describes and deletes', async () => {
    const topic = uniqueName('topics')
    const create = ['--create', '--topic', topic, '--partitions', '3', '--config', 'max.message.bytes=2000']
    await tool('topics', create)
    const again = await tool('topics', create, { anyCode: true })
    assert.match(again.stdout + again.stderr, /already exists/)

    assert.ok(lines((await tool('topics', ['--list'])).stdout).includes(topic))
    const { stdout } = await tool('topics', ['--describe', '--topic', topic])
    assert.match(stdout, /PartitionCount: 3\b.*ReplicationFactor: 1\b.*Configs:.*max\.message\.bytes=2000/)
    for (const partition of [0, 1, 2]) {
      assert.match(stdout, new RegExp(`Partition: ${partition}\\s+Leader: (\\d+)\\s+Replicas: \\1\\s+Isr: \\1\\b`))
    }

    await tool('topics', ['--delete', '--topic', topic])
    const gone = await tool('topics', ['--describe', '--topic', topic], { anyCode: true })
    assert.notEqual(gone.code, 0)
    assert.match(gone.stdout + gone.stderr, /does not exist/)
  })

  test('kafka-configs describes a topic and the broker', async () => {
    const topic = await newTopic('configs', 1, { 'max.message.bytes': '2000' })
    const ofTopic = await tool('configs', ['--describe', '--all', '--entity-type', 'topics', '--entity-name', topic])
    assert.match(ofTopic.stdout, /max\.message\.bytes=2000 sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG/)
    assert.match(ofTopic.stdout, /segment\.bytes=1073741824 sensitive=false/)

    const { stdout } = await tool('topics', ['--describe', '--topic', topic])
    const broker = stdout.match(/Leader: (\d+)/)?.[1] ?? 'none'
    const ofBroker = await tool('configs', ['--describe', '--all', '--entity-type', 'brokers', '--entity-name', broker])
    assert.match(ofBroker.stdout, /message\.max\.bytes=1048588/)
  })

  test('kafka-console-producer writes every codec, kafka-console-consumer reads them all', async () => {
    const topic = await newTopic('codecs')
    const codecs = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
    for (const codec of codecs) {
      const values = [1, 2, 3].map((n) => `${codec}-${n}`.padEnd(300, 'x'))
      await produce(topic, values.map((value) => `${value}\n`).join(''), '--compression-codec', codec)
    }
    const seen = await consume(topic, 15, '--from-beginning')
    assert.deepEqual(
      seen,
      codecs.flatMap((codec) => [1, 2, 3].map((n) => `${codec}-${n}`.padEnd(300, 'x'))),
    )
  })

  test('keys, headers, tombstones and offsets come back as they were sent', async () => {
    const topic = await newTopic('details')
    const reader = [
      'parse.key=true',
      'parse.headers=true',
      'null.marker=NULL',
      'key.separator=;',
      'headers.delimiter=;',
    ]
    await produce(
      topic,
      'trace:abc,again:1;k;v\nNULL;k;NULL\nNULL;NULL;unkeyed\n',
      ...reader.flatMap((property) => ['--reader-property', property]),
    )
    const shown = ['print.key', 'print.headers', 'print.offset', 'print.partition']
    const seen = await consume(
      topic,
      3,
      '--from-beginning',
      ...shown.flatMap((property) => ['--formatter-property', `${property}=true`]),
    )
    assert.deepEqual(seen, [
      'Partition:0\tOffset:0\ttrace:abc,again:1\tk\tv',
      'Partition:0\tOffset:1\tNO_HEADERS\tk\tnull',
      'Partition:0\tOffset:2\tNO_HEADERS\tnull\tunkeyed',
    ])
  })

  test('kafka-console-consumer reads one partition from an offset', async () => {
    const topic = await newTopic('from-offset')
    await produce(topic, 'a\nb\nc\n')
    assert.deepEqual(await consume(topic, 2, '--partition', '0', '--offset', '1'), ['b', 'c'])
  })

  test('kafka-console-consumer without a place to begin sees only what comes later', async (t) => {
    const topic = await newTopic('from-the-end')
    await produce(topic, 'before\n')
    const reader = start(t, 'console-consumer', ['--topic', topic, '--command-property', 'group.protocol=classic'])
    const producer = kafkaJs(target.bootstrap).producer({ allowAutoTopicCreation: false })
    t.after(() => producer.disconnect())
    await producer.connect()
    await waitFor('a message', async () => {
      await producer.send({ topic, messages: [{ value: 'after' }] }) // until the consumer has found the end
      return reader.stdout !== ''
    })
    assert.equal(lines(reader.stdout)[0], 'after')
    await reader.stop()
  })

  test('kafka-get-offsets answers the ends and times', async () => {
    const topic = await newTopic('offsets')
    const producer = kafkaJs(target.bootstrap).producer({ allowAutoTopicCreation: false })
    await producer.connect()
    const messages = [1000, 2000].map((ms) => ({ value: 'x', timestamp: String(1_700_000_000_000 + ms) }))
    await producer.send({ topic, messages })
    await producer.disconnect()
    const offsetAt = async (time: string) =>
      (await tool('get-offsets', ['--topic', topic, '--time', time])).stdout.trim()
    assert.equal(await offsetAt('earliest'), `${topic}:0:0`)
    assert.equal(await offsetAt('latest'), `${topic}:0:2`)
    assert.equal(await offsetAt('max-timestamp'), `${topic}:0:1`)
    assert.equal(await offsetAt('1700000001500'), `${topic}:0:1`)
  })

  test('a group resumes after what it committed, and kafka-consumer-groups tells of it', async () => {
    const topic = await newTopic('resume')
    const group = uniqueName('resume')
    await produce(topic, 'a\nb\nc\n')
    assert.deepEqual(await consume(topic, 2, '--group', group, '--from-beginning'), ['a', 'b'])
    assert.ok(lines((await tool('consumer-groups', ['--list'])).stdout).includes(group))

    const { stdout } = await tool('consumer-groups', ['--describe', '--group', group])
    assert.match(stdout, new RegExp(`${group}\\s+${topic}\\s+0\\s+\\S*\\s*2\\s+3\\s+1\\b`)) // committed, end, lag
    assert.deepEqual(await consume(topic, 1, '--group', group), ['c'])
  })

  test('kafka-consumer-groups moves a group to a time', async () => {
    const topic = await newTopic('by-time')
    const group = uniqueName('by-time')
    const kafka = kafkaJs(target.bootstrap)
    const producer = kafka.producer({ allowAutoTopicCreation: false })
    await producer.connect()
    const messages = [0, 2000, 4000].map((ms) => ({ value: String(ms), timestamp: String(1_700_000_000_000 + ms) }))
    await producer.send({ topic, messages })
    await producer.disconnect()
    const place = ['--reset-offsets', '--to-datetime', '2023-11-14T22:13:21.000'] // 1 s after the first
    await tool('consumer-groups', ['--group', group, '--topic', topic, ...place, '--execute'])
    assert.deepEqual(await consume(topic, 2, '--group', group), ['2000', '4000'])
  })

  test('members of one group share the partitions, and the one that stays takes over', async (t) => {
    const topic = await newTopic('shared', 4)
    const group = uniqueName('shared')
    const member = ['--topic', topic, '--group-id', group, '--group-protocol', 'classic', '--session-timeout', '6000']
    const first = start(t, 'verifiable-consumer', member)
    await waitFor('the whole topic', () => assigned(first).length === 4)
    const second = start(t, 'verifiable-consumer', member)
    await waitFor('two shares', () => assigned(first).length === 2 && assigned(second).length === 2)
    assert.deepEqual(
      [...assigned(first), ...assigned(second)].sort((a, b) => a - b),
      [0, 1, 2, 3],
    )
    const { stdout } = await tool('consumer-groups', ['--describe', '--group', group, '--state'])
    assert.match(stdout, new RegExp(`${group}\\s.*\\brange\\s+Stable\\s+2\\b`))

    await second.stop()
    await waitFor('the whole topic', () => assigned(first).length === 4)
    await first.stop()
  })

  test('everything kafka-verifiable-producer had acknowledged reaches kafka-verifiable-consumer', async (t) => {
    const topic = await newTopic('verifiable', 2)
    const written = await tool('verifiable-producer', ['--topic', topic, '--max-messages', '500', '--acks', '-1'])
    const summary = events(written.stdout).find(({ name }) => name === 'tool_data')
    assert.equal(summary?.acked, 500)
    const group = ['--group-id', uniqueName('verifiable'), '--group-protocol', 'classic']
    const reader = start(t, 'verifiable-consumer', ['--topic', topic, ...group, '--max-messages', '500'])
    const { stdout } = await reader.end()
    const counts = events(stdout).flatMap(({ name, count }) => (name === 'records_consumed' ? [count ?? 0] : []))
    assert.equal(
      counts.reduce((sum, count) => sum + count, 0),
      500,
    )
  })

  test('kafka-producer-perf-test has every record acknowledged', async () => {
    const topic = await newTopic('perf')
    const load = ['--num-records', '20000', '--record-size', '1024', '--throughput', '-1']
    const { stdout } = await kafkaTool('producer-perf-test', [
      '--topic',
      topic,
      ...load,
      '--command-property',
      `bootstrap.servers=${target.bootstrap}`,
      'acks=all',
    ])
    assert.match(stdout, /^20000 records sent/m)
    const end = await tool('get-offsets', ['--topic', topic, '--time', 'latest'])
    assert.equal(end.stdout.trim(), `${topic}:0:20000`)
  })

  test('a message larger than the topic takes is refused', async () => {
    const topic = await newTopic('small', 1, { 'max.message.bytes': '1000' })
    const refused = await tool('console-producer', ['--topic', topic], { input: 'x'.repeat(2000), anyCode: true })
    assert.match(refused.stderr + refused.stdout, /RecordTooLargeException/)
  })

  test('a consumer beyond the end is told so', async () => {
    const topic = await newTopic('beyond')
    const place = ['--partition', '0', '--offset', '1000', '--timeout-ms', '20000']
    const { stderr } = await tool(
      'console-consumer',
      ['--topic', topic, ...place, '--command-property', 'auto.offset.reset=none'],
      { anyCode: true },
    )
    assert.match(stderr, /OffsetOutOfRangeException/)
  })

  test('a consumer of a topic that does not exist is told so', async () => {
    const strict = ['--command-property', 'allow.auto.create.topics=false', '--timeout-ms', '2000']
    const { stderr } = await tool('console-consumer', ['--topic', uniqueName('unknown'), ...strict], { anyCode: true })
    assert.match(stderr, /UNKNOWN_TOPIC_OR_PARTITION/)
  })
})
