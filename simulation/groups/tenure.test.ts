import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memberTiming } from './member.ts'
import { Tenure } from './tenure.ts'

const { pollGapMsMax, heartbeatMs } = memberTiming

/** Joined at 0, and got its assignment. */
function member(): Tenure {
  const tenure = new Tenure()
  tenure.joined(0, 10)
  tenure.assigned()
  return tenure
}

test('a member that joins for the first time cannot have been dropped', () => {
  const tenure = new Tenure()
  tenure.joined(1_000_000, 1_000_010)
  assert.equal(tenure.isInDoubt, false)
})

test('a member that rejoins while its time to do so cannot be over is the one it was', () => {
  const tenure = member()
  tenure.joined(pollGapMsMax - 20, pollGapMsMax - 1)
  assert.equal(tenure.isInDoubt, false)
})

test('a member whose rejoining is answered later may have been dropped, until it has an assignment', () => {
  const tenure = member()
  tenure.joined(pollGapMsMax - 20, pollGapMsMax)
  assert.equal(tenure.isInDoubt, true)
  tenure.joined(pollGapMsMax, pollGapMsMax + 10)
  assert.equal(tenure.isInDoubt, true, 'joining once more says nothing of what came before')
  tenure.assigned()
  assert.equal(tenure.isInDoubt, false)
})

test('as long as all heartbeats say that all is well, no time to rejoin runs', () => {
  const tenure = member()
  tenure.beaten(heartbeatMs, true)
  tenure.joined(pollGapMsMax, pollGapMsMax + heartbeatMs - 1)
  assert.equal(tenure.isInDoubt, false)
})

test('once a heartbeat said something else, or nothing, later ones do not stop the time to rejoin', () => {
  const tenure = member()
  tenure.beaten(heartbeatMs, false)
  tenure.beaten(2 * heartbeatMs, true)
  tenure.joined(pollGapMsMax, pollGapMsMax + 10)
  assert.equal(tenure.isInDoubt, true)
})

test('who knows that it is no member joins for the first time', () => {
  const tenure = member()
  tenure.ended()
  tenure.joined(10 * pollGapMsMax, 10 * pollGapMsMax + 10)
  assert.equal(tenure.isInDoubt, false)
})
