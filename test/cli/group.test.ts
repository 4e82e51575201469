// `odradek group` as its users meet it: beside a running broker, with consumers of both protocols, and one that was killed.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import { Consumer, stringDeserializers } from '@platformatic/kafka'
import type { Kafka, Producer } from 'kafkajs'
import type { GroupReport, ListedGroup } from '../../src/cli/group-report.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { ClusterProcess } from '../support/cluster-process.ts'
import { kafkaJs, Member } from '../support/kafkajs-client.ts'
import { type Finished, run } from '../support/processes.ts'
import { waitFor } from '../support/wait-for.ts'

const main = join(import.meta.dirname, '../../src/cli/main.ts')

let broker: BrokerProcess
let kafka: Kafka
let producer: Producer

before(async () => {
  broker = await BrokerProcess.start({
    settings: {
      'group.min.session.timeout.ms': '500',
      'group.consumer.min.session.timeout.ms': '1000',
      'group.consumer.session.timeout.ms': '3000',
      'group.consumer.min.heartbeat.interval.ms': '200',
      'group.consumer.heartbeat.interval.ms': '300',
    },
  })
  kafka = kafkaJs(broker.bootstrap)
  producer = kafka.producer()
  await producer.connect()
})

after(async () => {
  await producer?.disconnect()
  await broker?.stop()
})

function group(...args: string[]): Promise<Finished> {
  return run(process.execPath, [main, 'group', ...args, '--bootstrap', broker.bootstrap], { anyCode: true })
}

async function described(name: string): Promise<GroupReport> {
  const { stdout, stderr } = await group('describe', name, '--json')
  assert.equal(stderr, '')
  return JSON.parse(stdout) as GroupReport
}

/** A topic of two partitions with `count` records in each, a second apart, the last of them now. */
async function topicOf(name: string, count: number): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: name, numPartitions: 2 }], waitForLeaders: true })
  await admin.disconnect()
  await send(name, count, (index) => Date.now() - (count - 1 - index) * 1000)
}

async function send(topic: string, count: number, timeOf: (index: number) => number): Promise<void> {
  for (const partition of [0, 1]) {
    const messages = Array.from({ length: count }, (_, index) => {
      return { partition, value: `${index}`, timestamp: String(Math.trunc(timeOf(index))) }
    })
    await producer.send({ topic, messages })
  }
}

/** A group that has read and committed all, and that nobody is in any more. */
async function groupThatRead(t: TestContext, topic: string, groupId: string, count: number): Promise<void> {
  const member = await Member.join(t, kafka, { groupId, topic, run: { autoCommitInterval: 100 } })
  await member.until(count)
  await waitFor('all to be committed', async () => {
    const { partitions } = await described(groupId)
    return partitions.length === 2 && partitions.every(({ lag }) => lag === 0)
  })
  await member.leave()
}

test('a classic group: its members, its lag in records and seconds, and why it rebalanced', async (t) => {
  await topicOf('orders', 100)
  const options = { groupId: 'billing', topic: 'orders', sessionTimeout: 2000, run: { autoCommitInterval: 100 } }
  const first = await Member.join(t, kafkaJs(broker.bootstrap, { clientId: 'billing-1' }), options)
  await first.until(200)
  const second = await Member.join(t, kafkaJs(broker.bootstrap, { clientId: 'billing-2' }), options)
  const both = await waitFor('both to read', async () => {
    const report = await described('billing')
    return report.members.length === 2 && report.members.every(({ assigned }) => assigned?.length === 1) && report
  })
  assert.deepEqual([both.type, both.state, both.assignor], ['classic', 'Stable', 'RoundRobinAssigner'])
  assert.deepEqual(
    both.members.map(({ clientId, host }) => [clientId, host]),
    [
      ['billing-1', '127.0.0.1'],
      ['billing-2', '127.0.0.1'],
    ],
  )
  const joined = both.history!.rebalances.at(-1)!
  assert.match(joined.causes[0]!, /^billing-2 \(127\.0\.0\.1, \w{8}\) joined$/)
  assert.deepEqual([joined.membersBefore, joined.membersAfter, joined.outcome], [1, 2, 'done'])

  await second.leave()
  await first.leave()
  await send('orders', 10, () => Date.now() - 90_000)
  const { stdout, code } = await group('describe', 'billing')
  assert.equal(code, 0)
  assert.match(stdout, /^group billing: classic protocol, Empty, 0 members$/m)
  assert.match(stdout, /^orders-0 +100 +110 +10 +\d{2,3} s$/m)
  assert.match(stdout, /^20 records not read, the oldest of them has been there for \d{2,3} s$/m)
  assert.match(
    stdout,
    /nobody is left: epoch \d+\n(?: .*\n)* +(?:because|and) billing-1 \(127\.0\.0\.1, \w{8}\) left; its last committed/,
  )
  assert.ok(stdout.split('\n').every((line) => line.length <= 120))
  const listed = JSON.parse((await group('list', '--json')).stdout) as { groups: ListedGroup[] }
  assert.deepEqual(
    listed.groups.find(({ groupId }) => groupId === 'billing'),
    { groupId: 'billing', type: 'classic', state: 'Empty', members: 0, topics: ['orders'], lag: 20 },
  )
})

test('a consumer group (KIP-848): its members, its epoch, and why it rebalanced', async (t) => {
  await topicOf('clicks', 10)
  const start = async (clientId: string) => {
    const consumer = new Consumer<string, string, string, string>({
      clientId,
      bootstrapBrokers: [broker.bootstrap],
      groupId: 'counting',
      groupProtocol: 'consumer',
      maxWaitTime: 100,
      autocommit: 100,
      deserializers: stringDeserializers,
    })
    let closed: Promise<unknown> | null = null
    const close = () => (closed ??= consumer.close(true))
    t.after(close)
    const stream = await consumer.consume({ topics: ['clicks'], mode: 'committed', fallbackMode: 'earliest' })
    stream.on('data', () => {})
    return { close }
  }
  await start('counting-1')
  const second = await start('counting-2')
  const both = await waitFor('both to read', async () => {
    const report = await described('counting')
    return report.members.length === 2 && report.members.every(({ assigned }) => assigned?.length === 1) && report
  })
  assert.deepEqual([both.type, both.assignor], ['consumer', 'uniform'])
  assert.ok(both.epoch! >= 2)
  await second.close()
  const alone = await waitFor('one to read all', async () => {
    const report = await described('counting')
    return report.members[0]?.assigned?.length === 2 && report.members.length === 1 && report
  })
  const last = alone.history!.rebalances.at(-1)!
  assert.match(last.causes[0]!, /^counting-2 \(127\.0\.0\.1, \w{8}\) left/)
  assert.deepEqual([last.membersBefore, last.membersAfter], [2, 1])
  const { stdout } = await group('describe', 'counting')
  assert.match(stdout, /^group counting: consumer protocol, Stable, 1 member, epoch \d+, assigned by uniform$/m)
  assert.match(stdout, /counting-1 \w{8}: \+ clicks [01]$/m)
})

test('a member that was killed is told with how long it was silent and how far it had come', async (t) => {
  await topicOf('payments', 10)
  const program = join(import.meta.dirname, '../support/silent-member.ts')
  const member = await run(process.execPath, [program, broker.bootstrap, 'paying', 'payments'], { anyCode: true })
  assert.equal(member.signal, 'SIGKILL')
  const report = await waitFor('the member to be missed', async () => {
    const found = await described('paying')
    return found.members.length === 0 && found
  })
  assert.match(
    report.history!.rebalances.at(-1)!.causes[0]!,
    /^silent \(127\.0\.0\.1, \w{8}\) was silent for 1 s while its last committed offset was payments-[01]@10 \(.* before\)$/,
  )
  t.diagnostic((await group('describe', 'paying')).stdout)
})

test('a reset says what it would do, does it when told to, and can be taken back, and that as well', async (t) => {
  await topicOf('invoices', 100)
  await groupThatRead(t, 'invoices', 'printing', 200)
  const offsets = async () => (await described('printing')).partitions.map(({ committed }) => committed)

  const preview = await group('reset', 'printing', '--shift-by', '-30', '--topic', 'invoices:1')
  assert.equal(preview.code, 0)
  assert.match(preview.stdout, /^invoices: re-reads 30 records, \d\d:\d\d(:\d\d)? to \d\d:\d\d(:\d\d)?; skips 0$/m)
  assert.match(preview.stdout, /^ +invoices-1 +100 +70 +30 +0$/m)
  assert.match(preview.stdout, /nothing was changed: --execute does it/)
  assert.deepEqual(await offsets(), [100, 100])

  assert.match((await group('reset', 'printing', '--to-offset', '40', '--execute')).stdout, /done for 2 partitions/)
  assert.deepEqual(await offsets(), [40, 40])
  const hidden = '__odradek.undo.printing'
  assert.ok(!(await group('list')).stdout.includes(hidden))
  assert.ok((await group('list', '--all')).stdout.includes(hidden))

  const undo = await group('reset', 'printing', '--undo')
  assert.match(undo.stdout, /^invoices: re-reads 0; skips 120 records, /m)
  assert.deepEqual(await offsets(), [40, 40])
  assert.equal((await group('reset', 'printing', '--undo', '--execute')).code, 0)
  assert.deepEqual(await offsets(), [100, 100])
  assert.equal((await group('reset', 'printing', '--undo', '--execute')).code, 0)
  assert.deepEqual(await offsets(), [40, 40])

  const half = new Date(Date.now() - 50_000).toISOString()
  assert.match(
    (await group('reset', 'printing', '--to-datetime', half, '--execute')).stdout,
    /invoices: re-reads 0; skips/,
  )
  for (const offset of await offsets()) assert.ok(offset! > 40 && offset! < 80, `${offset}`)
  assert.equal((await group('reset', 'printing', '--to-earliest', '--execute')).code, 0)
  assert.deepEqual(await offsets(), [0, 0])
  assert.equal((await group('reset', 'printing', '--to-latest', '--execute')).code, 0)
  assert.deepEqual(await offsets(), [100, 100])
  assert.match((await group('reset', 'printing', '--to-latest', '--execute')).stdout, /there is nothing to change/)

  const again = await Member.join(t, kafka, { groupId: 'printing', topic: 'invoices' })
  await again.leave()
  assert.equal((await group('reset', 'printing', '--to-offset', '95', '--execute')).code, 0)
  const reader = await Member.join(t, kafka, { groupId: 'printing', topic: 'invoices' })
  assert.equal((await reader.until(10)).length, 10)
})

test('what was reset can be taken back topic by topic, partition by partition', async (t) => {
  await topicOf('letters', 10)
  await groupThatRead(t, 'letters', 'mailing', 20)
  const offsets = async () => (await described('mailing')).partitions.map(({ committed }) => committed)
  assert.equal((await group('reset', 'mailing', '--to-offset', '4', '--execute')).code, 0)
  assert.equal((await group('reset', 'mailing', '--undo', '--topic', 'letters:1', '--execute')).code, 0)
  assert.deepEqual(await offsets(), [4, 10])
  assert.equal((await group('reset', 'mailing', '--undo', '--topic', 'letters:0', '--execute')).code, 0)
  assert.deepEqual(await offsets(), [10, 10])
})

test('a group can be given its first offsets, and loses them again when that is taken back', async () => {
  await topicOf('fresh', 10)
  const given = await group('reset', 'newcomers', '--to-latest', '--topic', 'fresh', '--execute')
  assert.match(given.stdout, /there is no group 'newcomers' yet/)
  assert.match(given.stdout, /^fresh: 2 partitions without an offset get one$/m)
  assert.deepEqual(
    (await described('newcomers')).partitions.map(({ committed }) => committed),
    [10, 10],
  )
  const taken = await group('reset', 'newcomers', '--undo', '--execute')
  assert.match(taken.stdout, /^fresh: 2 partitions lose their offset, as before$/m)
  assert.equal(taken.code, 0)
})

test('a group that is in use is not reset, and its members are named', async (t) => {
  await topicOf('busy', 10)
  await Member.join(t, kafkaJs(broker.bootstrap, { clientId: 'worker' }), { groupId: 'working', topic: 'busy' })
  const { code, stdout, stderr } = await group('reset', 'working', '--to-earliest', '--execute')
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(stderr, /group working has 1 active member: worker \(127\.0\.0\.1\)\. .*: stop all of them first/)
})

const refusals: readonly { readonly args: readonly string[]; readonly code: number; readonly words: RegExp }[] = [
  { args: ['describe', 'nobody'], code: 1, words: /there is no group 'nobody'/ },
  { args: ['reset', 'nobody', '--to-latest'], code: 1, words: /there is no group 'nobody'; with --topic/ },
  { args: ['reset', 'nobody', '--undo'], code: 1, words: /nothing is kept of a reset of group 'nobody'/ },
  { args: ['reset', 'x', '--to-latest', '--topic', 'none'], code: 1, words: /there is no topic 'none'/ },
  {
    args: ['reset', 'x', '--to-latest', '--topic', 'a:b'],
    code: 2,
    words: /It is a topic, or topic:partition/,
  },
  { args: ['reset', 'x'], code: 2, words: /reset takes one of .*; none is given/ },
  { args: ['reset', 'x', '--to-latest', '--shift-by', '-1'], code: 2, words: /--to-latest and --shift-by are given/ },
  { args: ['reset', 'x', '--to-datetime', 'soon'], code: 2, words: /It is a time such as/ },
  { args: ['reset', 'x', '--to-offset', '-1'], code: 2, words: /It is a whole number, 0 or more/ },
  { args: ['describe'], code: 2, words: /missing required argument/ },
]
for (const { args, code, words } of refusals) {
  test(`refused: odradek group ${args.join(' ')}`, async () => {
    const refused = await group(...args)
    assert.deepEqual([refused.code, refused.stdout], [code, ''])
    assert.match(refused.stderr, words)
  })
}

test('without a broker it says who did not answer', async () => {
  const nowhere = await run(process.execPath, [main, 'group', 'list', '--bootstrap', '127.0.0.1:1'], { anyCode: true })
  assert.deepEqual([nowhere.code, nowhere.stdout], [3, ''])
  assert.match(nowhere.stderr, /127\.0\.0\.1:1 cannot be asked/)
})

test('in a cluster every broker lists its groups, and any may be asked', async (t) => {
  const cluster = await ClusterProcess.start()
  t.after(() => cluster.stop())
  const clustered = kafkaJs(cluster.addresses[0]!)
  const admin = clustered.admin()
  await admin.connect()
  await admin.createTopics({
    topics: [{ topic: 'orders', numPartitions: 6, replicationFactor: 3 }],
    waitForLeaders: true,
  })
  const names = Array.from({ length: 8 }, (_, index) => `group-${index}`)
  for (const groupId of names) {
    await admin.setOffsets({ groupId, topic: 'orders', partitions: [{ partition: 3, offset: '0' }] })
  }
  await admin.disconnect()
  for (const address of cluster.addresses) {
    const asked = (...args: string[]) =>
      run(process.execPath, [main, 'group', ...args, '--bootstrap', address], { anyCode: true })
    const { groups } = JSON.parse((await asked('list', '--json')).stdout) as { groups: ListedGroup[] }
    assert.deepEqual(
      groups.map(({ groupId }) => groupId),
      names,
    )
    assert.match((await asked('describe', 'group-5')).stdout, /^orders-3 +0 +0 +0 +0 s$/m)
  }
})
