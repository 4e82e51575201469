import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { SimulatedClock } from '../../io/clock.sim.ts'
import { SimulatedDisk } from '../../io/disk.sim.ts'
import { type Disk, DiskError } from '../../io/disk.ts'
import { seededRandom } from '../../io/random.sim.ts'
import { type Logger, silentLogger } from '../../lib/logger.ts'
import type { LogDirectory } from '../log-directory.ts'
import { batchOf, openDirectory, smallConfig } from '../partition-log.contract.ts'
import type { Appended, LogConfig, LogListener } from '../partition-log.ts'
import type { SegmentedLog } from '../segmented-log.ts'
import { DataDisk } from './data-disk.ts'
import { DiskKeeper } from './disk-keeper.ts'
import type { BudgetSettings } from './disk-limits.ts'
import { decodeDiskReport, diskReportFileName } from './disk-report.ts'
import { DiskReporter } from './disk-reporter.ts'
import { DiskRoom } from './disk-room.ts'
import { blockBytes, DiskUse } from './disk-use.ts'

const MIB = 1024 * 1024
const folder = '/data'
/** Segments as large as the budget lets them be; no fsync, for speed. */
const config: LogConfig = { ...smallConfig, segmentBytes: 1 << 30, indexIntervalBytes: 4096, flushPolicy: 'page-cache' }

class World {
  readonly clock = new SimulatedClock()
  readonly disk: SimulatedDisk
  readonly room = new DiskRoom()
  readonly use = new DiskUse()
  readonly counted: Disk
  readonly random = seededRandom(1)
  #directory: LogDirectory | null = null
  #keeper: DiskKeeper | null = null

  constructor(disk: SimulatedDisk) {
    this.disk = disk
    this.counted = new DataDisk({ disk, use: this.use, isPrivileged: () => false, makeRoom: async () => undefined })
  }

  static async open(
    t: TestContext,
    settings: Partial<BudgetSettings>,
    topics: Readonly<Record<string, Partial<LogConfig>>>,
    disk = new SimulatedDisk(),
    logger: Logger = silentLogger,
  ): Promise<World> {
    const world = new World(disk)
    const { clock, room, counted } = world
    world.#directory = await openDirectory(
      { disk: counted, path: folder },
      { clock, room, limits: { tailCacheBytes: 0 } },
    )
    for (const [topicName, own] of Object.entries(topics)) {
      const place = { topicName, partition: 0, topicId: null, config: { ...config, ...own } }
      const log = await world.#directory.openLog(place)
      log.highWatermark = log.durableOffset
      log.listen(committing(log))
    }
    const parts = { folder: world.directory, disk: counted, use: world.use, room, clock, logger }
    world.#keeper = new DiskKeeper({ ...parts, settings: { budget: null, freeReserve: null, ...settings } })
    await world.#keeper.start()
    t.after(async () => {
      await world.keeper.stop()
      await world.directory.close()
    })
    return world
  }

  get directory(): LogDirectory {
    return this.#directory!
  }

  get keeper(): DiskKeeper {
    return this.#keeper!
  }

  log(topicName: string): SegmentedLog {
    return this.directory.log({ topicName, partition: 0 })!
  }

  append(topic: string, bytes: number): Appended {
    const batch = batchOf(['v'.repeat(bytes)], { timestamp: this.clock.now() })
    return this.log(topic).append(batch, 0, 'client')
  }

  /** What lies in the data folder, as `du` counts it. */
  async onDisk(): Promise<number> {
    let sum = blockBytes
    for (const entry of await this.disk.list(folder)) {
      if (entry.kind === 'file') sum += blocks(entry.sizeBytes)
      else {
        sum += blockBytes
        for (const file of await this.disk.list(`${folder}/${entry.name}`)) sum += blocks(file.sizeBytes)
      }
    }
    return sum
  }
}

const blocks = (bytes: number): number => Math.ceil(bytes / blockBytes) * blockBytes

/** As a partition with one replica does. */
function committing(log: SegmentedLog): LogListener {
  return {
    written() {},
    durable(end) {
      log.highWatermark = end
    },
    dropped() {},
    failed() {},
  }
}

test('the budget holds at all times, however fast several topics are written', async (t) => {
  const budget = 24 * MIB
  const world = await World.open(t, { budget: { bytes: budget } }, { a: {}, b: {}, c: { budgetWeight: 4 } })
  let appended = 0
  let refused = 0
  let greatest = 0
  for (let i = 0; i < 1500; i++) {
    for (const topic of ['a', 'b', 'c']) {
      const answer = world.append(topic, 20_000 + world.random.below(20_000))
      if (answer.ok) appended++
      else {
        assert.equal(answer.refusal, 'diskFull')
        refused++
      }
    }
    // What is counted is what is there, and never more than the budget.
    greatest = Math.max(greatest, world.disk.usedBytes)
    if (i % 50 === 0) assert.ok((await world.onDisk()) <= budget)
    if (i % 5 === 0) await world.clock.advance(20)
  }
  assert.ok(greatest <= budget && greatest > budget / 2, `${greatest} of ${budget}`)
  assert.ok(appended > refused * 5, `${appended} appended, ${refused} refused`)
  await world.clock.advance(2000)
  const { usedBytes, limits } = await world.keeper.count()
  const onDisk = await world.onDisk()
  assert.ok(usedBytes >= onDisk && usedBytes <= onDisk + 0.1 * budget, `${usedBytes} counted, ${onDisk} there`)
  assert.ok(usedBytes <= limits!.limitBytes)
  // Records of weight 4 stay longer: more of them are left of as many that came.
  assert.ok(world.log('c').sizeBytes > 2 * world.log('a').sizeBytes)
  for (const topic of ['a', 'b', 'c']) assert.ok(world.log(topic).logStartOffset > 0 && world.log(topic).sizeBytes > 0)
})

test('that the oldest segments go is said once, however long it goes on', async (t) => {
  const said: string[] = []
  const logger = { ...silentLogger, info: (_: object, message: string) => void said.push(message) }
  const world = await World.open(t, { budget: { bytes: 12 * MIB } }, { a: {} }, new SimulatedDisk(), logger)
  for (let i = 0; i < 600; i++) {
    world.append('a', 100_000)
    await world.clock.advance(100)
  }
  assert.ok(world.log('a').logStartOffset > 300)
  assert.deepEqual(said, ['the disk budget is used up: the oldest segments are deleted'])
})

test('deletions that fail are tried again after a while, not at once', async (t) => {
  const world = await World.open(t, { budget: { bytes: 12 * MIB } }, { a: {} })
  const log = world.log('a')
  const advance = log.advanceStartTo.bind(log)
  let tries = 0
  log.advanceStartTo = async (start) => {
    // So that a loop without an end fails this test instead of holding it up.
    if (++tries > 1000) return advance(start)
    throw new DiskError('ENOSPC', 'write a checkpoint')
  }
  for (let i = 0; i < 150; i++) {
    world.append('a', 100_000)
    await world.clock.advance(10)
  }
  assert.equal(world.append('a', 100_000).ok, false)
  assert.ok(tries > 1 && tries <= 150, `${tries} tries`)
  log.advanceStartTo = advance
  await world.clock.advance(2000)
  assert.equal(world.append('a', 100_000).ok, true)
})

test('what waits for file.delete.delay.ms goes first, and what the budget deletes does not wait', async (t) => {
  const world = await World.open(t, { budget: { bytes: 24 * MIB } }, { a: { fileDeleteDelayMs: 60_000 } })
  for (let i = 0; i < 400; i++) {
    world.append('a', 100_000)
    if (i === 100) await world.log('a').advanceStartTo(80)
    await world.clock.advance(5)
  }
  assert.equal(world.directory.deletedBytes, 0)
  assert.ok(world.log('a').logStartOffset > 80)
  assert.ok((await world.onDisk()) <= 24 * MIB)
})

test('a topic with the policy refuse loses nothing: its producers are told in their own words, others are asked to try again', async (t) => {
  const world = await World.open(t, { budget: { bytes: 12 * MIB } }, { kept: { budgetPolicy: 'refuse' }, other: {} })
  for (let i = 0; i < 200; i++) {
    world.append('kept', 100_000)
    await world.clock.advance(100)
  }
  await world.clock.advance(2000)
  assert.deepEqual(world.append('kept', 100_000), { ok: false, refusal: 'budgetExceeded' })
  assert.deepEqual(world.append('other', 100_000), { ok: false, refusal: 'diskFull' })
  assert.equal(world.log('kept').logStartOffset, 0)
  // Its owner makes room: everybody goes on.
  await world.log('kept').advanceStartTo(world.log('kept').logEndOffset)
  await world.clock.advance(2000)
  assert.equal(world.append('kept', 100_000).ok, true)
  assert.equal(world.append('other', 100_000).ok, true)
})

test('internal topics are written when the budget is used up, from room that is theirs', async (t) => {
  const topics = { kept: { budgetPolicy: 'refuse' }, __consumer_offsets: { budgetPolicy: 'exempt' } } as const
  const world = await World.open(t, { budget: { bytes: 12 * MIB } }, topics)
  for (let i = 0; i < 200; i++) {
    world.append('kept', 100_000)
    await world.clock.advance(10)
  }
  assert.equal(world.append('kept', 100_000).ok, false)
  for (let i = 0; i < 10; i++) {
    assert.equal(world.append('__consumer_offsets', 50_000).ok, true)
    await world.clock.advance(10)
  }
  assert.ok((await world.onDisk()) <= 12 * MIB)
})

test('what is not committed is not deleted; when it is, the log goes on', async (t) => {
  const world = await World.open(t, { budget: { bytes: 12 * MIB } }, { a: {} })
  const log = world.log('a')
  const hold = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(log), 'highWatermark')!
  Object.defineProperty(log, 'highWatermark', { get: () => 0, set() {}, configurable: true })
  for (let i = 0; i < 200; i++) {
    world.append('a', 100_000)
    await world.clock.advance(10)
  }
  assert.equal(log.logStartOffset, 0)
  assert.deepEqual(world.append('a', 100_000), { ok: false, refusal: 'diskFull' })
  Object.defineProperty(log, 'highWatermark', { ...hold, configurable: true })
  log.highWatermark = log.durableOffset
  await world.clock.advance(2000)
  assert.ok(log.logStartOffset > 0)
  assert.equal(world.append('a', 100_000).ok, true)
})

test('room that others take counts as if the budget were smaller', async (t) => {
  const disk = new SimulatedDisk({ capacityBytes: 64 * MIB })
  const settings = { freeReserve: { bytes: 16 * MIB } }
  const world = await World.open(t, settings, { a: {} }, disk)
  for (let i = 0; i < 420; i++) {
    world.append('a', 100_000)
    await world.clock.advance(10)
  }
  const free = async () => (await disk.volume(folder)).freeBytes
  assert.ok((await free()) >= 16 * MIB, `${await free()} free`)
  assert.ok(world.log('a').sizeBytes > 20 * MIB)
  // Another program takes 10 MiB.
  disk.capacityBytes -= 10 * MIB
  await world.clock.advance(3000)
  assert.ok((await free()) >= 16 * MIB, `${await free()} free`)
  assert.ok(world.log('a').logStartOffset > 0)
  assert.equal(world.append('a', 100_000).ok, true)
})

test('without a budget nothing is bound', async (t) => {
  const world = await World.open(t, {}, { a: {} })
  for (let i = 0; i < 100; i++) assert.equal(world.append('a', 100_000).ok, true)
  assert.equal(world.room.leftBytes, Infinity)
  assert.equal(world.room.segmentBytesMax, Infinity)
  assert.equal((await world.keeper.count()).limits, null)
})

test('the files of an earlier run count from the start', async (t) => {
  const first = await World.open(t, {}, { a: {} })
  for (let i = 0; i < 200; i++) first.append('a', 100_000)
  await first.log('a').sync()
  const disk = first.disk.kill()
  // A budget that is smaller than what is there.
  const world = await World.open(t, { budget: { bytes: 8 * MIB } }, { a: {} }, disk)
  await world.clock.advance(5000)
  assert.ok((await world.onDisk()) <= 8 * MIB, `${await world.onDisk()} there`)
  assert.equal(world.append('a', 1000).ok, true)
})

test('the report says what is used, by whom, what goes next, and how fast it grows', async (t) => {
  const disk = new SimulatedDisk({ capacityBytes: 1024 * MIB })
  const topics = { a: {}, b: { budgetPolicy: 'refuse', budgetWeight: 2 } } as const
  const world = await World.open(t, { budget: { percent: 50 } }, topics, disk)
  const { clock, room, use, keeper } = world
  const reporter = new DiskReporter({
    folder: world.directory,
    disk: world.counted,
    use,
    room,
    keeper,
    clock,
    logger: silentLogger,
  })
  reporter.start()
  const oldestMs = clock.now()
  for (let i = 0; i < 120; i++) {
    world.append('a', 200_000)
    if (i < 10) world.append('b', 1000)
    await clock.advance(1000)
  }
  await reporter.stop()
  const report = decodeDiskReport((await disk.readFile(`${folder}/${diskReportFileName}`))!)!
  assert.equal(report.limits!.limitBytes, 512 * MIB)
  assert.deepEqual(
    report.topics.map(({ topic, partitions, weight, policy }) => ({ topic, partitions, weight, policy })),
    [
      { topic: 'a', partitions: 1, weight: 1, policy: 'delete' },
      { topic: 'b', partitions: 1, weight: 2, policy: 'refuse' },
    ],
  )
  const [a, b] = report.topics
  assert.equal(a!.segments, world.log('a').segmentCount)
  assert.equal(a!.oldestRecordMs, oldestMs)
  assert.ok(Math.abs(a!.rate.minute - 200_000) < 10_000, `${a!.rate.minute} bytes a second`)
  assert.equal(b!.rate.minute, 0)
  assert.ok(b!.rate.hour > 0)
  assert.equal(report.next[0]!.log, 'a-0')
  assert.equal(report.next[0]!.newestRecordMs, await world.log('a').largestTimestampOf(world.log('a').segments[0]!))
  assert.equal(report.removableBytes, world.log('a').sizeBytes)
  assert.ok(report.usedBytes >= report.internalBytes + a!.bytes)
})
