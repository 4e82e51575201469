import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FetchSession } from './fetch-session.ts'

function wanted(partition: number, fetchOffset: number) {
  return { partition, fetchOffset, currentLeaderEpoch: 0, lastFetchedEpoch: -1 }
}

test('after the first fetch only what has changed is asked for, and what is no longer wanted is forgotten', () => {
  const session = new FetchSession()
  const all = [wanted(0, 0), wanted(1, 5), wanted(2, 0)]
  assert.deepEqual(session.request(all), { sessionId: 0, sessionEpoch: 0, wanted: all, forgotten: [] })
  session.answered(77)
  const next = [wanted(0, 0), wanted(1, 6)]
  assert.deepEqual(session.request(next), {
    sessionId: 77,
    sessionEpoch: 1,
    wanted: [wanted(1, 6)],
    forgotten: [2],
  })
  session.answered(77)
  assert.deepEqual(session.request(next), { sessionId: 77, sessionEpoch: 2, wanted: [], forgotten: [] })
})

test('where the broker opens no session, or has lost it, everything is asked for', () => {
  const session = new FetchSession()
  session.request([wanted(0, 0)])
  session.answered(0)
  assert.ok(session.isFull)
  session.request([wanted(0, 0)])
  session.answered(5)
  session.reset()
  const asked = session.request([wanted(0, 0)])
  assert.deepEqual(asked, { sessionId: 0, sessionEpoch: 0, wanted: [wanted(0, 0)], forgotten: [] })
})
