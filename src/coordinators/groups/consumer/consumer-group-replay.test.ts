// Logs that Kafka wrote, and logs that have been compacted: what they say is what the group is, whatever else is missing from them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GroupRecord } from '../group-record.ts'
import { ConsumerGroupTester } from './consumer-group-tester.sim.ts'

/** A coordinator that reads only these records. */
function reading(tester: ConsumerGroupTester, records: readonly GroupRecord[]): ConsumerGroupTester {
  tester.records.splice(0, tester.records.length, ...records)
  tester.restart()
  return tester
}

/** The last record of each key; tombstones too, as long as they are kept. */
function compacted(records: readonly GroupRecord[]): GroupRecord[] {
  const last = new Map<string, GroupRecord>()
  for (const record of records) {
    const { kind, groupId } = record
    const more = 'memberId' in record ? record.memberId : 'regex' in record ? record.regex : ''
    const key = kind === 'generation' || kind === 'groupDeleted' ? `classic/${groupId}` : `${kind}/${groupId}/${more}`
    last.delete(key)
    last.set(key, record)
  }
  return [...last.values()]
}

function moved(): ConsumerGroupTester {
  const tester = new ConsumerGroupTester()
  tester.topic('orders', 2)
  tester.enterWith('a')
  tester.enterWith('b')
  tester.beat({ member: 'a', epoch: 2, owned: { orders: [0, 1] } })
  tester.beat({ member: 'a', epoch: 2, owned: { orders: [0] } })
  tester.beat({ member: 'b', epoch: 3 })
  return tester
}

test('a compacted log says the same', () => {
  const tester = moved()
  tester.beat({ member: 'a', epoch: -1 })
  tester.beat({ member: 'b', epoch: 3 })
  const before = tester.describeConsumers()
  reading(tester, compacted(tester.records))
  assert.deepEqual(tester.describeConsumers(), before)
})

test('tombstones of what is not there say nothing', () => {
  const tester = new ConsumerGroupTester()
  reading(tester, [
    { kind: 'consumerAssignment', groupId: 'g', memberId: 'a', value: null },
    { kind: 'consumerTarget', groupId: 'g', memberId: 'a', value: null },
    { kind: 'consumerMember', groupId: 'g', memberId: 'a', value: null },
    { kind: 'consumerTargetEpoch', groupId: 'g', value: null },
    { kind: 'consumerPartitionMetadata', groupId: 'g', value: null },
    { kind: 'consumerRegex', groupId: 'g', regex: 'x', value: null },
    { kind: 'consumerEpoch', groupId: 'g', value: null },
  ])
  assert.deepEqual(tester.list(), [])
})

test('a partition whose new owner stands in the log before the old one lets go stays with it', () => {
  const tester = moved()
  const letsGo = tester.records.findLastIndex(
    (record) => record.kind === 'consumerAssignment' && record.memberId === 'a' && record.value?.memberEpoch === 3,
  )
  const [release] = tester.records.splice(letsGo, 1)
  reading(tester, [...tester.records, release!])
  tester.enterWith('c', [])
  assert.deepEqual(tester.holdings['b']!.has, { orders: [1] })
  tester.beat({ member: 'a', epoch: -1 })
  assert.deepEqual(tester.beat({ member: 'b', epoch: 3 }).assignment, { orders: [0, 1] })
})

test('a group that committed offsets before it had members is of the consumer protocol all the same', () => {
  const tester = moved()
  const value = { offset: 3, leaderEpoch: -1, metadata: '', commitTimestamp: 1, expireTimestamp: -1 }
  const topicId = 'AAAAAAAAAAAAAAAAAAAAAA'
  const offset = { kind: 'offset', groupId: 'g', topic: 'orders', partition: 0, value: { ...value, topicId } } as const
  reading(tester, [offset, ...tester.records])
  assert.deepEqual(
    tester.list().map(({ groupType }) => groupType),
    ['consumer'],
  )
  assert.equal(tester.fetch({ topic: 'orders' }).committedOffset, 3)
})

test('what is left of a classic group of the same name does no harm to the one that took its place', () => {
  const tester = moved()
  reading(tester, [...tester.records, { kind: 'groupDeleted', groupId: 'g' }])
  assert.equal(tester.groupState, 'Stable')
})

test('a group that has become classic is what the last records say', () => {
  const tester = moved()
  const { records } = tester
  const value = {
    protocolType: 'consumer',
    generation: 4,
    protocol: null,
    leader: null,
    currentStateTimestamp: 1,
    members: [],
  }
  const gone = compacted(records).flatMap((record): GroupRecord[] =>
    'value' in record && record.kind.startsWith('consumer') ? [{ ...record, value: null } as GroupRecord] : [],
  )
  const order = ['consumerAssignment', 'consumerTarget', 'consumerTargetEpoch', 'consumerMember', 'consumerEpoch']
  const tombstones = gone.toSorted((one, other) => order.indexOf(one.kind) - order.indexOf(other.kind))
  reading(tester, [...records, ...tombstones, { kind: 'generation', groupId: 'g', value }])
  assert.deepEqual(
    tester.list().map(({ groupType }) => groupType),
    ['classic'],
  )
})

test('what Kafka 4.0 remembered of partitions is taken out of the log with the next heartbeat', () => {
  const tester = moved()
  reading(tester, [...tester.records, { kind: 'consumerPartitionMetadata', groupId: 'g', value: 'outdated' }])
  const records = tester.appended(() => tester.beat({ member: 'a', epoch: 3 }))
  assert.deepEqual(records, [{ kind: 'consumerPartitionMetadata', groupId: 'g', value: null }])
  assert.equal(tester.appended(() => tester.beat({ member: 'a', epoch: 3 })).length, 0)
})

test('a member whose state a newer version wrote joins again, and then gets what it had', () => {
  const tester = moved()
  const records = tester.records.map((record) =>
    record.kind === 'consumerAssignment' && record.memberId === 'b' && record.value !== null
      ? { ...record, value: { ...record.value, state: 'unknown' as const } }
      : record,
  )
  reading(tester, records)
  const { errorCode, errorMessage } = tester.beat({ member: 'b', epoch: 3, owned: { orders: [1] } })
  assert.equal(errorCode, 110)
  assert.equal(
    errorMessage,
    'The consumer group member is in a unknown state. The member must abandon all its partitions and rejoin.',
  )
  assert.deepEqual(tester.enterWith('b').assignment, { orders: [1] })
  assert.equal(tester.groupState, 'Stable')
})

test('a change of topics that was first seen with a heartbeat that is refused is not forgotten', () => {
  const tester = moved()
  const records = tester.records.map((record) =>
    record.kind === 'consumerAssignment' && record.memberId === 'b' && record.value !== null
      ? { ...record, value: { ...record.value, state: 'unknown' as const } }
      : record,
  )
  reading(tester, records)
  tester.topic('orders', 3)
  tester.beat({ member: 'b', epoch: 3, owned: { orders: [1] } })
  tester.beat({ member: 'a', epoch: 3, owned: { orders: [0] } })
  assert.equal(tester.describeConsumers().groupEpoch, 4)
})
