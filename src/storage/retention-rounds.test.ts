// Retention over the logs of a folder, on a simulated clock: what goes, what is said, and who may not be disturbed.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { SimulatedClock } from '../io/clock.sim.ts'
import { SimulatedDisk } from '../io/disk.sim.ts'
import { seededRandom } from '../io/random.sim.ts'
import { appended, batchOf, openDirectory, readAll, smallConfig } from './partition-log.contract.ts'
import type { LogConfig } from './partition-log.ts'
import { RetentionRounds } from './retention-rounds.ts'
import { fileNameOf } from './segment-names.ts'
import type { SegmentedLog } from './segmented-log.ts'

const hourMs = 3_600_000

interface Said {
  readonly level: string
  readonly message: string
  readonly [field: string]: unknown
}

class World {
  clock = new SimulatedClock()
  disk = new SimulatedDisk({ clock: this.clock })
  said: Said[] = []
  rounds!: RetentionRounds
  directory!: Awaited<ReturnType<typeof openDirectory>>
  readonly #logger = {
    debug: () => undefined,
    info: (fields: object, message: string) => void this.said.push({ level: 'info', message, ...fields }),
    warn: (fields: object, message: string) => void this.said.push({ level: 'warn', message, ...fields }),
    error: (fields: object, message: string) => void this.said.push({ level: 'error', message, ...fields }),
  }

  static async open(t: TestContext): Promise<World> {
    const world = new World()
    await world.reopen(t)
    return world
  }

  async reopen(t: TestContext): Promise<void> {
    const { clock, disk } = this
    const directory = await openDirectory({ disk, path: '/data' }, { clock, logger: this.#logger })
    const rounds = new RetentionRounds({
      directory,
      clock,
      logger: this.#logger,
      initialDelayMs: 30_000,
      intervalMs: 300_000,
    })
    this.directory = directory
    this.rounds = rounds
    rounds.start()
    t.after(async () => {
      await rounds.stop()
      await directory.close()
    })
  }

  log(config: Partial<LogConfig> = {}, topicName = 'orders'): Promise<SegmentedLog> {
    return this.directory.openLog({ topicName, partition: 0, topicId: null, config: { ...smallConfig, ...config } })
  }

  /** A record in a segment of its own, committed. */
  async append(log: SegmentedLog, timestamp = this.clock.now()): Promise<void> {
    log.roll()
    await appended(log, batchOf(['value'], { timestamp }))
    log.highWatermark = log.logEndOffset
  }

  /** Lets time pass, the rounds and what they do included. */
  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms)
    await this.clock.settle()
  }
}

test('a round comes after the initial delay, and then one after each interval', async (t) => {
  const world = await World.open(t)
  const log = await world.log({ retentionMs: 10_000 })
  await world.append(log)
  await world.append(log)
  await world.pass(29_999)
  assert.equal(log.logStartOffset, 0)
  await world.pass(1)
  assert.deepEqual([log.logStartOffset, log.logEndOffset, log.segmentCount], [2, 2, 1])
  await world.append(log)
  await world.pass(299_999)
  assert.equal(log.logStartOffset, 2)
  await world.pass(1)
  assert.equal(log.logStartOffset, 3)
})

test('segments go whole, oldest first, and it is said how many and why', async (t) => {
  const world = await World.open(t)
  const log = await world.log({ retentionMs: hourMs })
  for (let i = 0; i < 4; i++) {
    await world.append(log)
    await world.pass(hourMs / 2)
  }
  const sizeBytes = log.segments[0]!.sizeBytes
  await world.pass(300_000)
  assert.equal(log.logStartOffset, 3)
  assert.deepEqual(await log.read(2, 1000, Infinity, true), { ok: false, refusal: 'offsetOutOfRange' })
  assert.equal((await readAll(log, 3)).length, 1)
  assert.deepEqual(world.said.at(-1), {
    level: 'info',
    message: 'deleted segments whose records are all older than retention.ms',
    log: 'orders-0',
    segments: 1,
    bytes: sizeBytes,
    startOffset: 3,
    retentionMs: hourMs,
  })
})

test('a log that is too large loses its oldest segments', async (t) => {
  const world = await World.open(t)
  const log = await world.log()
  for (let i = 0; i < 5; i++) await world.append(log)
  const sizeBytes = log.segments[0]!.sizeBytes
  log.configure({ ...log.config, retentionBytes: 2 * sizeBytes + 1 })
  await world.pass(30_000)
  assert.deepEqual([log.logStartOffset, log.sizeBytes], [2, 3 * sizeBytes])
  assert.equal(world.said.at(-1)!.message, 'deleted the oldest segments: the log was larger than retention.bytes')
})

test('records at or above the high watermark stay, however old', async (t) => {
  const world = await World.open(t)
  const log = await world.log({ retentionMs: 1, retentionBytes: 0 })
  for (let i = 0; i < 4; i++) await world.append(log)
  log.highWatermark = 2
  await world.pass(30_000)
  assert.equal(log.logStartOffset, 2)
})

test('segments below a start that moved inside what was the active segment go, also of compacted logs', async (t) => {
  const world = await World.open(t)
  const log = await world.log({ deletes: false, compacts: true, retentionMs: 1, retentionBytes: 0 })
  await appended(log, batchOf(['a', 'b']))
  await log.advanceStartTo(1)
  await world.append(log)
  await log.advanceStartTo(2)
  await world.append(log)
  await world.pass(30_000)
  assert.deepEqual([log.logStartOffset, log.segmentCount], [2, 2])
  await world.rounds.stop()
})

test('a log start from a checkpoint takes the segments below it along', async (t) => {
  const world = await World.open(t)
  const config = { deletes: false, fileDeleteDelayMs: 60_000 }
  const log = await world.log(config)
  await appended(log, batchOf(['a', 'b']))
  for (let i = 0; i < 3; i++) await world.append(log)
  await log.advanceStartTo(1)
  await world.rounds.stop()
  await world.directory.close()
  const checkpoint = '/data/log-start-offset-checkpoint'
  const text = Buffer.from((await world.disk.readFile(checkpoint))!).toString()
  await world.disk.replaceFile(checkpoint, Buffer.from(text.replace('orders 0 1', 'orders 0 3')))
  await world.reopen(t)
  const again = await world.log(config)
  again.highWatermark = again.logEndOffset
  assert.deepEqual([again.logStartOffset, again.segmentCount], [3, 4])
  await world.pass(30_000)
  assert.deepEqual([again.logStartOffset, again.segmentCount], [3, 2])
  assert.equal(world.said.at(-1)!.message, 'deleted segments below the start of the log')
  assert.equal(world.directory.deletedBytes > 0, true)
  await world.directory.removeDeletedNow()
  assert.equal(world.directory.deletedBytes, 0)
})

test('without timestamps a segment is as old as its last append, also after a restart', async (t) => {
  const world = await World.open(t)
  const config = { retentionMs: hourMs }
  let log = await world.log(config)
  await appended(log, batchOf(['a'], { timestamp: -1 }))
  log.highWatermark = 1
  await world.pass(hourMs - 1000)
  await appended(log, batchOf(['b'], { timestamp: -1 }))
  log.highWatermark = 2
  await world.pass(hourMs / 2)
  assert.equal(log.logStartOffset, 0)
  await world.rounds.stop()
  await world.directory.close()
  await world.reopen(t)
  log = await world.log(config)
  log.highWatermark = 2
  await world.pass(hourMs / 2 - 300_000)
  assert.equal(log.logStartOffset, 0)
  await world.pass(900_000)
  assert.equal(log.logStartOffset, 2)
})

test('a segment with timestamps in the future stays, and that is said once', async (t) => {
  const world = await World.open(t)
  const log = await world.log({ retentionMs: 1 })
  await world.append(log, world.clock.now() + 10 * hourMs)
  await world.append(log, world.clock.now() - hourMs)
  await world.pass(hourMs)
  assert.equal(log.logStartOffset, 0)
  assert.deepEqual(
    world.said.map(({ level, message }) => `${level}: ${message}`),
    ['warn: a segment has timestamps in the future: it stays'],
  )
  await world.pass(10 * hourMs)
  assert.equal(log.logStartOffset, 2)
})

test('after a restart a sealed segment tells its age by the end of its time index alone', async (t) => {
  const world = await World.open(t)
  const config = { retentionMs: hourMs }
  const first = await world.log(config)
  for (let i = 0; i < 4; i++) await world.append(first)
  await world.rounds.stop()
  await world.directory.close()
  await world.reopen(t)
  const log = await world.log(config)
  log.highWatermark = 4
  const read: string[] = []
  world.disk.onOperation = ({ kind, path, sizeBytes }) => {
    if (kind === 'readFile' || kind === 'read') read.push(`${path.slice(-13)} ${sizeBytes}`)
  }
  await world.pass(30_000)
  assert.deepEqual(read, ['000.timeindex 12'])
  read.length = 0
  await world.pass(300_000)
  assert.deepEqual(read, [], 'what is known is not read again')
})

for (const { name, damage } of [
  { name: 'is missing', damage: (world: World, path: string) => world.disk.remove(path) },
  { name: 'holds zeros', damage: (world: World, path: string) => world.disk.replaceFile(path, Buffer.alloc(12)) },
  { name: 'is cut short', damage: (world: World, path: string) => world.disk.replaceFile(path, Buffer.alloc(11, 1)) },
]) {
  test(`a time index that ${name} does not make a segment old`, async (t) => {
    const world = await World.open(t)
    const config = { retentionMs: 2 * hourMs }
    const first = await world.log(config)
    await world.append(first)
    await world.append(first)
    await world.rounds.stop()
    await world.directory.close()
    await damage(world, `/data/orders-0/${fileNameOf(0, '.timeindex')}`)
    await world.reopen(t)
    const log = await world.log(config)
    log.highWatermark = 2
    await world.pass(hourMs)
    assert.deepEqual([log.logStartOffset, log.fault], [0, null])
    await world.pass(2 * hourMs)
    assert.equal(log.logStartOffset, 2)
  })
}

test('a log whose disk fails does not keep the others from their turn', async (t) => {
  const world = await World.open(t)
  const config = { retentionMs: 1000, fileDeleteDelayMs: 60_000 }
  const bad = await world.log(config, 'bad')
  const good = await world.log(config, 'good')
  await world.append(bad)
  await world.append(good)
  world.disk.failWhen({ kind: 'rename', path: 'bad-0', times: Infinity })
  await world.pass(30_000)
  assert.equal(good.logStartOffset, 1)
  assert.ok(bad.fault !== null)
  assert.deepEqual(
    world.said.filter(({ level }) => level === 'error').map(({ message }) => message),
    ['the log is offline'],
  )
})

test('a record appended while its segment was about to go stays, with its segment', async (t) => {
  const world = await World.open(t)
  const log = await world.log({ segmentMs: 10 * hourMs, retentionMs: hourMs, retentionBytes: 140 })
  for (let i = 0; i < 3; i++) await world.append(log)
  world.clock.jump(2 * hourMs)
  // By size the first one goes, and by time the others would: while the files of the first are deleted the active one gets a record.
  world.disk.onOperation = ({ kind, path }) => {
    if (kind !== 'remove' || !path.endsWith('.log')) return
    world.disk.onOperation = null
    log.append(batchOf(['young'], { timestamp: world.clock.now() }), 0, 'client')
  }
  await world.pass(30_000)
  assert.deepEqual([log.logStartOffset, log.logEndOffset], [1, 4])
  log.highWatermark = 4
  await world.pass(300_000)
  assert.deepEqual([log.logStartOffset, (await readAll(log, 2)).length], [2, 2])
})

test('a stop waits for the log at work and leaves the others', async (t) => {
  const world = await World.open(t)
  const config = { retentionMs: 1000, fileDeleteDelayMs: 60_000 }
  const first = await world.log(config, 'first')
  const second = await world.log(config, 'second')
  await world.append(first)
  await world.append(second)
  const stopping: Promise<void>[] = []
  world.disk.onOperation = ({ kind, path }) => {
    if (kind === 'rename' && path.endsWith('.log')) stopping.push(world.rounds.stop())
  }
  await world.pass(30_000)
  await Promise.all(stopping)
  assert.deepEqual([first.logStartOffset, second.logStartOffset], [1, 0])
  await world.pass(hourMs)
  assert.equal(second.logStartOffset, 0)
})

test('many logs are gone over in turns: others come between', async (t) => {
  const world = await World.open(t)
  const random = seededRandom(1)
  for (let i = 0; i < 60; i++) await world.append(await world.log({ retentionMs: 1000 }, `topic-${i}`))
  let turns = 0
  let monotonic = world.clock.monotonic()
  const clock = Object.assign(Object.create(world.clock) as SimulatedClock, {
    now: () => world.clock.now() + 10_000,
    // Every look at the clock costs some time.
    monotonic: () => (monotonic += random.below(3)),
    setTimer: (ms: number, callback: () => void) => world.clock.setTimer(ms, callback),
    defer: (callback: () => void) => {
      turns++
      world.clock.defer(callback)
    },
  })
  const { directory } = world
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const rounds = new RetentionRounds({ directory, clock, logger, initialDelayMs: 0, intervalMs: hourMs })
  rounds.start()
  await world.pass(0)
  await rounds.stop()
  assert.ok(turns >= 15, `${turns} turns`)
  assert.ok([...directory.logs()].every((log) => log.logStartOffset === 1))
})
