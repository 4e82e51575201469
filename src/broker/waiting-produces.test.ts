import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../io/clock.sim.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { OffsetQueue } from '../replication/offset-queue.ts'
import type { Partition } from '../replication/partition.ts'
import { type PendingAnswer, WaitingProduce } from './waiting-produces.ts'

function waiting() {
  const queue = new OffsetQueue()
  const partition = {
    hasEnoughReplicas: true,
    waitCommitted: (end: number, waiter: WaitingProduce, slot: number) => {
      queue.add(end, waiter, slot)
      return true
    },
  } as unknown as Partition
  const produce = new WaitingProduce()
  const answer: PendingAnswer = { errorCode: ErrorCode.NONE }
  produce.committed(partition, 1, answer)
  return { queue, produce, answer, clock: new SimulatedClock() }
}

test('an answer that has left is not changed by what happens to its partition later', async () => {
  const { queue, produce, answer, clock } = waiting()
  const done = produce.done(clock, 100)
  await clock.advance(100)
  await done
  assert.equal(answer.errorCode, ErrorCode.REQUEST_TIMED_OUT)
  queue.loseAll('offline')
  assert.equal(answer.errorCode, ErrorCode.REQUEST_TIMED_OUT)
  assert.equal(produce.settled, true)
})

test('a negative timeout is over at once', async () => {
  const { produce, answer, clock } = waiting()
  const done = produce.done(clock, -1)
  await clock.runDue()
  await done
  assert.equal(answer.errorCode, ErrorCode.REQUEST_TIMED_OUT)
})

test('a wait without a timeout sets no timer', async () => {
  const { queue, produce, answer, clock } = waiting()
  const done = produce.done(clock, null)
  assert.equal(clock.pendingTimers, 0)
  queue.drainTo(1)
  await done
  assert.equal(answer.errorCode, ErrorCode.NONE)
})
