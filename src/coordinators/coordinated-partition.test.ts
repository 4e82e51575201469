import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '../protocol/error-code.ts'
import { SimulatedCoordinatorPartition } from './coordinator-partition.sim.ts'
import { type Answer, batchesOf, loaded, soFar } from './word-machine.sim.ts'

const { COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, UNKNOWN_SERVER_ERROR } = ErrorCode

test('a refused append drops the machine and rebuilds it from the log', async () => {
  const { partition, machines, write, read, clock } = await loaded()
  await write('kept')
  partition.nextRefusal = 'recordListTooLarge'
  const [lost, bystander] = [write('lost'), read()]
  assert.equal(await lost, UNKNOWN_SERVER_ERROR)
  assert.equal(await bystander, UNKNOWN_SERVER_ERROR)
  assert.equal(await read(), COORDINATOR_LOAD_IN_PROGRESS)
  await clock.settle()
  assert.equal(await read(), 'kept')
  assert.equal(machines.length, 2)
})

test('a record that no batch can hold is refused to whoever wanted it; others look for the coordinator and find it', async () => {
  const partition = new SimulatedCoordinatorPartition()
  const { write, read, clock } = await loaded(partition)
  await write('kept')
  partition.commitsAtOnce = false
  const before = write('before')
  await clock.settle()
  const bystander = read()
  assert.equal(await write('x'.repeat(partition.batchBytesMax)), UNKNOWN_SERVER_ERROR)
  assert.deepEqual(await Promise.all([before, bystander]), [NOT_COORDINATOR, NOT_COORDINATOR])
  partition.commit()
  await clock.settle()
  assert.equal(await read(), 'kept before')
})

test('what found no room on the disk is forgotten: whoever waits asks again, and it goes on from the log', async () => {
  const { partition, machines, write, read, clock, coordinated } = await loaded()
  await write('kept')
  partition.commitsAtOnce = false
  const lost = write('lost')
  await clock.settle()
  partition.drop()
  assert.equal(await lost, COORDINATOR_NOT_AVAILABLE)
  await clock.settle()
  assert.equal(coordinated.state, 'active')
  partition.commitsAtOnce = true
  assert.equal(await read(), 'kept')
  partition.nextRefusal = 'diskFull'
  assert.equal(await write('lost'), COORDINATOR_NOT_AVAILABLE)
  await clock.settle()
  await write('after')
  assert.equal(await read(), 'kept after')
  assert.equal(machines.length, 3)
})

test('a machine that throws is rebuilt from the log', async () => {
  const { coordinated, write, read, clock } = await loaded()
  await write('kept')
  coordinated.tell({ kind: 'fail' })
  assert.equal(coordinated.state, 'loading')
  await clock.settle()
  assert.equal(await read(), 'kept')
})

test('only the request that met a bug is refused for good: others look for the coordinator, and find it', async () => {
  const { partition, coordinated, clock, read, write } = await loaded()
  partition.commitsAtOnce = false
  const bystander = write('a')
  await clock.settle()
  const met = coordinated.submit<Answer>(
    () => ({ kind: 'fail' }),
    (code) => code,
  )
  assert.deepEqual(await Promise.all([met, bystander]), [UNKNOWN_SERVER_ERROR, NOT_COORDINATOR])
  partition.commit()
  await clock.settle()
  assert.equal(await read(), 'a')
})

test('a commit that the machine before was waiting for holds nobody up', async () => {
  const { partition, coordinated, clock, write, read } = await loaded()
  partition.commitsAtOnce = false
  const before = write('a')
  await clock.settle()
  coordinated.tell({ kind: 'fail' })
  assert.equal(await before, NOT_COORDINATOR)
  partition.commit()
  await clock.settle()
  assert.equal(await soFar(read()), 'a')
})

test('timers of a machine that was dropped do not reach the next one', async () => {
  const { coordinated, clock, machines } = await loaded()
  coordinated.tell({ kind: 'later', key: 'k', afterMs: 100, word: 'late' })
  coordinated.tell({ kind: 'fail' })
  await clock.advance(1_000)
  assert.deepEqual(machines.at(-1)!.words, [])
})

const losses = {
  'the log goes offline': (partition: SimulatedCoordinatorPartition) => {
    partition.nextRefusal = 'offline'
  },
  'an append throws': (partition: SimulatedCoordinatorPartition) => {
    partition.append = () => {
      throw new Error('not the leader')
    }
  },
}
for (const [what, happens] of Object.entries(losses)) {
  test(`when ${what} the partition is no longer served`, async () => {
    const { partition, coordinated, write, read } = await loaded()
    happens(partition)
    assert.equal(await write('a'), NOT_COORDINATOR)
    assert.equal(coordinated.state, 'stopped')
    assert.equal(await read(), NOT_COORDINATOR)
  })
}

test('when leadership is lost before the commit, whoever waits looks for the next leader', async () => {
  const { partition, clock, write, read } = await loaded()
  partition.commitsAtOnce = false
  const waiting = [write('a'), read()]
  await clock.settle()
  partition.lose()
  assert.deepEqual(await Promise.all(waiting), [NOT_COORDINATOR, NOT_COORDINATOR])
  assert.equal(await read(), NOT_COORDINATOR)
})

test('a stopped partition answers whoever waits, and runs no timer any more', async () => {
  const { partition, clock, coordinated, write, read } = await loaded()
  partition.commitsAtOnce = false
  const waiting = write('a')
  coordinated.tell({ kind: 'later', key: 'k', afterMs: 10, word: 'late' })
  coordinated.stop(NOT_COORDINATOR)
  assert.equal(await waiting, NOT_COORDINATOR)
  assert.equal(await read(), NOT_COORDINATOR)
  await clock.advance(10_000)
  assert.deepEqual(batchesOf(partition), [], 'a turn that was not over is not appended')
  assert.equal(clock.pendingTimers, 0)
})

test('a timer brings its event back; the same key replaces it, and it can be cancelled', async () => {
  const { clock, coordinated, machines } = await loaded()
  coordinated.tell({ kind: 'later', key: 'one', afterMs: 100, word: 'replaced' })
  coordinated.tell({ kind: 'later', key: 'one', afterMs: 200, word: 'one' })
  coordinated.tell({ kind: 'later', key: 'two', afterMs: 100, word: 'two' })
  coordinated.tell({ kind: 'later', key: 'three', afterMs: 100, word: 'three' })
  coordinated.tell({ kind: 'never', key: 'three' })
  await clock.advance(100)
  assert.deepEqual(machines[0]!.words, ['two'])
  await clock.advance(100)
  assert.deepEqual(machines[0]!.words, ['two', 'one'])
})

test('a request whose connection closes no longer waits, and its answer is dropped', async () => {
  const { partition, coordinated, clock } = await loaded()
  partition.commitsAtOnce = false
  const connection = new AbortController()
  const answer = coordinated.submit<Answer>(
    (replyTo) => ({ kind: 'write', words: ['a'], replyTo }),
    (code) => code,
    connection.signal,
  )
  await clock.settle()
  connection.abort()
  assert.equal(await answer, ErrorCode.NETWORK_EXCEPTION)
  partition.commit()
  await clock.settle()
})
