import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test, type TestContext } from 'node:test'
import { SimulatedClock } from '../../../io/clock.sim.ts'
import { type GroupHappened, GroupHistories } from './group-histories.ts'
import type { GroupNote, NotedMember } from './group-note.ts'

const member: NotedMember = { memberId: 'ann-0000', groupInstanceId: null, clientId: 'ann', clientHost: '/10.0.0.5' }
const joined = (groupId: string): GroupNote => ({ groupId, what: { kind: 'memberJoined', member } })
const start = (groupId: string): GroupNote => ({ groupId, what: { kind: 'rebalanceStarted', reason: null } })

test('each group has a history of its own, with the time of the clock', async () => {
  const clock = new SimulatedClock()
  const histories = new GroupHistories(clock)
  histories.note(joined('a'))
  await clock.advance(5000)
  histories.note(joined('b'))
  assert.equal(histories.of('b')!.happenings[0]!.at - histories.of('a')!.happenings[0]!.at, 5000)
  assert.equal(histories.of('c'), undefined)
})

test('beyond the bound the group that nothing has happened to for longest is forgotten', () => {
  const histories = new GroupHistories(new SimulatedClock(), { groupsMax: 2, bytesMax: 1 << 30 })
  for (const groupId of ['a', 'b', 'a', 'c']) histories.note(joined(groupId))
  assert.deepEqual(
    ['a', 'b', 'c'].map((groupId) => histories.of(groupId) !== undefined),
    [true, false, true],
  )
})

test('of a group that may have been forgotten nobody says that it was empty', () => {
  const histories = new GroupHistories(new SimulatedClock(), { groupsMax: 1, bytesMax: 1 << 30 })
  for (const groupId of ['a', 'b', 'a']) histories.note(start(groupId))
  assert.equal(histories.of('a')!.rebalances[0]!.membersBefore, null)
})

test('all histories together stay within their bytes, whatever clients say', () => {
  const bytesMax = 1 << 20
  const histories = new GroupHistories(new SimulatedClock(), { groupsMax: 1_000_000, bytesMax })
  const reason = 'r'.repeat(10_000)
  for (let i = 0; i < 20_000; i++) {
    histories.note({ groupId: `group-${i % 700}`, what: { kind: 'memberLeft', member, reason } })
    histories.note({ groupId: `group-${i % 700}`, what: { kind: 'rebalanceStarted', reason, member } })
    assert.ok(histories.bytes <= bytesMax)
  }
  assert.ok(histories.bytes > bytesMax / 2)
  assert.ok(histories.of('group-399') !== undefined)
})

function listen(t: TestContext): GroupHappened[] {
  const heard: GroupHappened[] = []
  const onMessage = (message: unknown) => void heard.push(message as GroupHappened)
  subscribe('odradek:group', onMessage)
  t.after(() => unsubscribe('odradek:group', onMessage))
  return heard
}

test('whoever listens to the channel odradek:group hears of each happening, as data and in words', (t) => {
  const clock = new SimulatedClock()
  const histories = new GroupHistories(clock)
  histories.note(joined('unheard'))
  const heard = listen(t)
  histories.note(joined('billing'))
  assert.deepEqual(heard, [
    {
      groupId: 'billing',
      at: clock.now(),
      happening: { kind: 'memberJoined', member },
      words: 'ann (10.0.0.5, 0000) joined',
    },
  ])
})
