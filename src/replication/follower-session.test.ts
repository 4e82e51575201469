import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '../protocol/error-code.ts'
import { FollowerSession, type WantedPartition } from './follower-session.ts'

/** `a/0: 7` asks for partition 0 of topic a from 7 on. */
function wanted(offsets: Record<string, number>, currentLeaderEpoch = 1): Map<string, WantedPartition> {
  return new Map(
    Object.entries(offsets).map(([place, fetchOffset]) => {
      const [topicId, index] = place.split('/') as [string, string]
      const one = {
        topicId,
        index: Number(index),
        currentLeaderEpoch,
        fetchOffset,
        lastFetchedEpoch: 0,
        logStartOffset: 0,
      }
      return [place, one]
    }),
  )
}

const fine = (sessionId: number) => ({ errorCode: ErrorCode.NONE, sessionId })

const before = new WeakMap<FollowerSession, Map<string, WantedPartition>>()

/** Wants these and nothing else. */
function ask(session: FollowerSession, offsets: Record<string, number>, epoch?: number) {
  const now = wanted(offsets, epoch)
  for (const key of before.get(session)?.keys() ?? []) if (!now.has(key)) session.want(key, null)
  for (const [key, one] of now) session.want(key, one)
  before.set(session, now)
  assert.equal(session.size, now.size)
  return session.next()
}

function outline(session: FollowerSession, offsets: Record<string, number>, epoch?: number): string {
  const next = ask(session, offsets, epoch)
  const asked = next.partitions.map(({ topicId, index, fetchOffset }) => `${topicId}/${index}:${fetchOffset}`)
  const forgotten = next.forgottenTopicsData.map(({ topicId, partitions }) => `-${topicId}/${partitions.join('+')}`)
  return [`${next.sessionId}#${next.sessionEpoch}`, ...asked, ...forgotten].join(' ')
}

test('the first request says everything, later ones what changed, came or went', () => {
  const session = new FollowerSession()
  assert.equal(outline(session, { 'a/0': 1, 'a/1': 2, 'b/0': 3 }), '0#0 a/0:1 a/1:2 b/0:3')
  assert.equal(session.answered(fine(9)), true)
  assert.equal(outline(session, { 'a/0': 1, 'a/1': 5, 'b/0': 3 }), '9#1 a/1:5')
  session.answered(fine(9))
  assert.equal(outline(session, { 'b/0': 3, 'c/0': 0 }), '9#2 c/0:0 -a/0+1')
  session.answered(fine(9))
  assert.equal(outline(session, { 'b/0': 3, 'c/0': 0 }), '9#3')
  session.answered(fine(9))
  assert.equal(outline(session, { 'b/0': 3, 'c/0': 0 }, 2), '9#4 b/0:3 c/0:0', 'under another epoch all is new')
})

test('a session that the leader does not know, or whose fate is unknown, begins anew and takes the place of the old one', () => {
  for (const end of [
    (session: FollowerSession) =>
      assert.equal(session.answered({ errorCode: ErrorCode.FETCH_SESSION_ID_NOT_FOUND, sessionId: 0 }), false),
    (session: FollowerSession) => session.lost(),
  ]) {
    const session = new FollowerSession()
    ask(session, { 'a/0': 1 })
    session.answered(fine(9))
    ask(session, { 'a/0': 2 })
    end(session)
    assert.equal(outline(session, { 'a/0': 2 }), '9#0 a/0:2')
    session.answered(fine(10))
    assert.equal(outline(session, { 'a/0': 2 }), '10#1')
  }
})

test('a leader without room for a session is told everything each time', () => {
  const session = new FollowerSession()
  ask(session, { 'a/0': 1 })
  session.answered(fine(0))
  assert.equal(outline(session, { 'a/0': 1 }), '0#0 a/0:1')
})

test('what was not wanted for a moment, between two requests, is no news', () => {
  const session = new FollowerSession()
  ask(session, { 'a/0': 1, 'a/1': 1 })
  session.answered(fine(9))
  session.want('a/0', null)
  assert.equal(outline(session, { 'a/0': 1, 'a/1': 1 }), '9#1')
  assert.equal(session.asked('a/0')?.fetchOffset, 1)
  session.answered(fine(9))
  assert.equal(outline(session, { 'a/1': 1 }), '9#2 -a/0')
  assert.equal(session.asked('a/0'), undefined)
})
