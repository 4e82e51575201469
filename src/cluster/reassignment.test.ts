import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '../protocol/error-code.ts'
import type { PartitionImage } from './image.ts'
import { partitionImage } from './partition-image.ts'
import { reassigned, type ReassignmentOptions, revertedReassignment } from './reassignment.ts'

const partition: PartitionImage = {
  index: 0,
  revision: 7,
  replicas: [1, 2, 3],
  isr: [1, 2, 3],
  leader: 1,
  leaderEpoch: 4,
  partitionEpoch: 9,
  adding: [],
  removing: [],
  failed: [],
}

const options: ReassignmentOptions = {
  mayLead: () => true,
  isKnown: (id) => id <= 5,
  unclean: false,
  allowReplicationFactorChange: true,
}

/** `replicas +adding -removing isr leader@epoch` */
function sketch(partition: PartitionImage): string {
  const { replicas, adding, removing, isr, leader, leaderEpoch } = partition
  return `${replicas.join()} +${adding.join()} -${removing.join()} ${isr.join()} ${leader}@${leaderEpoch}`
}

for (const { what, before = {}, target, expected, given = {} } of [
  { what: 'one replica to another broker', target: [4, 2, 3], expected: '4,2,3,1 +4 -1 1,2,3 1@4' },
  { what: 'all replicas to other brokers', target: [4, 5], expected: '4,5,1,2,3 +4,5 -1,2,3 1,2,3 1@4' },
  { what: 'one replica more', target: [1, 2, 3, 4], expected: '1,2,3,4 +4 - 1,2,3 1@4' },
  { what: 'one replica less, which takes no time', target: [1, 2], expected: '1,2 + - 1,2 1@5' },
  { what: 'one replica less, the leader', target: [2, 3], expected: '2,3 + - 2,3 2@5' },
  { what: 'another order', target: [3, 2, 1], expected: '3,2,1 + - 1,2,3 1@4' },
  { what: 'nothing', target: [1, 2, 3], expected: null },
  {
    what: 'a replica that is not in sync and goes',
    before: { isr: [1, 2] },
    target: [1, 2],
    expected: '1,2 + - 1,2 1@5',
  },
  {
    what: 'less, where what stays is not all in sync',
    before: { isr: [1, 2] },
    target: [1, 3],
    expected: '1,3,2 + -2 1,2 1@4',
  },
  {
    what: 'another target while a reassignment runs',
    before: { replicas: [4, 2, 3, 1], adding: [4], removing: [1] },
    target: [5, 2, 3],
    expected: '5,2,3,1 +5 -1 1,2,3 1@5',
  },
  {
    what: 'a target that keeps what is being added',
    before: { replicas: [4, 2, 3, 1], adding: [4], removing: [1] },
    target: [4, 5, 3],
    expected: '4,5,3,1,2 +4,5 -1,2 1,2,3 1@4',
  },
  {
    what: 'a target without those that alone are in sync and were being added',
    before: { replicas: [4, 2, 3, 1], adding: [4], removing: [1], isr: [4], leader: 4 },
    target: [1, 2, 3],
    expected: '1,2,3,4 + -4 4 4@4',
  },
  {
    what: 'back, by naming the first replicas',
    before: { replicas: [4, 2, 3, 1], adding: [4], removing: [1] },
    target: [1, 2, 3],
    expected: '1,2,3 + - 1,2,3 1@5',
  },
  {
    what: 'the same number of others, when the number may not change',
    target: [4, 2, 3],
    given: { allowReplicationFactorChange: false },
    expected: '4,2,3,1 +4 -1 1,2,3 1@4',
  },
] as const) {
  test(`reassigning: ${what}`, () => {
    const document = reassigned({ ...partition, ...before }, target, { ...options, ...given })
    assert.ok(document === null || !('ok' in document))
    assert.equal(document === null ? null : sketch(partitionImage(document, 0, 8)), expected)
  })
}

for (const { what, target, given = {}, error, message } of [
  { what: 'no replicas', target: [], error: ErrorCode.INVALID_REPLICA_ASSIGNMENT, message: /empty replica list/ },
  {
    what: 'a broker twice',
    target: [1, 1],
    error: ErrorCode.INVALID_REPLICA_ASSIGNMENT,
    message: /broker 1 more than/,
  },
  {
    what: 'a broker that never was',
    target: [1, 9],
    error: ErrorCode.INVALID_REPLICA_ASSIGNMENT,
    message: /includes broker 9, but no such broker is registered/,
  },
  {
    what: 'another number of replicas, when that may not change',
    target: [1, 2],
    given: { allowReplicationFactorChange: false },
    error: ErrorCode.INVALID_REPLICATION_FACTOR,
    message: /changed from 3 to 2/,
  },
] as const) {
  test(`reassigning is refused with ${what}`, () => {
    const refused = reassigned(partition, target, { ...options, ...given })
    assert.ok(refused !== null && 'ok' in refused)
    assert.equal(refused.error, error)
    assert.match(refused.message, message)
  })
}

const running = { ...partition, replicas: [4, 2, 3, 1], adding: [4], removing: [1] }

for (const { what, before, unclean = false, expected } of [
  { what: 'a reassignment that has copied nothing', before: running, expected: '2,3,1 + - 1,2,3 1@5' },
  {
    what: 'a reassignment whose new replica already leads',
    before: { ...running, isr: [2, 4], leader: 4 },
    expected: '2,3,1 + - 2 2@5',
  },
  {
    what: 'one where only what was added is in sync, uncleanly',
    before: { ...running, isr: [4], leader: 4 },
    unclean: true,
    expected: '2,3,1 + - 2 2@5',
  },
]) {
  test(`cancelling: ${what}`, () => {
    const document = revertedReassignment(before, 'orders', { ...options, unclean })
    assert.ok(document !== null && !('ok' in document))
    assert.equal(sketch(partitionImage(document, 0, 8)), expected)
  })
}

for (const { what, before, error } of [
  { what: 'no reassignment runs', before: partition, error: ErrorCode.NO_REASSIGNMENT_IN_PROGRESS },
  {
    what: 'only what was added is in sync',
    before: { ...running, isr: [4], leader: 4 },
    error: ErrorCode.INVALID_REPLICA_ASSIGNMENT,
  },
]) {
  test(`cancelling is refused where ${what}`, () => {
    const refused = revertedReassignment(before, 'orders', options)
    assert.ok(refused !== null && 'ok' in refused)
    assert.equal(refused.error, error)
  })
}
