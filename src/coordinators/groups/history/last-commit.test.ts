import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reply } from '../../effect.ts'
import type { CommittedOffset } from '../group-record.ts'
import { type Happening, noted, type NotedMember } from './group-note.ts'
import { withLastCommits, withOwned } from './last-commit.ts'

const member: NotedMember = { memberId: 'm', groupInstanceId: null, clientId: 'c', clientHost: '/h' }

function committedAt(offset: number, commitTimestamp: number): CommittedOffset {
  return { offset, leaderEpoch: -1, metadata: '', commitTimestamp, expireTimestamp: -1, topicId: '' }
}

const committed = new Map([
  ['g/orders/3', committedAt(1240, 100)],
  ['g/orders/4', committedAt(7, 90)],
  ['g/a-b/0', committedAt(5, 80)],
  ['other/orders/5', committedAt(9, 999)],
])
const lookUp = ({ groupId, topic, partition }: { groupId: string; topic: string; partition: number }) =>
  committed.get(`${groupId}/${topic}/${partition}`)

function decorated(what: Happening): Happening {
  const [effect] = withLastCommits([noted('g', what)], lookUp)
  assert.ok(effect?.kind === 'note')
  return effect.note.what
}

const cases: readonly { readonly name: string; readonly owned: readonly string[]; readonly last: unknown }[] = [
  {
    name: 'of several partitions the one that was committed last',
    owned: ['orders-4', 'orders-3', 'orders-5'],
    last: { partition: 'orders-3', offset: 1240, at: 100 },
  },
  {
    name: 'of a topic with a dash in its name',
    owned: ['a-b-0'],
    last: { partition: 'a-b-0', offset: 5, at: 80 },
  },
  { name: 'none where this group has committed nothing', owned: ['orders-5'], last: null },
  { name: 'none for who had no partitions', owned: [], last: null },
]
for (const { name, owned, last } of cases) {
  test(`a member that goes is told with its last committed offset: ${name}`, () => {
    for (const what of [
      { kind: 'memberSilent', member, silentMs: 1, owned },
      { kind: 'memberLeft', member, reason: null, owned },
      { kind: 'memberDisconnected', member, owned },
      { kind: 'memberOverdue', member, phase: 'join', afterMs: 1, owned },
    ] as const) {
      assert.deepEqual(decorated(what), { ...what, lastCommit: last })
    }
  })
}

test('where the machine does not say what a member had, nothing is said of it', () => {
  const what = { kind: 'memberSilent', member, silentMs: 1 } as const
  assert.deepEqual(decorated(what), what)
})

test('all other effects are handed on as they are', () => {
  const effects = [reply(1, {}), noted('g', { kind: 'memberJoined', member })]
  assert.equal(withLastCommits(effects, lookUp), effects)
})

test('what is told of the end of a member tells the partitions it had, and nothing else does', () => {
  const silent = { kind: 'memberSilent', member, silentMs: 1 } as const
  assert.deepEqual(withOwned(silent, ['orders-3']), { ...silent, owned: ['orders-3'] })
  assert.deepEqual(withOwned({ ...silent, owned: ['a-1'] }, ['orders-3']), { ...silent, owned: ['a-1'] })
  assert.deepEqual(withOwned({ kind: 'memberJoined', member }, ['orders-3']), { kind: 'memberJoined', member })
})
