import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { queryObjects } from 'node:v8'
import * as fc from 'fast-check'
import { OffsetQueue, type OffsetWaiter } from './offset-queue.ts'

class Recorder implements OffsetWaiter {
  settled = false
  readonly calls: string[] = []
  reached(slot: number): void {
    this.calls.push(`reached ${slot}`)
  }
  lost(slot: number, reason: string): void {
    this.calls.push(`lost ${slot} ${reason}`)
  }
}

describe('an offset queue', () => {
  test('serves those whose end is reached, in order, each once', () => {
    const queue = new OffsetQueue()
    const waiter = new Recorder()
    queue.add(10, waiter, 0)
    queue.add(20, waiter, 1)
    queue.add(30, waiter, 2)
    queue.drainTo(9)
    assert.deepEqual(waiter.calls, [])
    queue.drainTo(20)
    queue.drainTo(20)
    assert.deepEqual(waiter.calls, ['reached 0', 'reached 1'])
    assert.equal(queue.size, 1)
  })

  test('a retry whose end is below what is queued waits for its turn', () => {
    const queue = new OffsetQueue()
    const waiter = new Recorder()
    queue.add(20, waiter, 0)
    queue.add(10, waiter, 1)
    queue.drainTo(15)
    assert.deepEqual(waiter.calls, [])
    queue.drainTo(20)
    assert.deepEqual(waiter.calls, ['reached 0', 'reached 1'])
  })

  test('tells everyone who still waits why nothing more will come', () => {
    const queue = new OffsetQueue()
    const waiter = new Recorder()
    queue.add(1, waiter, 0)
    queue.add(2, waiter, 1)
    queue.drainTo(1)
    queue.loseAll('offline')
    queue.drainTo(99)
    assert.deepEqual(waiter.calls, ['reached 0', 'lost 1 offline'])
  })

  test('calls nobody who has settled', () => {
    const queue = new OffsetQueue()
    const waiter = new Recorder()
    queue.add(1, waiter, 0)
    queue.add(2, waiter, 1)
    waiter.settled = true
    queue.drainTo(1)
    queue.loseAll('notLeader')
    assert.deepEqual(waiter.calls, [])
  })

  test('does not collect settled waiters while the log makes no progress', () => {
    const queue = new OffsetQueue()
    for (let end = 1; end <= 10_000; end++) {
      const waiter = new Recorder()
      queue.add(end, waiter, 0)
      waiter.settled = true
    }
    assert.ok(queue.size <= 512, `${queue.size} entries`)
  })

  test('keeps nobody alive who has been served', () => {
    class Served extends Recorder {}
    const queue = new OffsetQueue()
    for (let end = 1; end <= 100; end++) queue.add(end, new Served(), 0)
    queue.drainTo(90)
    assert.equal(queryObjects(Served, { format: 'count' }), 10)
    queue.loseBeyond(95, 'offline')
    assert.equal(queryObjects(Served, { format: 'count' }), 5)
    queue.drainTo(100)
    assert.equal(queryObjects(Served, { format: 'count' }), 0)
  })

  test('a waiter may queue again while it is served', () => {
    const queue = new OffsetQueue()
    const calls: number[] = []
    const waiter: OffsetWaiter = {
      settled: false,
      reached: (slot) => {
        calls.push(slot)
        if (slot < 3) queue.add(slot + 2, waiter, slot + 1)
      },
      lost: () => assert.fail('nothing is lost'),
    }
    queue.add(1, waiter, 0)
    for (let offset = 1; offset <= 10; offset++) queue.drainTo(offset)
    assert.deepEqual(calls, [0, 1, 2, 3])
  })

  test('serves as a plain list would', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), end: fc.nat(50) }),
      fc.record({ kind: fc.constant('drain' as const), offset: fc.nat(60) }),
      fc.record({ kind: fc.constant('lose' as const) }),
      fc.record({ kind: fc.constant('loseBeyond' as const), offset: fc.nat(60) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const queue = new OffsetQueue()
        const waiter = new Recorder()
        let model: { end: number; slot: number }[] = []
        const expected: string[] = []
        for (const [slot, one] of steps.entries()) {
          if (one.kind === 'add') {
            queue.add(one.end, waiter, slot)
            model.push({ end: one.end, slot })
          } else if (one.kind === 'drain') {
            queue.drainTo(one.offset)
            const waiting = model.findIndex(({ end }) => end > one.offset)
            const served = model.splice(0, waiting === -1 ? model.length : waiting)
            for (const { slot } of served) expected.push(`reached ${slot}`)
          } else if (one.kind === 'loseBeyond') {
            queue.loseBeyond(one.offset, 'diskFull')
            for (const { end, slot } of model) if (end > one.offset) expected.push(`lost ${slot} diskFull`)
            model = model.filter(({ end }) => end <= one.offset)
          } else {
            queue.loseAll('deleted')
            for (const { slot } of model) expected.push(`lost ${slot} deleted`)
            model = []
          }
        }
        assert.deepEqual(waiter.calls, expected)
        assert.equal(queue.size, model.length)
      }),
      { numRuns: 200 },
    )
  })
})
