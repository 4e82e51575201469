// Notes in, words out.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Happening, NotedMember } from './group-note.ts'
import { namesWords, shortId, spanWords, wordsOf } from './happening-words.ts'

const now = 1_000_000_000
const member: NotedMember = {
  memberId: 'consumer-2-3f2a9c01-77aa-4f6b-9d1e-000000000000',
  groupInstanceId: null,
  clientId: 'consumer-2',
  clientHost: '/10.0.0.5',
}
const pod: NotedMember = { ...member, memberId: 'pod-1-9bd0ef12-1111', groupInstanceId: 'pod-1' }
const orders3 = { partition: 'orders-3', offset: 1240, at: now - 240_000 }
const owned = ['orders-3', 'orders-4']

const cases: readonly { readonly what: Happening; readonly words: string }[] = [
  {
    what: { kind: 'coordinatorStarted', state: 'Stable' },
    words: 'this broker became the coordinator and found the group Stable; what was before it does not know',
  },
  { what: { kind: 'memberJoined', member }, words: 'consumer-2 (10.0.0.5, 3f2a9c01) joined' },
  { what: { kind: 'memberJoined', member: pod }, words: 'pod-1 (10.0.0.5, 9bd0ef12) joined' },
  {
    what: { kind: 'memberJoined', member: { ...member, clientId: '', memberId: 'Qm9uam91ciE' } },
    words: 'a member without a name (10.0.0.5, Qm9uam91) joined',
  },
  {
    what: { kind: 'memberReplaced', member: pod, oldMemberId: 'pod-1-0a0b0c0d-2222' },
    words: 'pod-1 (10.0.0.5, 9bd0ef12) came back and took the place of its former self, 0a0b0c0d',
  },
  {
    what: { kind: 'memberLeft', member, reason: 'the consumer is being closed' },
    words: 'consumer-2 (10.0.0.5, 3f2a9c01) left: the consumer is being closed',
  },
  {
    what: { kind: 'memberLeft', member, reason: null, owned, lastCommit: orders3 },
    words: 'consumer-2 (10.0.0.5, 3f2a9c01) left; its last committed offset was orders-3@1240 (4 minutes before)',
  },
  {
    what: { kind: 'memberSilent', member, silentMs: 45_000, owned, lastCommit: orders3 },
    words:
      'consumer-2 (10.0.0.5, 3f2a9c01) was silent for 45 s while its last committed offset was orders-3@1240 (4 minutes before)',
  },
  {
    what: { kind: 'memberSilent', member, silentMs: 45_000, owned, lastCommit: { ...orders3, at: now - 500 } },
    words:
      'consumer-2 (10.0.0.5, 3f2a9c01) was silent for 45 s while its last committed offset was orders-3@1240 (just before)',
  },
  {
    what: { kind: 'memberSilent', member, silentMs: 45_000, owned, lastCommit: null },
    words: 'consumer-2 (10.0.0.5, 3f2a9c01) was silent for 45 s while nothing was committed of its 2 partitions',
  },
  {
    what: { kind: 'memberSilent', member, silentMs: 45_000, owned: [], lastCommit: null },
    words: 'consumer-2 (10.0.0.5, 3f2a9c01) was silent for 45 s while it had no partitions',
  },
  {
    what: { kind: 'memberSilent', member, silentMs: 45_000 },
    words: 'consumer-2 (10.0.0.5, 3f2a9c01) was silent for 45 s',
  },
  { what: { kind: 'memberDisconnected', member }, words: 'consumer-2 (10.0.0.5, 3f2a9c01) closed its connection' },
  {
    what: { kind: 'memberOverdue', member, phase: 'join', afterMs: 60_000 },
    words: 'consumer-2 (10.0.0.5, 3f2a9c01) did not rejoin within 60 s',
  },
  {
    what: { kind: 'memberOverdue', member, phase: 'sync', afterMs: 60_000 },
    words: 'consumer-2 (10.0.0.5, 3f2a9c01) did not ask for its assignment within 60 s',
  },
  {
    what: { kind: 'memberOverdue', member, phase: 'revocation', afterMs: 300_000 },
    words: 'consumer-2 (10.0.0.5, 3f2a9c01) did not give up the partitions it had to within 5 minutes',
  },
  {
    what: { kind: 'subscriptionChanged', member, topics: ['orders', 'clicks'], regex: null },
    words: 'consumer-2 (10.0.0.5, 3f2a9c01) now reads orders and clicks',
  },
  {
    what: { kind: 'subscriptionChanged', member, topics: ['orders'], regex: 'eu-.*' },
    words: 'consumer-2 (10.0.0.5, 3f2a9c01) now reads orders and what matches eu-.*',
  },
  {
    what: { kind: 'subscriptionChanged', member, topics: [], regex: null },
    words: 'consumer-2 (10.0.0.5, 3f2a9c01) now reads nothing',
  },
  { what: { kind: 'topicsChanged', topics: ['orders'] }, words: 'topic orders changed' },
  { what: { kind: 'topicsChanged', topics: ['orders', 'clicks'] }, words: 'topics orders and clicks changed' },
  {
    what: {
      kind: 'topicsChanged',
      topics: ['orders', 'clicks', 'old'],
      counts: [
        { topic: 'orders', before: 6, after: 12 },
        { topic: 'clicks', before: 0, after: 1 },
        { topic: 'old', before: 3, after: 0 },
      ],
    },
    words: 'topic orders grew to 12 partitions; topic clicks came, with 1 partition; topic old was deleted',
  },
  {
    what: {
      kind: 'topicsChanged',
      topics: ['orders', 'old'],
      counts: [
        { topic: 'orders', before: null, after: 12 },
        { topic: 'old', before: null, after: 0 },
      ],
    },
    words: 'topic orders changed, and has 12 partitions now; topic old was deleted',
  },
  { what: { kind: 'rebalanceStarted', reason: null }, words: 'a rebalance began' },
  {
    what: { kind: 'rebalanceStarted', member, reason: 'cached metadata has changed' },
    words: 'a rebalance began: consumer-2 (10.0.0.5, 3f2a9c01) asked for it: cached metadata has changed',
  },
  {
    what: { kind: 'rebalanceEnded', epoch: 7, members: 1, protocol: 'range', durationMs: 3_210 },
    words: 'the rebalance was over after 3.2 s: epoch 7, 1 member, range',
  },
  {
    what: { kind: 'rebalanceEnded', epoch: 8, members: 0, protocol: null, durationMs: 0 },
    words: 'the rebalance was over after 0 ms: epoch 8, 0 members',
  },
  {
    what: { kind: 'assignmentChanged', member, gained: ['orders-0'], lost: ['orders-1', 'orders-2'] },
    words: 'consumer-2 (10.0.0.5, 3f2a9c01) got orders-0 and gave up orders-1 and orders-2',
  },
  {
    what: { kind: 'offsetsSet', clientId: 'tool', partitions: 1 },
    words: 'tool, no member, set the offsets of 1 partition',
  },
  {
    what: { kind: 'offsetsDeleted', partitions: 3, reason: 'expired' },
    words: 'the offsets of 3 partitions were deleted: they were older than is kept',
  },
  { what: { kind: 'converted', to: 'consumer' }, words: 'the group went over to the consumer protocol' },
  { what: { kind: 'groupDeleted', reason: 'asked' }, words: 'the group was deleted' },
]

for (const { what, words } of cases) {
  test(words, () => {
    assert.equal(wordsOf(what, now), words)
  })
}

test('whatever a client calls itself, words have a bound', () => {
  const long = 'x'.repeat(30_000)
  const loud = { memberId: long, groupInstanceId: null, clientId: long, clientHost: '/10.0.0.5' }
  const many = Array.from({ length: 5_000 }, (_, partition) => `orders-${partition}`)
  assert.ok(wordsOf({ kind: 'memberLeft', member: loud, reason: long }, now).length < 700)
  assert.ok(wordsOf({ kind: 'assignmentChanged', member: loud, gained: many, lost: many }, now).length < 1_200)
  assert.match(wordsOf({ kind: 'assignmentChanged', member, gained: many, lost: [] }, now), /orders-19 and 4980 more$/)
})

test('lists read as people say them', () => {
  assert.equal(namesWords([]), '')
  assert.equal(namesWords(['a']), 'a')
  assert.equal(namesWords(['a', 'b', 'c']), 'a, b and c')
  assert.equal(namesWords(['a', 'b', 'c'], 2), 'a, b and 1 more')
})

test('spans are told in the unit that fits', () => {
  assert.deepEqual([-5, 320, 1_500, 45_000, 119_000, 240_000, 7_200_000, 172_800_000].map(spanWords), [
    '0 ms',
    '320 ms',
    '1.5 s',
    '45 s',
    '119 s',
    '4 minutes',
    '2 hours',
    '2 days',
  ])
})

test('a member id is told by what is unique in it', () => {
  assert.equal(shortId(member, member.memberId), '3f2a9c01')
  assert.equal(shortId(pod, pod.memberId), '9bd0ef12')
  assert.equal(shortId(member, 'a1b2c3d4e5f6'), 'a1b2c3d4')
})
