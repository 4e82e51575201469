// kcat, and with it librdkafka, against the broker.

import assert from 'node:assert/strict'
import { after, before, describe, test, type TestContext } from 'node:test'
import type { Admin } from 'kafkajs'
import { kafkaJs } from '../support/kafkajs-client.ts'
import type { RunningProcess } from '../support/processes.ts'
import { startTarget, type Target, uniqueName } from '../support/target.ts'
import { kcat, startKcat, withoutKcat } from '../support/tools.ts'
import { waitFor } from '../support/wait-for.ts'

/** A message as `kcat -J` prints it: one JSON object a line. */
interface Printed {
  readonly partition: number
  readonly offset: number
  readonly ts: number
  readonly headers?: readonly string[]
  readonly key: string | null
  readonly payload: string | null
}

function messages(output: string): Printed[] {
  const lines = output.split('\n')
  lines.pop() // what follows the last line break is not whole yet
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Printed)
}

const payloads = (output: string) => messages(output).map(({ payload }) => payload)

describe('kcat', { skip: withoutKcat() }, () => {
  let target: Target
  let admin: Admin

  before(async () => {
    target = await startTarget()
    admin = kafkaJs(target.bootstrap).admin() // kcat itself can make topics only by writing to them
    await admin.connect()
  })

  after(async () => {
    await admin?.disconnect()
    await target?.stop()
  })

  async function newTopic(stem: string, numPartitions = 1, config: Record<string, string> = {}): Promise<string> {
    const topic = uniqueName(stem)
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }))
    await admin.createTopics({ topics: [{ topic, numPartitions, configEntries }], waitForLeaders: true })
    return topic
  }

  /** One message a line; `key:value` with `-K:` among the flags. */
  async function produce(topic: string, lines: readonly string[], ...flags: string[]): Promise<void> {
    await kcat(['-b', target.bootstrap, '-P', '-t', topic, ...flags], {
      input: lines.map((line) => `${line}\n`).join(''),
    })
  }

  /** All there is from `-o`'s place on, to the end. */
  async function consume(topic: string, ...flags: string[]): Promise<Printed[]> {
    const { stdout } = await kcat(['-b', target.bootstrap, '-C', '-t', topic, '-e', '-J', ...flags])
    return messages(stdout)
  }

  function join(t: TestContext, groupId: string, topic: string): RunningProcess {
    const settings = ['auto.offset.reset=earliest', 'heartbeat.interval.ms=100', 'fetch.wait.max.ms=100']
    const flags = settings.flatMap((setting) => ['-X', setting])
    const member = startKcat(['-b', target.bootstrap, '-J', '-u', ...flags, '-G', groupId, topic])
    t.after(() => member.kill('SIGKILL'))
    return member
  }

  /** The partitions of the last assignment a member of a group has told of. */
  function assigned(member: RunningProcess): number[] {
    const last = member.stderr.split('\n').findLast((line) => line.includes('assigned:'))
    return [...(last?.matchAll(/\[(\d+)\]/g) ?? [])].map(([, partition]) => Number(partition)).sort((a, b) => a - b)
  }

  test('topics are listed with their partitions and the broker that leads them', async () => {
    const topic = await newTopic('listed', 3)
    const { stdout } = await kcat(['-b', target.bootstrap, '-L', '-J', '-t', topic])
    const listed = JSON.parse(stdout) as {
      brokers: { id: number; name: string }[]
      topics: { topic: string; partitions: { partition: number; leader: number }[] }[]
    }
    assert.deepEqual(
      listed.brokers.map(({ name }) => name),
      [target.bootstrap],
    )
    assert.equal(listed.topics[0]?.topic, topic)
    assert.deepEqual(
      listed.topics[0]?.partitions.map(({ partition, leader }) => [partition, leader]),
      [0, 1, 2].map((partition) => [partition, listed.brokers[0]?.id]),
    )
  })

  test('a message to a topic that does not exist creates it', async () => {
    const topic = uniqueName('by-itself')
    await produce(topic, ['first'])
    assert.deepEqual(
      (await consume(topic)).map(({ payload }) => payload),
      ['first'],
    )
  })

  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
    test(`keyed and unkeyed messages compressed with ${codec} come back as they were sent`, async () => {
      const topic = await newTopic(`codec-${codec}`)
      const compression = codec === 'none' ? [] : ['-z', codec]
      const values = Array.from({ length: 20 }, (_, n) => `${n}-`.padEnd(200, 'x'))
      await produce(
        topic,
        values.map((value) => `key:${value}`),
        '-K:',
        ...compression,
      )
      await produce(topic, values, ...compression)
      assert.deepEqual(
        (await consume(topic)).map(({ key, payload, offset }) => ({ key, payload, offset })),
        ['key', null].flatMap((key, half) =>
          values.map((payload, n) => ({ key, payload, offset: half * values.length + n })),
        ),
      )
    })
  }

  test('headers and tombstones come back as they were sent', async () => {
    const topic = await newTopic('details')
    await produce(topic, ['k:'], '-K:', '-Z', '-H', 'trace=abc', '-H', 'again=1', '-H', 'again=2')
    const [message] = await consume(topic)
    assert.deepEqual(message?.headers, ['trace', 'abc', 'again', '1', 'again', '2'])
    assert.deepEqual([message?.key, message?.payload], ['k', null])
  })

  test('messages of every kind of acknowledgement are kept', async () => {
    const topic = await newTopic('acks')
    for (const acks of ['all', '1', '0']) await produce(topic, [acks], '-X', `acks=${acks}`)
    assert.deepEqual(
      (await consume(topic)).map(({ payload }) => payload),
      ['all', '1', '0'],
    )
  })

  test('an idempotent producer writes each message once, in order', async () => {
    const topic = await newTopic('idempotent')
    const values = Array.from({ length: 1000 }, (_, n) => String(n))
    await produce(topic, values, '-X', 'enable.idempotence=true', '-X', 'batch.num.messages=10', '-X', 'linger.ms=0')
    assert.deepEqual(
      (await consume(topic)).map(({ payload }) => payload),
      values,
    )
  })

  test('reading starts at an offset, at a distance from the end, or at a time', async () => {
    const topic = await newTopic('places')
    await produce(topic, ['a', 'b', 'c'])
    const all = await consume(topic, '-o', 'beginning')
    const from = async (place: string) => (await consume(topic, '-o', place)).map(({ payload }) => payload)
    assert.deepEqual(await from('1'), ['b', 'c'])
    assert.deepEqual(await from('-1'), ['c'])
    assert.deepEqual(await from('end'), [])
    assert.deepEqual(await from(`s@${all[0]?.ts}`), ['a', 'b', 'c'])
    assert.deepEqual(await from(`s@${(all[2]?.ts ?? 0) + 1000}`), [])
    const { stdout } = await kcat(['-b', target.bootstrap, '-Q', '-t', `${topic}:0:-1`])
    assert.match(stdout, /offset 3$/m)
  })

  test('a consumer at the end sees what comes later', async (t) => {
    const topic = await newTopic('from-the-end')
    await produce(topic, ['before'])
    const reader = startKcat(['-b', target.bootstrap, '-C', '-t', topic, '-o', 'end', '-J', '-u'])
    t.after(() => reader.kill('SIGKILL'))
    await waitFor('the end of the topic', () => reader.stderr.includes('Reached end of topic'))
    await produce(topic, ['after'])
    await reader.output(/\n/)
    assert.deepEqual(payloads(reader.stdout), ['after'])
  })

  test('two members share the partitions, and the one that stays takes over', async (t) => {
    const topic = await newTopic('shared', 4)
    const groupId = uniqueName('group')
    const first = join(t, groupId, topic)
    await waitFor('the whole topic', () => assigned(first).length === 4)
    const second = join(t, groupId, topic)
    await waitFor('two shares', () => assigned(first).length === 2 && assigned(second).length === 2)
    assert.deepEqual(
      [...assigned(first), ...assigned(second)].sort((a, b) => a - b),
      [0, 1, 2, 3],
    )
    for (const partition of ['0', '1', '2', '3']) await produce(topic, [partition], '-p', partition)
    await waitFor('all messages', () => messages(first.stdout + second.stdout).length === 4)
    for (const member of [first, second]) {
      assert.deepEqual(
        messages(member.stdout)
          .map(({ partition }) => partition)
          .sort((a, b) => a - b),
        assigned(member),
      )
    }
    await second.stop()
    await waitFor('the whole topic', () => assigned(first).length === 4)
    await first.stop()
  })

  test('a group resumes after what it committed', async (t) => {
    const topic = await newTopic('resume')
    const groupId = uniqueName('resume')
    await produce(topic, ['a', 'b'])
    const first = join(t, groupId, topic)
    await waitFor('two messages', () => messages(first.stdout).length === 2)
    await first.stop() // commits, then leaves
    await produce(topic, ['c'])
    const second = join(t, groupId, topic)
    await waitFor('a message', () => messages(second.stdout).length > 0)
    await second.stop()
    assert.deepEqual(payloads(second.stdout), ['c'])
  })

  test('a consumer of a topic that does not exist is told so', async () => {
    const { code, stderr } = await kcat(['-b', target.bootstrap, '-C', '-t', uniqueName('unknown'), '-e'], {
      anyCode: true,
    })
    assert.notEqual(code, 0)
    assert.match(stderr, /Unknown topic or partition/)
  })

  test('a message larger than the topic takes is refused', async () => {
    const topic = await newTopic('small', 1, { 'max.message.bytes': '1000' })
    const { code, stderr } = await kcat(['-b', target.bootstrap, '-P', '-t', topic], {
      input: 'x'.repeat(2000),
      anyCode: true,
    })
    assert.notEqual(code, 0)
    assert.match(stderr, /Message size too large/)
    await produce(topic, ['fits'])
    assert.equal((await consume(topic)).length, 1)
  })

  test('a consumer beyond the end hears of it, or starts over when it prefers that', async () => {
    const topic = await newTopic('beyond')
    await produce(topic, ['a', 'b'])
    const beyond = ['-b', target.bootstrap, '-C', '-t', topic, '-o', '1000', '-c', '2']
    const { code, stderr } = await kcat([...beyond, '-X', 'auto.offset.reset=error'], { anyCode: true })
    assert.notEqual(code, 0)
    assert.match(stderr, /offset out of range/i)
    const { stdout } = await kcat([...beyond, '-X', 'auto.offset.reset=earliest'])
    assert.equal(stdout, 'a\nb\n')
  })
})
