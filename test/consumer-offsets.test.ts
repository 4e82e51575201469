// __consumer_offsets is Kafka's: its console consumer reads what groups commit and what they are, its kafka-dump-log every record.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { BrokerProcess } from './support/broker-process.ts'
import { kafkaJs } from './support/kafkajs-client.ts'
import { kafkaTool, withoutKafkaTools } from './support/tools.ts'
import { within } from './support/wait-for.ts'

interface Printed {
  /** `kafka-dump-log` prints the type as text. */
  readonly key: { readonly type: number | string; readonly data: Record<string, unknown> }
  readonly value: { readonly version: number; readonly data: Record<string, unknown> } | null
}

/** Kafka's numbers of the kinds of record (CoordinatorRecordType). */
const kinds = new Map([
  [1, 'offset'],
  [2, 'classic group'],
  [3, 'consumer group'],
  [5, 'member'],
  [6, 'target epoch'],
  [7, 'target'],
  [8, 'assignment'],
])

describe("__consumer_offsets in Kafka's words", { skip: withoutKafkaTools() }, () => {
  let broker: BrokerProcess
  /** Partition 0, the only one. */
  let log: string

  before(async () => {
    const settings = { 'offsets.topic.num.partitions': '1', 'group.consumer.assignment.interval.ms': '0' }
    broker = await BrokerProcess.start({ settings })
    log = join(broker.data, '__consumer_offsets-0', '00000000000000000000.log')
    const kafka = kafkaJs(broker.bootstrap, { clientId: 'app' })
    const [admin, producer, consumer] = [kafka.admin(), kafka.producer(), kafka.consumer({ groupId: 'classic' })]
    await Promise.all([admin.connect(), producer.connect(), consumer.connect()])
    await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 1 }], waitForLeaders: true })
    await producer.send({ topic: 'orders', messages: [{ value: 'a' }, { value: 'b' }] })
    await consumer.subscribe({ topic: 'orders', fromBeginning: true })
    const read = new Promise<void>((resolve) => {
      void consumer.run({
        autoCommit: false,
        eachMessage: async ({ message }) => {
          if (message.offset === '1') resolve()
        },
      })
    })
    await within('both messages', read)
    await consumer.commitOffsets([{ topic: 'orders', partition: 0, offset: '2', metadata: 'note' }])
    await consumer.disconnect()
    await kafkaTool('console-consumer', [
      ...`--bootstrap-server ${broker.bootstrap} --topic orders --group modern --from-beginning`.split(' '),
      ...'--max-messages 2 --timeout-ms 30000 --command-property group.protocol=consumer'.split(' '),
    ])
    await admin.setOffsets({ groupId: 'gone', topic: 'orders', partitions: [{ partition: 0, offset: '1' }] })
    await admin.deleteGroups(['gone'])
    await Promise.all([admin.disconnect(), producer.disconnect()])
  })

  after(async () => {
    await broker?.stop()
  })

  /** What a formatter of the console consumer prints. */
  async function printed(formatter: string): Promise<Printed[]> {
    const { stdout } = await kafkaTool('console-consumer', [
      ...`--bootstrap-server ${broker.bootstrap} --topic __consumer_offsets --partition 0 --offset earliest`.split(' '),
      ...`--timeout-ms 3000 --formatter org.apache.kafka.tools.consumer.${formatter}`.split(' '),
    ])
    // One object after the other, with nothing between them.
    return stdout
      .trim()
      .split(/(?<=\})\s*(?=\{"key")/)
      .map((text) => JSON.parse(text) as Printed)
  }

  test('OffsetsMessageFormatter shows what was committed and deleted', async () => {
    const records = await printed('OffsetsMessageFormatter')
    const of = (group: string) => records.filter(({ key }) => key.data['group'] === group)
    const [committed] = of('classic')
    assert.deepEqual([committed!.key], [{ type: 1, data: { group: 'classic', topic: 'orders', partition: 0 } }])
    const { commitTimestamp, ...rest } = committed!.value!.data
    assert.equal(committed!.value!.version, 4)
    assert.ok(Math.abs(Number(commitTimestamp) - Date.now()) < 600_000)
    assert.equal(rest['offset'], 2)
    assert.equal(rest['metadata'], 'note')
    assert.match(String(rest['topicId']), /^[\w-]{22}$/)
    assert.equal(of('modern').at(-1)!.value!.data['offset'], 2)
    assert.deepEqual(
      of('gone').map(({ value }) => value?.data['offset'] ?? null),
      [1, null],
    )
  })

  test('GroupMetadataMessageFormatter shows classic groups, empty and deleted ones too', async () => {
    const records = (await printed('GroupMetadataMessageFormatter')).filter(({ key }) => key.type === 2)
    const of = (group: string) => records.filter(({ key }) => key.data['group'] === group)
    const stable = of('classic').find(({ value }) => (value!.data['members'] as unknown[]).length > 0)!
    assert.equal(stable.value!.version, 3)
    const { protocolType, generation, protocol, members } = stable.value!.data
    assert.deepEqual([protocolType, generation, protocol], ['consumer', 1, 'RoundRobinAssigner'])
    const [member] = members as Record<string, unknown>[]
    assert.deepEqual([member!['clientId'], member!['clientHost']], ['app', '/127.0.0.1'])
    assert.deepEqual(of('classic').at(-1)!.value!.data['members'], [])
    assert.equal(of('gone').at(-1)!.value, null)
  })

  test('kafka-dump-log reads every record of both kinds of groups', async () => {
    const { stdout } = await kafkaTool('dump-log', ['--offsets-decoder', '--files', log])
    const lines = stdout.split('\n').filter((line) => line.includes(' key: '))
    const records = lines.map((line) => {
      const [, key, payload] = / key: (\{.*\}) payload: (.*)$/.exec(line) ?? []
      assert.ok(key !== undefined && payload !== undefined, line)
      return { ...(JSON.parse(key) as Printed['key']), payload }
    })
    const seen = (group: string) => new Set(records.filter(({ data }) => groupOf(data) === group).map(kindOf))
    assert.deepEqual(seen('classic'), new Set(['classic group', 'offset']))
    assert.deepEqual(seen('modern'), new Set([...kinds.values()].filter((kind) => kind !== 'classic group')))
    const subscription = records.find(({ type, payload }) => kindOf({ type }) === 'member' && payload !== '<DELETE>')
    assert.match(subscription!.payload, /"subscribedTopicNames":\["orders"\]/)
    const generation = records.find(({ payload }) => payload.includes('"generation":1,'))
    assert.match(generation!.payload, /"assignment":\{"assignedPartitions":\[\{"topic":"orders","partitions":\[0\]\}\]/)
  })
})

function groupOf(data: Record<string, unknown>): unknown {
  return data['group'] ?? data['groupId']
}

function kindOf({ type }: { readonly type: number | string }): string {
  return kinds.get(Number(type)) ?? `type ${type}`
}
