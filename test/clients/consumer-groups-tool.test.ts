// kafka-consumer-groups and kafka-configs on groups: what Apache Kafka's own tools show and do, in the words they print against Kafka.

import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { kafkaJs, Member } from '../support/kafkajs-client.ts'
import { startTarget, type Target, uniqueName } from '../support/target.ts'
import { kafkaTool, startKafkaTool, withoutKafkaTools } from '../support/tools.ts'
import { waitFor } from '../support/wait-for.ts'

const minute = 60_000
/** Of the first record of each partition; each next one is a minute younger. Within retention, whenever the test runs. */
const firstAt = Math.floor(Date.now() / minute) * minute - 60 * minute
/** Records of partition 0 and 1. */
const counts = [10, 4]

/** The rows of a table, cut at white space, in no order but ours; what is no table is left out. */
function rows(stdout: string, group: string): string[][] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith(`${group} `))
    .map((line) => line.trim().split(/\s+/))
    .toSorted((one, other) => (one.join(' ') < other.join(' ') ? -1 : 1))
}

describe("Apache Kafka's tools for groups", { skip: withoutKafkaTools(), concurrency: 2 }, () => {
  let target: Target
  let folder: string

  before(async () => {
    target = await startTarget({ 'group.initial.rebalance.delay.ms': '0' })
    folder = await mkdtemp(join(tmpdir(), 'odradek-test-'))
  })

  after(async () => {
    await target?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  const tool = (name: string, args: readonly string[], options?: Parameters<typeof kafkaTool>[2]) =>
    kafkaTool(name, ['--bootstrap-server', target.bootstrap, ...args], options)

  /** Standard output and what went wrong, whatever the exit code. */
  async function groups(...args: readonly string[]): Promise<string> {
    const { stdout, stderr } = await tool('consumer-groups', args, { anyCode: true })
    return stdout + stderr
  }

  /** A topic of two partitions with `counts` records, a minute apart. */
  async function filledTopic(): Promise<string> {
    const topic = uniqueName('orders')
    const kafka = kafkaJs(target.bootstrap)
    const [admin, producer] = [kafka.admin(), kafka.producer()]
    await Promise.all([admin.connect(), producer.connect()])
    await admin.createTopics({ topics: [{ topic, numPartitions: counts.length }], waitForLeaders: true })
    const messages = counts.flatMap((count, partition) =>
      Array.from({ length: count }, (_, index) => {
        return { partition, value: `${partition}-${index}`, timestamp: String(firstAt + index * minute) }
      }),
    )
    await producer.send({ topic, messages })
    await Promise.all([admin.disconnect(), producer.disconnect()])
    return topic
  }

  async function committed(group: string, topic: string): Promise<number[]> {
    const admin = kafkaJs(target.bootstrap).admin()
    await admin.connect()
    const [found] = await admin.fetchOffsets({ groupId: group, topics: [topic] })
    await admin.disconnect()
    const offsets = found?.partitions ?? []
    return offsets.toSorted((a, b) => a.partition - b.partition).map(({ offset }) => Number(offset))
  }

  /** Has read all of the topic. It may stay. */
  async function reader(t: TestContext, group: string, topic: string): Promise<Member> {
    const kafka = kafkaJs(target.bootstrap, { clientId: 'reader' })
    const member = await Member.join(t, kafka, { groupId: group, topic, run: { autoCommitThreshold: 1 } })
    await member.until(14)
    await waitFor('all of it to be committed', async () => {
      return (await committed(group, topic)).join() === counts.join()
    })
    return member
  }

  /** A group that has read all of the topic and has no members any more. */
  async function idleGroup(t: TestContext): Promise<{ group: string; topic: string }> {
    const [group, topic] = [uniqueName('idle'), await filledTopic()]
    await (await reader(t, group, topic)).leave()
    return { group, topic }
  }

  test('classic groups are listed and described, with and without members', async (t) => {
    const idle = await idleGroup(t)
    const live = uniqueName('live')
    await reader(t, live, idle.topic)

    const listed = await groups('--list', '--state')
    assert.deepEqual([rows(listed, live), rows(listed, idle.group)], [[[live, 'Stable']], [[idle.group, 'Empty']]])
    const empty = (await groups('--list', '--state', 'empty,dead')).split('\n')
    assert.ok(empty.some((line) => line.startsWith(`${idle.group} `)) && !empty.some((line) => line.startsWith(live)))
    const classic = await groups('--list', '--type', 'Classic', '--state')
    assert.deepEqual(rows(classic, live), [[live, 'Classic', 'Stable']])
    assert.deepEqual(rows(await groups('--list', '--type', 'consumer', '--state'), live), [])

    const described = rows(await groups('--describe', '--group', live, '--offsets'), live)
    assert.deepEqual(
      described.map(([, topic, partition, current, end, lag, memberId = '', host, client]) => [
        topic,
        partition,
        current,
        end,
        lag,
        /^reader-[0-9a-f-]{36}$/.test(memberId),
        host,
        client,
      ]),
      counts.map((count, partition) => {
        return [idle.topic, `${partition}`, `${count}`, `${count}`, '0', true, '/127.0.0.1', 'reader']
      }),
    )
    const members = rows(await groups('--describe', '--group', live, '--members', '--verbose'), live)
    assert.deepEqual(
      members.map(([group, , ...rest]) => [group, ...rest]),
      [[live, '/127.0.0.1', 'reader', '2', '-', `${idle.topic}:0,1`, '-', '-']],
    )
    const state = await groups('--describe', '--all-groups', '--state')
    assert.match(state, new RegExp(`${live} +\\S+ +\\(\\d+\\) +RoundRobinAssigner +Stable +1\\n`))
    assert.match(state, new RegExp(`Consumer group '${idle.group}' has no active members`))
    assert.match(state, new RegExp(`${idle.group} +\\S+ +\\(\\d+\\) +- +Empty +0\\n`))
    assert.match(
      await groups('--describe', '--group', uniqueName('nobody')),
      /GroupIdNotFoundException: Group nobody-\w+ not found/,
    )
  })

  test('a group of the consumer protocol is listed and described', async (t) => {
    const [group, topic] = [uniqueName('modern'), await filledTopic()]
    const properties = ['group.protocol=consumer', 'auto.commit.interval.ms=100', 'client.id=modern']
    const consumer = startKafkaTool('console-consumer', [
      ...`--bootstrap-server ${target.bootstrap} --topic ${topic} --group ${group} --from-beginning`.split(' '),
      ...properties.flatMap((property) => ['--command-property', property]),
    ])
    t.after(() => consumer.kill('SIGKILL'))
    await waitFor(
      'all of it to be committed',
      async () => (await committed(group, topic)).join() === counts.join(),
      60_000,
    )
    assert.deepEqual(rows(await groups('--list', '--type', 'consumer', '--state', 'Stable'), group), [
      [group, 'Consumer', 'Stable'],
    ])
    const described = rows(await groups('--describe', '--group', group), group)
    assert.deepEqual(
      described.map(([, name, partition, current, end, lag, , , client]) => [
        name,
        partition,
        current,
        end,
        lag,
        client,
      ]),
      counts.map((count, partition) => [topic, `${partition}`, `${count}`, `${count}`, '0', 'modern']),
    )
    const [member] = rows(await groups('--describe', '--group', group, '--members', '--verbose'), group)
    const [, , host, client, partitions, epoch, current, targetEpoch, assignment] = member!
    assert.deepEqual(
      [host, client, partitions, current, assignment, epoch === targetEpoch],
      ['/127.0.0.1', 'modern', '2', `${topic}:0,1`, `${topic}:0,1`, true],
    )
    const state = await groups('--describe', '--group', group, '--state', '--verbose')
    assert.match(state, new RegExp(`${group} +\\S+ +\\(\\d+\\) +uniform +Stable +\\d+ +\\d+ +1\\n`))

    assert.match(
      await groups('--reset-offsets', '--group', group, '--to-earliest', '--topic', topic, '--execute'),
      /can only be reset if the group '\S+' is inactive, but the current state is Stable/,
    )
    assert.match(
      await groups('--delete-offsets', '--group', group, '--topic', topic),
      /GroupSubscribedToTopicException|subscribed to/,
    )
    assert.match(await groups('--delete', '--group', group), /GroupNotEmptyException: The group is not empty/)
  })

  test('offsets are reset in every way', async (t) => {
    const { group, topic } = await idleGroup(t)
    const agoMinutes = Math.ceil((Date.now() - firstAt) / minute)
    const file = join(folder, 'offsets.csv')
    await writeFile(file, `"${topic}",0,6\n"${topic}",1,1\n`)
    const all = ['--all-topics']
    for (const { how, where = all, offsets } of [
      { how: ['--to-earliest'], offsets: [0, 0] },
      { how: ['--to-offset', '3'], where: ['--topic', `${topic}:0`], offsets: [3, 0] },
      { how: ['--to-offset', '99'], where: ['--topic', topic], offsets: [10, 4] },
      { how: ['--shift-by', '-2'], where: ['--topic', `${topic}:0,1`], offsets: [8, 2] },
      { how: ['--to-current'], offsets: [8, 2] },
      { how: ['--to-datetime', new Date(firstAt + 2.5 * minute).toISOString()], offsets: [3, 3] },
      { how: ['--by-duration', `PT${agoMinutes - 5}M`], offsets: null },
      { how: ['--from-file', file], where: [], offsets: [6, 1] },
      { how: ['--to-latest'], offsets: [10, 4] },
    ]) {
      const before = await committed(group, topic)
      const printed = await groups('--reset-offsets', '--group', group, ...how, ...where, '--execute')
      const planned = new Map(
        rows(printed, group).map(([, , partition, offset]) => [Number(partition), Number(offset)]),
      )
      const now = await committed(group, topic)
      // By duration depends on the second the tool runs in: five minutes after the first record, more or less.
      if (offsets === null) assert.ok([5, 6].includes(now[0]!) && now[1] === 4, `${how.join(' ')}: ${now.join()}`)
      else assert.deepEqual(now, offsets, how.join(' '))
      const expected = now.map((offset, partition) => planned.get(partition) ?? offset)
      assert.deepEqual(now, expected, `${how.join(' ')} printed what it did, from ${before.join()}`)
    }
  })

  test('a reset is tried out and exported without being done', async (t) => {
    const { group, topic } = await idleGroup(t)
    const dry = await groups('--reset-offsets', '--group', group, '--to-earliest', '--topic', topic, '--dry-run')
    assert.deepEqual(rows(dry, group), [
      [group, topic, '0', '0'],
      [group, topic, '1', '0'],
    ])
    const shift = ['--reset-offsets', '--group', group, '--shift-by', '-1', '--all-topics']
    const exported = await tool('consumer-groups', [...shift, '--dry-run', '--export'])
    const csv = exported.stdout.split('\n').filter((line) => /^"?orders-/.test(line))
    assert.deepEqual(csv.map((line) => line.replaceAll('"', '')).toSorted(), [`${topic},0,9`, `${topic},1,3`])
    assert.deepEqual(await committed(group, topic), counts)
    const file = join(folder, 'exported.csv')
    await writeFile(file, csv.join('\n'))
    await groups('--reset-offsets', '--group', group, '--from-file', file, '--execute')
    assert.deepEqual(await committed(group, topic), [9, 3])
    // A group that has never been seen begins where it is told to.
    const fresh = uniqueName('fresh')
    await groups('--reset-offsets', '--group', fresh, '--to-offset', '2', '--topic', topic, '--execute')
    assert.deepEqual(await committed(fresh, topic), [2, 2])
  })

  test('offsets and groups are deleted, save those in use', async (t) => {
    const { group, topic } = await idleGroup(t)
    const live = uniqueName('live')
    await reader(t, live, topic)
    const refused = await groups('--delete-offsets', '--group', live, '--topic', topic)
    assert.match(refused, /Encountered some partition-level error/)
    assert.match(refused, new RegExp(`${topic} +0 +Error: .*actively subscribed to`))
    assert.match(
      await groups('--reset-offsets', '--group', live, '--to-earliest', '--topic', topic, '--execute'),
      /can only be reset if the group '\S+' is inactive, but the current state is Stable/,
    )
    const deleted = await groups('--delete-offsets', '--group', group, '--topic', `${topic}:1`)
    assert.match(deleted, new RegExp(`Request succeeded for deleting offsets from group ${group}`))
    assert.match(deleted, new RegExp(`${topic} +1 +Successful`))
    assert.deepEqual(await committed(group, topic), [10, -1])

    const printed = await groups('--delete', '--group', live, '--group', group, '--group', 'no-such-group')
    assert.match(printed, new RegExp(`Group '${live}' could not be deleted due to: .*GroupNotEmptyException`))
    assert.match(printed, /Group 'no-such-group' could not be deleted due to: .*GroupIdNotFoundException/)
    assert.match(printed, new RegExp(`These consumer groups were deleted successfully: '${group}'`))
    const left = (await groups('--list')).split('\n')
    assert.deepEqual([left.includes(live), left.includes(group)], [true, false])
  })

  test('configs of a group are set, shown, listed and removed', async () => {
    const group = uniqueName('configured')
    const entity = ['--entity-type', 'groups', '--entity-name', group]
    const change = ['consumer.session.timeout.ms=50000', 'consumer.heartbeat.interval.ms=6000'].join()
    const set = await tool('configs', ['--alter', ...entity, '--add-config', change])
    assert.match(set.stdout, new RegExp(`Completed updating config for group ${group}`))
    const shown = await tool('configs', ['--describe', ...entity])
    assert.match(shown.stdout, /consumer\.session\.timeout\.ms=50000 .*DYNAMIC_GROUP_CONFIG:consumer\.session\.timeout/)
    assert.match(shown.stdout, /DEFAULT_CONFIG:group\.consumer\.session\.timeout\.ms=45000/)
    assert.doesNotMatch(shown.stdout, /assignment\.interval/)
    const listed = await tool('configs', ['--describe', '--entity-type', 'groups'])
    assert.match(listed.stdout, new RegExp(`Dynamic configs for group ${group} are:`))
    const outside = ['--alter', ...entity, '--add-config', 'consumer.session.timeout.ms=60001']
    const refused = await tool('configs', outside, { anyCode: true })
    assert.notEqual(refused.code, 0)
    assert.match(
      refused.stdout + refused.stderr,
      /consumer\.session\.timeout\.ms must be less than or equal to group\.consumer\.max\.session\.timeout\.ms/,
    )
    await tool('configs', ['--alter', ...entity, '--delete-config', 'consumer.session.timeout.ms'])
    const after = await tool('configs', ['--describe', '--all', ...entity])
    assert.match(after.stdout, /consumer\.session\.timeout\.ms=45000 /)
    assert.match(after.stdout, /consumer\.heartbeat\.interval\.ms=6000 /)
  })

  test('a regular expression is validated without a broker', async () => {
    const validate = async (regex: string) => {
      const { stdout, stderr } = await kafkaTool('consumer-groups', ['--validate-regex', regex], { anyCode: true })
      return stdout + stderr
    }
    assert.match(await validate('orders-.*'), /is valid/)
    assert.match(await validate('orders-['), /is not valid|invalid/i)
  })
})
