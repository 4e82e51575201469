import assert from 'node:assert/strict'
import test from 'node:test'

import { SimulatedClock } from '../io/clock.sim.ts'
import { silentLogger } from '../lib/logger.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { SimulatedCoordinatorPartition } from './coordinator-partition.sim.ts'
import { type CoordinatorMachine, reply, type ReplyTo } from './effect.ts'
import { CoordinatorRuntime } from './runtime.ts'

interface Count {
  readonly replyTo?: ReplyTo<number>
}

/** Counts what it is told. */
function counter(): CoordinatorMachine<Count, number> {
  let count = 0
  return {
    step: ({ replyTo }) => (replyTo === undefined ? [{ kind: 'append', records: [1] }] : [reply(replyTo, count)]),
    apply: (step) => {
      count += step
    },
    transactionEnded() {},
    loaded: () => [],
  }
}

function setUp() {
  const clock = new SimulatedClock()
  const runtime = new CoordinatorRuntime<Count, number>({
    topicName: 'counts',
    clock,
    logger: silentLogger,
    settings: { commitTimeoutMs: 5_000, compression: 'none', loadReadBytesMax: 1_000 },
    codec: { encode: () => ({ key: Buffer.from('+'), value: null }), decode: () => 1 },
    createMachine: counter,
  })
  const count = (index: number) =>
    runtime.submit<number>(
      index,
      (replyTo) => ({ replyTo }),
      (code) => -code,
    )
  return { clock, runtime, count }
}

test('partitions are apart, and what this broker does not lead is refused', async () => {
  const { runtime, count, clock } = setUp()
  const one = new SimulatedCoordinatorPartition()
  await Promise.all([runtime.elected(1, one), runtime.elected(2, new SimulatedCoordinatorPartition())])
  runtime.tellAll({})
  await clock.settle()
  await runtime.elected(3, new SimulatedCoordinatorPartition())
  runtime.tellAll({})
  await clock.settle()
  assert.deepEqual(await Promise.all([1, 2, 3, 4].map(count)), [2, 2, 1, -ErrorCode.NOT_COORDINATOR])
  assert.deepEqual(runtime.indexes, [1, 2, 3])
})

test('a partition that is resigned and elected again has its state from the log', async () => {
  const { runtime, count, clock } = setUp()
  const partition = new SimulatedCoordinatorPartition()
  await runtime.elected(1, partition)
  runtime.tellAll({})
  await clock.settle()
  runtime.resigned(1)
  assert.equal(await count(1), -ErrorCode.NOT_COORDINATOR)
  await runtime.elected(1, partition.copy())
  assert.equal(await count(1), 1)
})

test('an election while the partition is here begins anew: another epoch, another log', async () => {
  const { runtime, count, clock } = setUp()
  await runtime.elected(1, new SimulatedCoordinatorPartition())
  runtime.tellAll({})
  await clock.settle()
  await runtime.elected(1, new SimulatedCoordinatorPartition())
  assert.equal(await count(1), 0)
})

test('after close nothing is served', async () => {
  const { runtime, count } = setUp()
  await runtime.elected(1, new SimulatedCoordinatorPartition())
  runtime.close()
  assert.equal(await count(1), -ErrorCode.NOT_COORDINATOR)
})
