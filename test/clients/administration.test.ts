// What administrators change on a running broker - deleted records, the configs of topics - and what they look at, by KafkaJS and by
// Apache Kafka's tools.

import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import type { Admin, Producer } from 'kafkajs'
import { ConfigResourceTypes, ConfigSource, kafkaJs, Member } from '../support/kafkajs-client.ts'
import { startTarget, type Target, uniqueName } from '../support/target.ts'
import { kafkaTool, withoutKafkaTools } from '../support/tools.ts'
import { waitFor } from '../support/wait-for.ts'

let target: Target
let admin: Admin
let producer: Producer

before(async () => {
  target = await startTarget()
  const kafka = kafkaJs(target.bootstrap)
  admin = kafka.admin()
  producer = kafka.producer({ allowAutoTopicCreation: false })
  await Promise.all([admin.connect(), producer.connect()])
})

after(async () => {
  await Promise.all([admin?.disconnect(), producer?.disconnect()])
  await target?.stop()
})

async function newTopic(stem: string, config: Record<string, string> = {}): Promise<string> {
  const topic = uniqueName(stem)
  const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
  await admin.createTopics({ topics: [{ topic, numPartitions: 1, configEntries }], waitForLeaders: true })
  return topic
}

async function send(topic: string, ...values: string[]): Promise<void> {
  await producer.send({ topic, messages: values.map((value) => ({ value })) })
}

async function offsets(topic: string): Promise<string> {
  const [{ low, high } = { low: '', high: '' }] = await admin.fetchTopicOffsets(topic)
  return `${low}..${high}`
}

/** The config, once it has the value: Kafka tells its brokers after it has answered. */
async function described(topic: string, name: string, expected: string) {
  let found: { configValue: string; configSource: number; isDefault: boolean } | undefined
  await waitFor(`${name}=${expected}`, async () => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: [name] }],
    })
    found = resources[0]?.configEntries[0]
    return found?.configValue === expected
  })
  return found!
}

describe('KafkaJS', () => {
  const altered = (topic: string, ...configEntries: { name: string; value: string }[]) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
    })

  /** KafkaJS cuts only topics whose leaders it has asked for already. */
  async function deleteBefore(topic: string, offset: string): Promise<void> {
    await offsets(topic)
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset }] })
  }

  test('deletes the records of a topic before an offset, and a consumer begins there', async (t) => {
    const topic = await newTopic('deleted')
    await send(topic, 'a', 'b', 'c', 'd')
    await deleteBefore(topic, '3')
    assert.equal(await offsets(topic), '3..4')
    const member = await Member.join(t, kafkaJs(target.bootstrap), { topic, groupId: uniqueName('deleted') })
    assert.deepEqual(
      (await member.until(1)).map(({ offset, value }) => [offset, value]),
      [[3, 'd']],
    )
  })

  test('deletes all records of a topic, and the next one has the next offset', async () => {
    const topic = await newTopic('emptied')
    await send(topic, 'a', 'b')
    await deleteBefore(topic, '-1')
    assert.equal(await offsets(topic), '2..2')
    await send(topic, 'c')
    assert.equal(await offsets(topic), '2..3')
  })

  test('is refused records beyond the end', async () => {
    const topic = await newTopic('short')
    await send(topic, 'a')
    const refused = await deleteBefore(topic, '9').catch((error: unknown) => error)
    assert.ok(refused instanceof Error)
    // KafkaJS has no such type.
    const { partitions } = refused.cause as { partitions: { partition: number; error: { type: string } }[] }
    assert.deepEqual(
      partitions.map(({ partition, error }) => [partition, error.type]),
      [[0, 'OFFSET_OUT_OF_RANGE']],
    )
    assert.equal(await offsets(topic), '0..1')
  })

  test('changes the configs of a topic, which act at once', async () => {
    const topic = await newTopic('altered', { 'retention.ms': '5000' })
    await send(topic, 'x'.repeat(1000))
    await altered(topic, { name: 'max.message.bytes', value: '500' })
    const changed = await described(topic, 'max.message.bytes', '500')
    assert.deepEqual([changed.configSource, changed.isDefault], [ConfigSource.TOPIC_CONFIG, false])
    // AlterConfigs replaces all that was set.
    const gone = await described(topic, 'retention.ms', '604800000')
    assert.deepEqual([gone.configSource, gone.isDefault], [ConfigSource.DEFAULT_CONFIG, true])
    await assert.rejects(send(topic, 'x'.repeat(1000)), /larger/)
    await altered(topic)
    await described(topic, 'max.message.bytes', '1048588')
    await send(topic, 'x'.repeat(1000))
  })

  test('is refused a config that there is not', async () => {
    const topic = await newTopic('unaltered')
    await assert.rejects(altered(topic, { name: 'no.such.config', value: '1' }), /[Cc]onfig/)
  })
})

describe("Apache Kafka's tools", { skip: withoutKafkaTools(), concurrency: 2 }, () => {
  const tool = (name: string, args: readonly string[], options?: Parameters<typeof kafkaTool>[2]) =>
    kafkaTool(name, ['--bootstrap-server', target.bootstrap, ...args], options)

  async function fileOf(t: TestContext, content: unknown): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'odradek-tools-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    const file = join(folder, 'offsets.json')
    await writeFile(file, JSON.stringify(content))
    return file
  }

  test('kafka-delete-records says where partitions begin now, and which it cannot cut', async (t) => {
    const topic = await newTopic('tool-deleted')
    await send(topic, 'a', 'b', 'c')
    const deletion = (offset: number) => fileOf(t, { version: 1, partitions: [{ topic, partition: 0, offset }] })
    const { stdout } = await tool('delete-records', ['--offset-json-file', await deletion(2)])
    assert.match(stdout, new RegExp(`partition: ${topic}-0\\s+low_watermark: 2`))
    assert.equal(await offsets(topic), '2..3')
    const refused = await tool('delete-records', ['--offset-json-file', await deletion(9)], { anyCode: true })
    assert.match(refused.stdout + refused.stderr, /OffsetOutOfRangeException/)
    assert.equal(await offsets(topic), '2..3')
  })

  test('kafka-delete-records leaves a compacted topic alone', async (t) => {
    const topic = await newTopic('tool-compacted', { 'cleanup.policy': 'compact' })
    const file = await fileOf(t, { version: 1, partitions: [{ topic, partition: 0, offset: 0 }] })
    const { stdout, stderr } = await tool('delete-records', ['--offset-json-file', file], { anyCode: true })
    assert.match(stdout + stderr, /PolicyViolationException/)
  })

  test('kafka-log-dirs tells the size of a partition and where it is', async () => {
    const topic = await newTopic('tool-sizes')
    await send(topic, 'x'.repeat(1000))
    const { stdout } = await tool('log-dirs', ['--describe', '--topic-list', topic])
    const line = stdout.split('\n').find((one) => one.startsWith('{')) ?? assert.fail(stdout)
    const { brokers } = JSON.parse(line) as {
      brokers: {
        logDirs: { error: null; logDir: string; partitions: { partition: string; size: number; isFuture: boolean }[] }[]
      }[]
    }
    const [folder] = brokers[0]!.logDirs
    assert.equal(folder!.error, null)
    assert.ok(folder!.logDir.startsWith('/'))
    const [partition] = folder!.partitions
    assert.deepEqual([partition!.partition, partition!.isFuture], [`${topic}-0`, false])
    assert.ok(partition!.size > 1000 && partition!.size < 2000, `${partition!.size} bytes`)
  })

  test('kafka-configs sets configs of a topic, describes and removes them', async () => {
    const topic = await newTopic('tool-configs')
    const of = ['--entity-type', 'topics', '--entity-name', topic]
    const add = ['--alter', '--add-config', 'retention.ms=12345,cleanup.policy=[compact,delete]']
    assert.match((await tool('configs', [...of, ...add])).stdout, /Completed updating config for topic/)
    await described(topic, 'retention.ms', '12345')
    const { stdout } = await tool('configs', ['--describe', ...of])
    assert.match(stdout, /retention\.ms=12345 sensitive=false synonyms=\{DYNAMIC_TOPIC_CONFIG:retention\.ms=12345/)
    assert.match(stdout, /cleanup\.policy=compact,delete sensitive=false/)
    await tool('configs', [...of, '--alter', '--delete-config', 'retention.ms'])
    await described(topic, 'retention.ms', '604800000')
    const left = await tool('configs', ['--describe', ...of])
    assert.doesNotMatch(left.stdout, /retention\.ms/)
    assert.match(left.stdout, /cleanup\.policy=compact,delete/)
  })

  test('kafka-configs is told why a config is refused', async () => {
    const topic = await newTopic('tool-refused')
    const alter = async (type: string, name: string, config: string) => {
      const of = ['--entity-type', type, '--entity-name', name]
      const { code, stdout, stderr } = await tool('configs', [...of, '--alter', '--add-config', config], {
        anyCode: true,
      })
      assert.notEqual(code, 0)
      return stdout + stderr
    }
    assert.match(await alter('topics', topic, 'no.such.config=1'), /Unknown topic config name: no\.such\.config/)
    assert.match(await alter('topics', topic, 'max.message.bytes=many'), /Invalid value many for configuration/)
    const broker = (await admin.describeCluster()).brokers[0]!.nodeId
    const readOnly = await alter('brokers', String(broker), 'num.partitions=2')
    assert.match(readOnly, /Cannot update these configs dynamically: \[num\.partitions\]/)
  })
})
