import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientsWordsOn, happeningOf, historyOf, partitionNamedIn } from './trace-reading.ts'

const lines = [
  '1 0.0000 broker-1: starts, life 1',
  '2 1.5000 etcd: 7 topic/orders = {"v":1,"id":"aaaa","partitionCount":1}',
  '3 1.5000 etcd: 7 part/aaaa/0 = {"v":1,"replicas":[1,2,3],"isr":[1,2,3],"leader":1,"leaderEpoch":0,"partitionEpoch":0}',
  '4 1.6000 etcd: 8 part/bbbb/0 = {"v":1,"replicas":[1],"isr":[1],"leader":1,"leaderEpoch":0,"partitionEpoch":0}',
  '5 2.0000 broker-1: the power fails',
  '6 4.5000 etcd: 9 part/aaaa/0 = {"v":1,"replicas":[1,2,3],"isr":[2,3],"leader":2,"leaderEpoch":1,"partitionEpoch":1}',
  '7 4.7500 broker-3: info the log is cut to where the leader’s parts partition="orders-0" leader=2 from=9 to=7',
  '8 4.8000 broker-3: info something else partition="orders-10"',
  '9 4.9000 etcd: 10 part/aaaa/0 = {"v":1,"replicas":[1,2,3],"isr":[2,3],"leader":-1,"leaderEpoch":2,"partitionEpoch":2}',
]
const happenings = lines.map(happeningOf)

test('a line of a trace is taken apart', () => {
  assert.deepEqual(happenings[0], { atMs: 0, who: 'broker-1', what: 'starts, life 1' })
  assert.throws(() => happeningOf('no line'), /not a line/)
})

test('the partition that a text is about is found by the topics that there were', () => {
  assert.equal(partitionNamedIn('broker-2 has lost offset 5 of orders-0', happenings), 'orders-0')
  assert.equal(partitionNamedIn('broker-2 is fenced', happenings), null)
})

test('the history of a partition says what changed, in words', () => {
  const told = historyOf('orders-0', happenings).map(({ who, what }) => `${who}: ${what}`)
  assert.deepEqual(told, [
    'broker-1: starts, life 1',
    'etcd: broker 1 leads under epoch 0; in sync: 1, 2, 3; replicas: 1, 2, 3',
    'broker-1: the power fails',
    'etcd: broker 2 leads under epoch 1; in sync: 2, 3',
    'broker-3: the log is cut to where the leader’s parts leader=2 from=9 to=7',
    'etcd: nobody leads under epoch 2',
  ])
})

test('of what clients were told, that is kept which is about the records in question', () => {
  const words = [
    '1 1.0000 orders-producer-1: orders-0 has from 4 on, as was acknowledged: orders-producer-1/7 orders-producer-1/8',
    '2 1.1000 orders-producer-1: orders-0 has from 6 on, as was acknowledged: orders-producer-1/9',
    '3 1.2000 broker-1: starts, life 1',
  ].map(happeningOf)
  const lost = 'orders-producer-1/8 was acknowledged at 5 of orders-0, but the log ends at 4'
  assert.deepEqual(clientsWordsOn(lost, 'orders-0', words), words.slice(0, 1))
  assert.deepEqual(clientsWordsOn('broker 1 leads orders-0 twice', 'orders-0', words), words.slice(0, 2))
  assert.deepEqual(clientsWordsOn('broker 1 is fenced', null, words), [])
})
