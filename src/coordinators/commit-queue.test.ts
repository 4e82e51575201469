import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ErrorCode } from '../protocol/error-code.ts'
import { SimulatedCoordinatorPartition } from './coordinator-partition.sim.ts'
import { type Answer, batchesOf, loaded, soFar } from './word-machine.sim.ts'

const { COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, UNKNOWN_SERVER_ERROR } = ErrorCode

test('what one turn of the event loop appends becomes one batch, in order', async () => {
  const { partition, write } = await loaded()
  const answers = [write('a', 'b'), write('c')]
  assert.deepEqual(batchesOf(partition), [], 'nothing is appended in the middle of a turn')
  assert.deepEqual(await Promise.all(answers), ['written', 'written'])
  await write('d')
  assert.deepEqual(batchesOf(partition), [['a', 'b', 'c'], ['d']])
})

test('a batch stays within its bound, and everything is written all the same', async () => {
  const partition = new SimulatedCoordinatorPartition()
  partition.batchBytesMax = 1_000
  const { write } = await loaded(partition)
  const words = Array.from({ length: 30 }, (_, index) => `${index}`.padEnd(80, '.'))
  await write(...words)
  assert.deepEqual(batchesOf(partition).flat(), words)
  assert.ok(partition.batches.length > 1)
  for (const batch of partition.batches) assert.ok(batch.length <= partition.batchBytesMax)
})

test('a reply leaves once its records are committed, and not before', async () => {
  const { partition, clock, write } = await loaded()
  partition.commitsAtOnce = false
  const answer = write('a')
  await clock.settle()
  assert.equal(await soFar(answer), 'waits')
  partition.commit()
  assert.equal(await answer, 'written')
})

test('who reads hears nothing that is not committed', async () => {
  const { partition, clock, write, read } = await loaded()
  partition.commitsAtOnce = false
  void write('a')
  const sameTurn = read()
  await clock.settle()
  const nextTurn = read()
  assert.equal(await soFar(sameTurn), 'waits')
  assert.equal(await soFar(nextTurn), 'waits')
  partition.commit()
  assert.deepEqual(await Promise.all([sameTurn, nextTurn]), ['a', 'a'])
})

test('while nothing waits to be committed a read is answered at once', async () => {
  const { clock, write, read } = await loaded()
  await write('a')
  assert.equal(await read(), 'a')
  assert.equal(clock.pendingTimers, 0)
})

test('whoever waits too long for a commit is told to ask again, and the records stay', async () => {
  const { partition, clock, write, read } = await loaded()
  partition.commitsAtOnce = false
  const answer = write('a')
  await clock.advance(2_000)
  const later = read()
  await clock.advance(3_000)
  assert.equal(await answer, COORDINATOR_NOT_AVAILABLE)
  assert.equal(await later, COORDINATOR_NOT_AVAILABLE)
  const afterwards = read()
  await clock.advance(4_999)
  partition.commit()
  assert.equal(await afterwards, 'a')
})

test('a record that is small enough once it is compressed is written', async () => {
  const { partition, write } = await loaded(undefined, { compression: 'gzip' })
  assert.equal(await write('x'.repeat(partition.batchBytesMax)), 'written')
})

test('while the lease has lapsed nothing is promised; when it is renewed everybody is still known, and the log goes on', async () => {
  const { partition, machines, write, read, clock } = await loaded()
  await write('kept')
  partition.refusal = 'leaseLapsed'
  assert.equal(await write('meanwhile'), NOT_COORDINATOR)
  assert.equal(await soFar(read()), 'waits', 'not a word of what may be another broker’s by now')
  await clock.advance(1_000)
  assert.deepEqual(batchesOf(partition), [['kept']])
  partition.refusal = null
  await clock.advance(100)
  assert.deepEqual(batchesOf(partition), [['kept'], ['meanwhile']])
  await write('after')
  assert.equal(await read(), 'kept meanwhile after')
  assert.equal(machines.length, 1)
  assert.equal(clock.pendingTimers, 0)
})

test('whoever asks while the lease has lapsed looks for another coordinator', async () => {
  const { partition, write, read, clock } = await loaded()
  partition.refusal = 'leaseLapsed'
  void write('a')
  await clock.settle()
  const later = read()
  await clock.advance(100)
  assert.equal(await later, NOT_COORDINATOR)
})

test('when the lease is lost instead of renewed, what was not appended never is', async () => {
  const { partition, coordinated, write, clock } = await loaded()
  partition.refusal = 'leaseLapsed'
  void write('a')
  await clock.settle()
  coordinated.stop(NOT_COORDINATOR)
  partition.refusal = null
  await clock.advance(10_000)
  assert.deepEqual(batchesOf(partition), [])
  assert.equal(clock.pendingTimers, 0)
})

/** Two appends that are on their way: what comes now is gathered. */
async function busy(partition?: SimulatedCoordinatorPartition) {
  const setting = await loaded(partition)
  setting.partition.commitsAtOnce = false
  const before = []
  for (const word of ['a', 'b']) {
    before.push(setting.write(word))
    await setting.clock.settle()
  }
  assert.deepEqual(batchesOf(setting.partition), [['a'], ['b']])
  return { ...setting, before }
}

test('behind two appends that are under way what comes is gathered, and goes as one batch when they are committed', async () => {
  const { partition, clock, write, before } = await busy()
  const gathered = []
  for (const word of ['c', 'd', 'e']) {
    gathered.push(write(word))
    await clock.settle()
  }
  assert.deepEqual(batchesOf(partition), [['a'], ['b']])
  partition.commit()
  assert.deepEqual(await Promise.all(before), ['written', 'written'])
  await clock.settle()
  assert.deepEqual(batchesOf(partition), [['a'], ['b'], ['c', 'd', 'e']])
  assert.equal(await soFar(Promise.race(gathered)), 'waits')
  partition.commit()
  assert.deepEqual(await Promise.all(gathered), ['written', 'written', 'written'])
})

test('thousands of writes over hundreds of turns cost few appends: two for each time the followers have everything', async () => {
  const { partition, clock, write, read } = await loaded()
  partition.commitsAtOnce = false
  const words = Array.from({ length: 3_000 }, (_, index) => `${index}`)
  const answers: Promise<Answer>[] = []
  let commits = 0
  for (const word of words) {
    answers.push(write(word))
    if (answers.length % 10 === 0) await clock.settle()
    if (answers.length % 1_000 === 0) {
      commits++
      partition.commit()
      await clock.settle()
    }
  }
  while (partition.highWatermark < partition.logEndOffset) {
    commits++
    partition.commit()
    await clock.settle()
  }
  assert.ok((await Promise.all(answers)).every((answer) => answer === 'written'))
  assert.ok(commits <= 5)
  assert.ok(batchesOf(partition).length <= 2 * commits, `${batchesOf(partition).length} appends, ${commits} commits`)
  assert.deepEqual(batchesOf(partition).flat(), words)
  assert.equal(await read(), words.join(' '))
})

test('what is gathered does not wait once a batch is full', async () => {
  const partition = new SimulatedCoordinatorPartition()
  partition.batchBytesMax = 1_000
  const { clock, write, before } = await busy(partition)
  const word = (index: number) => `${index}`.padEnd(300, '.')
  const answers = [...before, write(word(1)), write(word(2))]
  await clock.settle()
  assert.equal(batchesOf(partition).length, 2)
  answers.push(write(word(3)))
  await clock.settle()
  assert.deepEqual(batchesOf(partition).slice(2), [[word(1), word(2)], [word(3)]])
  partition.commit()
  assert.deepEqual(await Promise.all(answers), Array(5).fill('written'))
})

test('the records of one decision stay in one batch when any batch can hold them', async () => {
  const partition = new SimulatedCoordinatorPartition()
  partition.batchBytesMax = 1_000
  const { write } = await loaded(partition)
  const word = (index: number) => `${index}`.padEnd(250, '.')
  await Promise.all([write(word(1), word(2)), write(word(3), word(4))])
  assert.deepEqual(batchesOf(partition), [
    [word(1), word(2)],
    [word(3), word(4)],
  ])
})

test('whoever waits too long behind appends that are not committed is told to ask again', async () => {
  const { partition, clock, write, read } = await busy()
  const gathered = write('c')
  await clock.advance(4_999)
  assert.equal(await soFar(gathered), 'waits')
  await clock.advance(1)
  assert.equal(await gathered, COORDINATOR_NOT_AVAILABLE)
  partition.commit()
  await clock.settle()
  partition.commit()
  assert.equal(await read(), 'a b c', 'the records stay')
})

test('when what is gathered is refused, what was committed before it has been answered', async () => {
  const { partition, clock, write, read, before } = await busy()
  const refused = [write('c'), read()]
  await clock.settle()
  partition.nextRefusal = 'recordListTooLarge'
  partition.commitsAtOnce = true
  partition.commit()
  assert.deepEqual(await Promise.all(before), ['written', 'written'])
  assert.deepEqual(await Promise.all(refused), [UNKNOWN_SERVER_ERROR, UNKNOWN_SERVER_ERROR])
  await clock.settle()
  assert.equal(await read(), 'a b')
})

test('when there is no room for what is under way, what was gathered behind it is forgotten too', async () => {
  const { partition, clock, write, read, before } = await busy()
  const gathered = write('c')
  await clock.settle()
  partition.drop()
  const lost = await Promise.all([...before, gathered])
  assert.deepEqual(lost, Array(3).fill(COORDINATOR_NOT_AVAILABLE))
  await clock.settle()
  partition.commitsAtOnce = true
  assert.equal(await read(), '')
  assert.deepEqual(batchesOf(partition), [])
})

test('when leadership is lost, what is gathered is not appended', async () => {
  const { partition, clock, write, before } = await busy()
  const gathered = write('c')
  await clock.settle()
  partition.lose()
  assert.deepEqual(await Promise.all([...before, gathered]), Array(3).fill(NOT_COORDINATOR))
  assert.deepEqual(batchesOf(partition), [['a'], ['b']])
  assert.equal(clock.pendingTimers, 0)
})

test('a bug while something is gathered drops what is gathered, and no more', async () => {
  const { partition, clock, coordinated, write, read } = await busy()
  const gathered = write('c')
  coordinated.tell({ kind: 'fail' })
  assert.equal(await gathered, NOT_COORDINATOR)
  await clock.settle()
  partition.commit()
  await clock.settle()
  assert.equal(await read(), 'a b')
  assert.deepEqual(batchesOf(partition), [['a'], ['b']])
})

test('batches are compressed as the settings say, and read again', async () => {
  const { partition, write } = await loaded(undefined, { compression: 'zstd' })
  const word = 'a'.repeat(5_000)
  await write(word)
  assert.ok(partition.batches[0]!.length < 500)
  const { read } = await loaded(partition.copy())
  assert.equal(await read(), word)
})

test('a batch may hold very many records', async () => {
  const partition = new SimulatedCoordinatorPartition()
  partition.batchBytesMax = 100_000_000
  const { coordinated } = await loaded(partition)
  const words = Array.from({ length: 200_000 }, (_, index) => `${index}`)
  const answer = coordinated.submit<Answer>(
    (replyTo) => ({ kind: 'write', words, replyTo }),
    (code) => code,
  )
  assert.equal(await answer, 'written')
  assert.equal(partition.batches.length, 1)
})
