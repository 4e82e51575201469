import assert from 'node:assert/strict'
import test from 'node:test'

import { SimulatedClock } from '../io/clock.sim.ts'
import { silentLogger } from '../lib/logger.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { buildBatch } from '../records/batch-builder.ts'
import { buildEndTransactionMarker } from '../records/control-batch.ts'
import { recordsOf } from '../records/record.ts'
import { CoordinatedPartition, type RuntimeSettings } from './coordinated-partition.ts'
import { SimulatedCoordinatorPartition } from './coordinator-partition.sim.ts'
import { CoordinatorTimers } from './coordinator-timers.ts'
import { type CoordinatorMachine, type Effect, type EntryCodec, noTransaction, reply, type ReplyTo } from './effect.ts'

const { COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, UNKNOWN_SERVER_ERROR } = ErrorCode

/** A machine that remembers words: enough to see what the runtime does with any. */
type WordEvent =
  | { kind: 'write'; words: string[]; replyTo?: ReplyTo<Answer> }
  | { kind: 'read'; replyTo: ReplyTo<Answer> }
  | { kind: 'later'; key: string; afterMs: number; word: string }
  | { kind: 'never'; key: string }
  | { kind: 'fail' }
type Answer = string | ErrorCode
type WordEffect = Effect<WordEvent, string>

class WordMachine implements CoordinatorMachine<WordEvent, string> {
  readonly words: string[] = []
  readonly #pending: [producerId: number, word: string][] = []

  step(event: WordEvent): WordEffect[] {
    switch (event.kind) {
      case 'write': {
        const append: WordEffect = { kind: 'append', records: event.words }
        return event.replyTo === undefined ? [append] : [append, reply(event.replyTo, 'written')]
      }
      case 'read':
        return [reply(event.replyTo, this.words.join(' '))]
      case 'later':
        return [
          { kind: 'setTimer', key: event.key, afterMs: event.afterMs, event: { kind: 'write', words: [event.word] } },
        ]
      case 'never':
        return [{ kind: 'cancelTimer', key: event.key }]
      case 'fail':
        throw new Error('a bug')
    }
  }

  apply(word: string, producerId: number): void {
    if (producerId === noTransaction) this.words.push(word)
    else this.#pending.push([producerId, word])
  }

  transactionEnded(producerId: number, committed: boolean): void {
    for (const [id, word] of this.#pending.splice(0)) {
      if (id === producerId && committed) this.words.push(word)
      if (id !== producerId) this.#pending.push([id, word])
    }
  }

  loaded(): WordEffect[] {
    return []
  }
}

const codec: EntryCodec<string> = {
  encode: (word) => ({ key: Buffer.from(word), value: null }),
  decode: ({ key }) => {
    const word = Buffer.from(key).toString()
    if (word === 'damaged') throw new Error('damaged')
    return word === 'unknown' ? null : word
  },
}

const settings: RuntimeSettings = { commitTimeoutMs: 5_000, compression: 'none', loadReadBytesMax: 200 }

function setUp(partition = new SimulatedCoordinatorPartition(), own: Partial<RuntimeSettings> = {}) {
  const clock = new SimulatedClock()
  const machines: WordMachine[] = []
  const createMachine = () => {
    const machine = new WordMachine()
    machines.push(machine)
    return machine
  }
  const timers = new CoordinatorTimers<WordEvent>(clock)
  const options = { clock, logger: silentLogger, settings: { ...settings, ...own }, codec, createMachine, timers }
  const coordinated = new CoordinatedPartition<WordEvent, string>('words-0', partition, options)
  const refusal = (code: ErrorCode): Answer => code
  return {
    partition,
    clock,
    machines,
    coordinated,
    write: (...words: string[]) =>
      coordinated.submit<Answer>((replyTo) => ({ kind: 'write', words, replyTo }), refusal),
    read: () => coordinated.submit<Answer>((replyTo) => ({ kind: 'read', replyTo }), refusal),
  }
}

async function loaded(partition?: SimulatedCoordinatorPartition, own?: Partial<RuntimeSettings>) {
  const setting = setUp(partition, own)
  await setting.coordinated.loaded
  return setting
}

/** Words of each batch in the log. */
function batchesOf(partition: SimulatedCoordinatorPartition): string[][] {
  return partition.batches.map((batch) => [...recordsOf(batch)].map(({ key }) => Buffer.from(key!).toString()))
}

/** What a promise has come to by now. */
async function soFar<T>(promise: Promise<T>): Promise<T | 'waits'> {
  return Promise.race([promise, new Promise<'waits'>((resolve) => setImmediate(() => resolve('waits')))])
}

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

test('a record that is small enough once it is compressed is written', async () => {
  const { partition, write } = await loaded(undefined, { compression: 'gzip' })
  assert.equal(await write('x'.repeat(partition.batchBytesMax)), 'written')
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

// ---- many at once

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

// ---- loading

function logOf(...batches: string[][]): SimulatedCoordinatorPartition {
  const partition = new SimulatedCoordinatorPartition()
  for (const words of batches) partition.append(buildBatch(words.map((key) => ({ key }))))
  return partition
}

test('requests during the load are told to ask again, and find everything afterwards', async () => {
  const partition = logOf(['a'], ['b', 'c'])
  let open = () => {}
  partition.readGate = new Promise((resolve) => {
    open = resolve
  })
  const { coordinated, read } = setUp(partition)
  assert.equal(coordinated.state, 'loading')
  assert.equal(await read(), COORDINATOR_LOAD_IN_PROGRESS)
  open()
  await coordinated.loaded
  assert.equal(await read(), 'a b c')
})

test('what a machine is told while it loads it hears afterwards', async () => {
  const { coordinated, read, clock } = setUp(logOf(['a']))
  coordinated.tell({ kind: 'write', words: ['b'] })
  await coordinated.loaded
  await clock.settle()
  assert.equal(await read(), 'a b')
})

test('a long log is read in pieces', async () => {
  const words = Array.from({ length: 50 }, (_, index) => `word${index}`)
  const partition = logOf(...words.map((word) => [word]))
  const { read } = await loaded(partition)
  assert.equal(await read(), words.join(' '))
  assert.ok(partition.reads > 10)
})

test('records before the start of the log do not count, though their batch is read', async () => {
  const partition = logOf(['deleted', 'a'])
  partition.logStartOffset = 1
  const { read } = await loaded(partition)
  assert.equal(await read(), 'a')
})

test('records of kinds nobody knows are skipped', async () => {
  const { read } = await loaded(logOf(['a', 'unknown', 'b']))
  assert.equal(await read(), 'a b')
})

test('what the log has beyond the high watermark counts, but nobody hears of it before it is committed', async () => {
  const partition = new SimulatedCoordinatorPartition()
  partition.commitsAtOnce = false
  partition.append(buildBatch([{ key: 'a' }]))
  const { read } = await loaded(partition)
  const answer = read()
  assert.equal(await soFar(answer), 'waits')
  partition.commit()
  assert.equal(await answer, 'a')
})

test('records of a transaction count when it is committed, and never when it is aborted', async () => {
  const partition = logOf(['plain'])
  const inTransaction = (producerId: number, key: string) =>
    partition.append(buildBatch([{ key }], { producerId, producerEpoch: 0, baseSequence: 0, transactional: true }))
  inTransaction(1, 'committed')
  inTransaction(2, 'aborted')
  inTransaction(3, 'open')
  const end = (producerId: number, kind: 'commit' | 'abort') =>
    partition.append(
      buildEndTransactionMarker({ kind, coordinatorEpoch: 0 }, { producerId, producerEpoch: 0, timestamp: 0 }),
    )
  end(2, 'abort')
  end(1, 'commit')
  const { read } = await loaded(partition)
  assert.equal(await read(), 'plain committed')
})

const unreadable = {
  'a log that cannot be read': () => {
    const partition = logOf(['a'])
    partition.readFault = new Error('disk')
    return partition
  },
  'a damaged record': () => logOf(['a', 'damaged']),
}
for (const [what, partitionWith] of Object.entries(unreadable)) {
  test(`a partition with ${what} is not served`, async () => {
    const { coordinated, read } = await loaded(partitionWith())
    assert.equal(coordinated.state, 'stopped')
    assert.equal(await read(), NOT_COORDINATOR)
  })
}

test('a partition that is stopped while it loads stays stopped', async () => {
  const partition = logOf(['a'])
  const { coordinated, read } = setUp(partition)
  coordinated.stop(NOT_COORDINATOR)
  await coordinated.loaded
  assert.equal(await read(), NOT_COORDINATOR)
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
