// Answers of a cluster in, lines for people out.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeLines, listLines } from './group-lines.ts'
import type { GroupMember, GroupState } from './group-members.ts'
import { type GroupAnswers, type ReportedHistory, reportOf } from './group-report.ts'

/** In the time zone of whoever runs the test. */
const at = (text: string): number => Date.parse(`2026-07-24T${text}`)
const nowMs = at('09:40:00')
const shown = { nowMs, last: 3, happenings: false, full: false, width: Infinity }

const place = (partition: number, topic = 'orders') => ({ topic, partition })
const committed = (partition: number, offset: number) => ({
  ...place(partition),
  offset,
  leaderEpoch: -1,
  metadata: '',
})

function memberOf(name: string, id: string, more: Partial<GroupMember> = {}): GroupMember {
  const memberId = `${name}-${id}-1111-2222`
  const own = { memberId, clientId: name, host: '10.0.0.5' }
  return { ...own, instanceId: null, protocol: 'consumer', assigned: [], awaited: [], ...more }
}

const consumers: GroupState = {
  groupId: 'billing',
  type: 'consumer',
  state: 'Reconciling',
  epoch: 7,
  assignor: 'uniform',
  members: [
    memberOf('billing-2', '9bd0ef12', { instanceId: 'pod-2', assigned: [place(2)], awaited: [place(1)] }),
    memberOf('billing-1', '3f2a9c01', { assigned: [place(0), place(1)] }),
  ],
}

const answers: GroupAnswers = {
  state: consumers,
  coordinator: { brokerId: 1, address: '10.0.0.1:9092' },
  committed: [committed(0, 1250), committed(1, 1000), committed(4, 20)],
  bounds: new Map([
    ['orders-0', { start: 0, end: 1250 }],
    ['orders-1', { start: 0, end: 1240 }],
    ['orders-2', { start: 0, end: 10 }],
    ['orders-4', { start: 50, end: 60 }],
  ]),
  unreadSince: new Map([
    ['orders-1', nowMs - 372_400],
    ['orders-4', nowMs - 3 * 86_400_000],
  ]),
  history: { rebalances: [], happenings: [] },
  nowMs,
}

test('a group says who reads what, how far behind in records and in time, and what it missed', () => {
  assert.deepEqual(describeLines(reportOf(answers), shown), [
    'group billing: consumer protocol, Reconciling, 2 members, epoch 7, assigned by uniform',
    'coordinated by broker 1 (10.0.0.1:9092)',
    '',
    'MEMBER    CLIENT     HOST      INSTANCE  READS',
    '3f2a9c01  billing-1  10.0.0.5            orders 0-1',
    '9bd0ef12  billing-2  10.0.0.5  pod-2     orders 2 (waits for orders 1)',
    '',
    'PARTITION  COMMITTED    END  LAG  BEHIND  MISSED  READ BY',
    'orders-0       1,250  1,250    0     0 s          billing-1',
    'orders-1       1,000  1,240  240   372 s          billing-1',
    'orders-2           -     10    -       -          pod-2',
    'orders-4          20     60   40  3 days      30',
    '280 records not read, the oldest of them has been there for 3 days',
    '30 records were deleted before the group had read them',
    '',
    'no rebalance is remembered: the coordinator remembers what happened since it became one',
  ])
})

test('a partition without a leader has no end, and says so', () => {
  const lines = describeLines(reportOf({ ...answers, bounds: new Map(), unreadSince: new Map() }), shown)
  assert.ok(lines.includes('orders-0       1,250    ?    -       -  billing-1'), lines.join('\n'))
})

test('a group that has neither members nor offsets, on a broker that keeps no history', () => {
  const state = { ...consumers, type: 'classic', state: 'Empty', epoch: null, assignor: null, members: [] }
  assert.deepEqual(describeLines(reportOf({ ...answers, state, committed: [], history: null }), shown), [
    'group billing: classic protocol, Empty, 0 members',
    'coordinated by broker 1 (10.0.0.1:9092)',
    '',
    'it has committed no offsets',
    '',
    'this broker keeps no history of its groups',
  ])
})

test('members of one name are told apart, and stand in the order people count', () => {
  const names = ['worker-10', 'worker-2', 'worker-2']
  const members = names.map((name, at) => memberOf(name, `${at}${at}${at}${at}0000`, { assigned: [place(at)] }))
  const lines = describeLines(reportOf({ ...answers, state: { ...consumers, members } }), shown)
  assert.deepEqual(
    lines.filter((line) => line.includes('10.0.0.5')).map((line) => line.slice(0, 19)),
    ['11110000  worker-2 ', '22220000  worker-2 ', '00000000  worker-10'],
  )
  const readers = lines.filter((line) => line.startsWith('orders-')).map((line) => /(worker.*)?$/.exec(line)![0])
  assert.deepEqual(readers, ['worker-10', 'worker-2 11110000', 'worker-2 22220000', ''])
})

test('of a consumer group with members of both protocols it says who still speaks the classic one', () => {
  const members = [
    memberOf('billing-1', '3f2a9c01', { protocol: 'classic', assigned: [place(0)] }),
    memberOf('billing-2', '9bd0ef12', { assigned: [place(1)] }),
  ]
  const lines = describeLines(reportOf({ ...answers, state: { ...consumers, members } }), shown)
  assert.deepEqual(lines.slice(3, 6), [
    'MEMBER    CLIENT     HOST      PROTOCOL  READS',
    '3f2a9c01  billing-1  10.0.0.5  classic   orders 0',
    '9bd0ef12  billing-2  10.0.0.5            orders 1',
  ])
})

const many = reportOf({
  ...answers,
  state: {
    ...consumers,
    members: Array.from({ length: 60 }, (_, at) => memberOf(`worker-${at}`, 'aaaaaaaa', { assigned: [place(at)] })),
  },
  committed: Array.from({ length: 300 }, (_, partition) => committed(partition, 10)),
  bounds: new Map(
    Array.from({ length: 299 }, (_, at) => [`orders-${at}`, { start: 0, end: at < 240 ? 10 : 10 + at }] as const),
  ),
  unreadSince: new Map([['orders-250', nowMs - 7_000]]),
})

test('of many partitions those that are farthest behind are shown, of many members the first, and all when asked for', () => {
  const lines = describeLines(many, shown)
  const partitions = lines.flatMap((line) => /^orders-(\d+)/.exec(line)?.[1] ?? [])
  const others = Array.from({ length: 48 }, (_, at) => `${251 + at}`)
  assert.deepEqual(partitions, ['250', ...others, '299'], 'late, far behind, without an end')
  assert.ok(lines.includes('and 250 partitions more, none farther behind (--full shows all)'))
  assert.ok(lines.includes('and 10 members more (--full shows all)'))
  assert.equal(lines.filter((line) => line.startsWith('aaaaaaaa')).length, 50)

  const full = describeLines(many, { ...shown, full: true })
  assert.equal(full.filter((line) => line.startsWith('orders-')).length, 300)
  assert.equal(full.filter((line) => line.startsWith('aaaaaaaa')).length, 60)
  assert.ok(!full.some((line) => line.includes('--full')))
})

test('what is told fits into the terminal', () => {
  const partitions = Array.from({ length: 40 }, (_, at) => place(3 * at, 'measurements'))
  const members = [memberOf('worker-1', '3f2a9c01', { assigned: partitions })]
  const history = { rebalances: [rebalance], happenings: [] }
  const report = reportOf({ ...answers, state: { ...consumers, members }, history })
  const lines = describeLines(report, { ...shown, width: 80 })
  assert.deepEqual(
    lines.filter((line) => line.length > 80),
    [],
  )
  assert.ok(lines.some((line) => line.endsWith('54, 57 and 20 more')))
})

const who = {
  memberId: 'billing-2-9bd0ef12-1111',
  groupInstanceId: null,
  clientId: 'billing-2',
  clientHost: '/10.0.0.5',
}
const silent =
  'billing-2 (10.0.0.5, 9bd0ef12) was silent for 45 s while its last committed offset was orders-3@1240 (4 minutes before)'
const rebalance: ReportedHistory['rebalances'][number] = {
  startTimeMs: at('09:31:02'),
  outcome: 'done',
  durationMs: 3_200,
  epoch: 7,
  protocol: 'uniform',
  membersBefore: 3,
  membersAfter: 2,
  causes: [silent],
  moreCauses: 0,
  changes: [
    { member: who, gained: { names: ['orders-3', 'orders-4', 'a-b-0'], more: 0 }, lost: { names: [], more: 0 } },
  ],
  moreChanges: 0,
}

/** The lines below the title of the rebalances. */
function told(...rebalances: ReportedHistory['rebalances']): string[] {
  const lines = describeLines(reportOf({ ...answers, history: { rebalances, happenings: [] } }), shown)
  return lines.slice(lines.indexOf('last rebalances, the newest first:') + 1)
}

test('a rebalance says when it was, how long it took, why, and who gained and lost what', () => {
  assert.deepEqual(told(rebalance), [
    '  09:31:02  took 3.2 s: members 3 -> 2, epoch 7, uniform',
    '    because billing-2 (10.0.0.5, 9bd0ef12) was silent for 45 s while its last committed offset was',
    '      orders-3@1240 (4 minutes before)',
    '      billing-2 9bd0ef12: + orders 3-4; a-b 0',
  ])
})

const courses: readonly { readonly name: string; readonly change: Partial<typeof rebalance>; readonly line: RegExp }[] =
  [
    { name: 'one that goes on', change: { outcome: 'running' }, line: /is still going on$/ },
    {
      name: 'one that was cut short',
      change: { outcome: 'interrupted' },
      line: /was cut short: the coordinator moved/,
    },
    { name: 'one that left nobody', change: { membersAfter: 0 }, line: /nobody is left: epoch 7$/ },
    {
      name: 'one of which the beginning is unknown',
      change: { membersBefore: -1 },
      line: /took 3\.2 s: members 2, epoch 7/,
    },
    {
      name: 'one on another day',
      change: { startTimeMs: at('09:31:02') - 86_400_000 },
      line: /^ {2}2026-07-23 09:31:02/,
    },
  ]
for (const { name, change, line } of courses) {
  test(`a rebalance: ${name}`, () => assert.match(told({ ...rebalance, ...change })[0]!, line))
}

test('the newest rebalances come first, and no more than asked for', () => {
  const lines = told(...[1, 2, 3, 4, 5].map((epoch) => ({ ...rebalance, epoch, causes: [], changes: [] })))
  assert.deepEqual(
    lines.filter((line) => line.includes('epoch')).map((line) => /epoch (\d)/.exec(line)![1]),
    ['5', '4', '3'],
  )
  assert.ok(lines.includes('    because nobody said why'))
})

test('no rebalances are told when none are asked for', () => {
  const report = reportOf({ ...answers, history: { rebalances: [rebalance], happenings: [] } })
  assert.ok(!describeLines(report, { ...shown, last: 0 }).some((line) => line.includes('rebalance')))
})

test('of many members that changed some are named, and the others are counted', () => {
  const changes = Array.from({ length: 50 }, () => rebalance.changes[0]!)
  const lines = told({ ...rebalance, changes, moreChanges: 450, moreCauses: 490 })
  assert.equal(lines.filter((line) => line.includes('+ orders')).length, 10)
  assert.ok(lines.includes('      and the partitions of 490 members more changed'))
  assert.ok(lines.includes('    and 490 more'))
})

test('what happened is told when asked for, with how often', () => {
  const words = 'tool, no member, set the offsets of 1 partition'
  const happening = {
    timeMs: at('09:00:00'),
    lastTimeMs: at('09:30:00'),
    times: 360,
    kind: 'offsetsSet',
    member: null,
    words,
  }
  const report = reportOf({ ...answers, history: { rebalances: [], happenings: [happening] } })
  assert.equal(
    describeLines(report, { ...shown, happenings: true }).at(-1),
    `  09:00:00  ${words} (360 times until 09:30:00)`,
  )
})

test('a list of groups is a table, and says when there are none', () => {
  assert.deepEqual(listLines([]), ['no groups'])
  assert.deepEqual(
    listLines([
      { groupId: 'billing', type: 'consumer', state: 'Stable', members: 2, topics: ['orders', 'payments'], lag: 1240 },
      { groupId: 'shared', type: 'share', state: 'Stable', members: null, topics: [], lag: null },
    ]),
    [
      'GROUP    PROTOCOL  STATE   MEMBERS    LAG  TOPICS',
      'billing  consumer  Stable        2  1,240  orders, payments',
      'shared   share     Stable        -      -',
    ],
  )
})
