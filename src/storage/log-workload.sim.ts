// Random operations on the logs of a data folder, beside their models (log-model.sim.ts), on simulated doors: one seed is one run. Only
// what the disk is told to do may go wrong, and then the contract holds: what was confirmed is there, or the log is offline and says so.

import assert from 'node:assert/strict'
import { SimulatedClock } from '../io/clock.sim.ts'
import { nextTurn } from '../io/clock.ts'
import { SimulatedDisk } from '../io/disk.sim.ts'
import { DiskError } from '../io/disk.ts'
import { isNoRoom } from '../io/no-room.ts'
import { type SeededRandom, seededRandom } from '../io/random.sim.ts'
import { LastSlab } from '../lib/last-slab.ts'
import { silentLogger } from '../lib/logger.ts'
import { SlabArena } from '../lib/slab-arena.ts'
import { poisonFreeSlabs, slabOf } from '../lib/slab.ts'
import { buildEndTransactionMarker } from '../records/control-batch.ts'
import { buildBatch, type NewRecord } from '../records/batch-builder.ts'
import { baseOffsetOf, nextOffsetOf } from '../records/batch.ts'
import { batchesIn } from '../records/batches-in.ts'
import { cleaningInProcess } from './compaction/cleaning-engines.ts'
import { LogCleaner } from './compaction/log-cleaner.ts'
import { LogDirectory } from './log-directory.ts'
import { checkBatch, checkLog } from './log-check.sim.ts'
import { CorruptLogError, RecordsDropped } from './log-errors.ts'
import { LogModel } from './log-model.sim.ts'
import { batchOf, smallConfig } from './small-log.sim.ts'
import type { LogConfig } from './partition-log.ts'
import { RetentionRounds } from './retention-rounds.ts'
import type { SegmentedLog } from './segmented-log.ts'
import type { StorageLimits } from './storage-context.ts'

const retentionIntervalMs = 5_000

// Batches come as a broker brings them: in memory that is used again as soon as the log has let go of it.
poisonFreeSlabs()
const produced = new SlabArena({ slabBytes: 2048, spareMax: 2, heldMax: 6 })
const fetched = new LastSlab()

/** What outlives a process: the disk, the time, and what the logs on it must be. */
export class World {
  readonly random: SeededRandom
  clock = new SimulatedClock()
  disk: SimulatedDisk
  readonly models: LogModel[]

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.disk = new SimulatedDisk({ clock: { now: () => this.clock.now() } })
    this.models = Array.from(
      { length: 1 + this.random.below(3) },
      (_, i) => new LogModel(`topic${i}`, this.random.uuid(), randomConfig(this.random)),
    )
    this.#nextRun(this.disk)
  }

  /** The process ended by itself: it closed everything. */
  restart(): void {
    this.#nextRun(this.disk)
  }

  /** The process is killed. */
  kill(): void {
    this.#nextRun(this.disk.kill())
  }

  /** The machine loses its power, and starts again. */
  failPower(): void {
    for (const model of this.models) model.powerFailed = true
    this.#nextRun(this.disk.crash(this.random))
  }

  /** The process is gone, with its timers. Time goes on. */
  #nextRun(disk: SimulatedDisk): void {
    this.disk = disk
    // The page cache takes nothing, some or all of what is to be written at once, and gives as much of what is read.
    const coin = seededRandom(this.random.below(1 << 30))
    const share = this.random.below(3)
    disk.takesAtOnce = () => coin.below(2) < share
    this.clock = new SimulatedClock(this.clock.now())
  }
}

const cleanupPolicies = [
  { deletes: true, compacts: false },
  { deletes: true, compacts: false },
  { deletes: true, compacts: false },
  { deletes: false, compacts: false },
]

function randomConfig(random: SeededRandom): LogConfig {
  return {
    ...smallConfig,
    segmentBytes: random.pick([300, 600, 2000]),
    segmentMs: random.pick([3_600_000, 3_600_000, 2000]),
    segmentJitterMs: random.pick([0, 500]),
    indexIntervalBytes: random.pick([0, 100, 4096]),
    flushPolicy: random.chance(0.75) ? 'fsync' : 'page-cache',
    ...random.pick([...cleanupPolicies, { deletes: false, compacts: true }, { deletes: true, compacts: true }]),
    minCleanableDirtyRatio: random.pick([0, 0.3]),
    minCompactionLagMs: random.pick([0, 0, 1500]),
    deleteRetentionMs: random.pick([0, 1000, 86_400_000]),
    retentionMs: random.pick([Infinity, 20_000, 3000]),
    retentionBytes: random.pick([Infinity, Infinity, 4000, 700, 0]),
    fileDeleteDelayMs: random.pick([0, 0, 1000, 60_000]),
  }
}

/** In a compacted log records have a key, one of a few, and some delete it. */
function randomRecord(random: SeededRandom, config: LogConfig): NewRecord {
  const value = 'v'.repeat(random.below(60))
  if (!config.compacts) return { value }
  return { key: `key ${random.below(12)}`, value: random.chance(0.15) ? null : value }
}

/** From 3 on they write in transactions. */
const producerIds = [-1, -1, 1, 2, 3, 4]

interface OpenLog {
  readonly model: LogModel
  readonly log: SegmentedLog
  /** What its listener was told. */
  failed: boolean
  readonly nextSequence: Map<number, number>
}

/** One run of a process. */
export class Workload {
  readonly #world: World
  readonly #random: SeededRandom
  readonly #directory: LogDirectory
  readonly #limits: StorageLimits
  readonly #rounds: RetentionRounds
  readonly #cleaner: LogCleaner
  readonly #logs: OpenLog[] = []
  /** From where a read was said to be expected last. */
  #expected = -1
  /** The disk may fail: then its errors, and logs that are offline, are as they should be. */
  troubled = false
  /** The disk may be full: what changes the files of a log may have to wait for room, and time to pass. */
  full = false

  private constructor(world: World, directory: LogDirectory, limits: StorageLimits) {
    this.#world = world
    this.#random = world.random
    this.#directory = directory
    this.#limits = limits
    const { clock } = world
    const pace = { initialDelayMs: 500, intervalMs: retentionIntervalMs }
    this.#rounds = new RetentionRounds({ directory, clock, logger: silentLogger, ...pace })
    this.#cleaner = new LogCleaner({
      directory,
      disk: directory.context.disk,
      clock,
      random: seededRandom(world.random.below(1 << 30)),
      logger: silentLogger,
      engine: cleaningInProcess(directory.context.disk, clock),
      limits: {
        keyMapBytes: world.random.pick([400, 100_000]),
        loadFactor: 0.9,
        bufferBytes: 10_000,
        bytesPerSecond: Infinity,
      },
      backoffMs: 700,
    })
    directory.useBackgroundWork(this.#cleaner)
    directory.useHighWatermarks(() => this.#logs.map(({ log }) => [log.name, log.highWatermark] as const))
  }

  /** Opens the folder and all logs, and holds them against their models. Rejects when the power fails meanwhile. */
  static async open(world: World, troubled = false): Promise<Workload> {
    const { random, disk, clock } = world
    const limits = {
      tailCacheBytes: random.pick([0, 2000, 1 << 20]),
      openFilesMax: random.pick([1, 2, 1000]),
      indexCacheBytes: random.pick([0, 500, 1 << 20]),
    }
    const doors = { disk, clock, random: seededRandom(random.below(1 << 30)), logger: silentLogger }
    const directory = await LogDirectory.open({ ...doors, path: '/data', nodeId: 1, limits })
    const workload = new Workload(world, directory, limits)
    workload.troubled = troubled
    for (const model of world.models) {
      workload.#findTopic(model)
      await workload.#openLog(model)
    }
    workload.#rounds.start()
    workload.#cleaner.start()
    return workload
  }

  /** One of the operations a broker may ask for, or some time. Rejects with what went wrong; then the run is over. */
  async step(): Promise<void> {
    const random = this.#random
    const open = random.pick(this.#logs)
    const kind = random.below(100)
    if (kind < 44) for (let i = random.below(4); i >= 0; i--) this.#append(open)
    else if (kind < 50) this.#replicate(open)
    else if (kind < 60) await this.#sync(open)
    else if (kind < 74) await nextTurn(this.#world.clock)
    else if (kind < 78) open.log.roll()
    else if (kind < 84 && this.full) await this.#passTime()
    else if (kind < 81) await this.#truncate(open)
    else if (kind < 82) await this.#restartAt(open)
    else if (kind < 84) await this.#advance(open)
    else if (kind < 91) await this.#passTime()
    else if (kind < 94) await this.#readSomewhere(open)
    else if (kind < 96) await this.#attempt(null, () => this.#directory.checkpoint())
    else if (kind < 97) await this.#directory.removeDeletedNow()
    else if (kind < 99 && this.full) await this.#passTime()
    else if (kind < 98) await this.#recreate(open)
    else if (kind < 99) await this.#reopenLog(open)
    else await this.check()
    for (const one of this.#logs) this.#checkFault(one)
  }

  /** All that was appended, and what was promised of memory and files. */
  async check(): Promise<void> {
    for (const open of this.#logs) {
      const { log, model } = open
      if (log.fault !== null) continue
      // Where there was no room, something is about to be dropped.
      if (!(await this.#sync(open)) || (this.full && log.logEndOffset < model.end)) continue
      await this.#attempt(log, () => checkLog(log, model, this.#random))
    }
    if (this.#world.disk.off || this.troubled) return
    await this.#world.clock.settle()
    const { context } = this.#directory
    assert.ok(this.#world.disk.openFiles <= this.#limits.openFilesMax, `${this.#world.disk.openFiles} files are open`)
    assert.ok(context.tailCache.usedBytes <= this.#limits.tailCacheBytes)
    assert.ok(context.indexCache.usedBytes <= Math.max(this.#limits.indexCacheBytes, 2000))
  }

  /** The logs that can serve, and what they must be. */
  get online(): readonly { readonly log: SegmentedLog; readonly model: LogModel }[] {
    return this.#logs.filter(({ log }) => log.fault === null)
  }

  /** Ends the run as a broker does. */
  async close(): Promise<void> {
    await Promise.all([this.#rounds.stop(), this.#cleaner.stop()])
    await this.#directory.close()
    for (const open of this.#logs) {
      this.#checkFault(open)
      if (open.log.fault !== null || open.model.deleting) continue
      open.model.confirmed = open.model.end
      open.model.synced = open.model.end
      this.#noticeRetention(open)
    }
    if (!this.#world.disk.off && !this.troubled) assert.equal(this.#world.disk.openFiles, 0, 'all files are closed')
  }

  #findTopic(model: LogModel): void {
    if (!model.deleting) return
    const found = this.#directory.existing().find(({ topicName }) => topicName === model.topicName)
    if (found?.topicId !== model.topicId) model.beginAnew(this.#random.uuid())
  }

  async #openLog(model: LogModel): Promise<void> {
    const { topicName, topicId, config } = model
    const log = await this.#directory.openLog({ topicName, partition: 0, topicId, config })
    const open: OpenLog = { model, log, failed: false, nextSequence: new Map() }
    if (log.fault !== null && !this.troubled) throw log.fault
    if (log.fault === null) model.foundAgain(log, this.#world.clock.now())
    else assert.ok(log.fault instanceof CorruptLogError || log.fault instanceof DiskError, String(log.fault))
    this.#learnSequences(open)
    log.highWatermark = model.confirmed
    log.listen({
      written() {},
      durable(end) {
        model.confirmed = Math.max(model.confirmed, end)
        if (model.config.flushPolicy === 'fsync') model.synced = Math.max(model.synced, end)
        log.highWatermark = end
      },
      dropped: (end) => {
        assert.ok(end >= model.confirmed, `${log.name} dropped from ${end} on, and ${model.confirmed} was confirmed`)
        model.cutAt(end)
        this.#learnSequences(open)
      },
      failed() {
        open.failed = true
      },
    })
    if (log.fault !== null) open.failed = true
    this.#logs.push(open)
  }

  #learnSequences({ model, nextSequence }: OpenLog): void {
    nextSequence.clear()
    for (const entry of model.producers().state.entries()) {
      nextSequence.set(entry.producerId, (entry.batches.at(-1)?.lastSequence ?? -1) + 1)
    }
  }

  #append(open: OpenLog): void {
    const random = this.#random
    const { model, log, nextSequence } = open
    if (random.chance(0.1)) model.epoch++
    const producerId = random.pick(producerIds)
    const records = Array.from({ length: 1 + random.below(3) }, () => randomRecord(random, model.config))
    const timestamp = this.#world.clock.now() - random.below(2000)
    const baseSequence = nextSequence.get(producerId) ?? 0
    const transactional = producerId >= 3
    if (transactional && log.hasOpenTransaction(producerId, 0) && random.chance(0.5)) {
      const marker = { kind: random.pick(['commit', 'abort'] as const), coordinatorEpoch: 1 }
      this.#appendBatch(
        open,
        buildEndTransactionMarker(marker, { producerId, producerEpoch: 0, timestamp }),
        'coordinator',
      )
      return
    }
    const producer = producerId < 0 ? {} : { producerId, producerEpoch: 0, baseSequence, transactional }
    if (this.#appendBatch(open, buildBatch(records, { timestamp, ...producer }), 'client')) {
      nextSequence.set(producerId, baseSequence + records.length)
    }
  }

  /** What a leader's log has, compacted perhaps: several batches at once, some with offsets missing before them. */
  #replicate({ log, model }: OpenLog): void {
    const random = this.#random
    const batches: Uint8Array[] = []
    let { end } = model
    for (let i = random.below(5); i >= 0; i--) {
      if (random.chance(0.2)) model.epoch++
      if (random.chance(0.3)) end += random.below(10)
      const records = Array.from({ length: 1 + random.below(3) }, () => randomRecord(random, model.config))
      const timestamp = this.#world.clock.now() - random.below(2000)
      batches.push(buildBatch(records, { timestamp, baseOffset: end, leaderEpoch: model.epoch }))
      end += records.length
    }
    const whole = Buffer.concat(batches)
    const lent = fetched.take(whole.length)
    lent.set(whole)
    const answer = log.appendReplicated(lent, model.epoch)
    slabOf(lent)?.release()
    if (!answer.ok) {
      if (this.troubled && answer.refusal === 'diskFull') return
      assert.equal(answer.refusal, 'offline')
      assert.ok(log.fault !== null)
      return
    }
    assert.equal(answer.endOffset, end)
    model.batches.push(...batches)
  }

  /** False when the log took no more, as it may. */
  #appendBatch({ log, model }: OpenLog, batch: Uint8Array, origin: 'client' | 'coordinator'): boolean {
    const lent = produced.take(batch.length)
    lent.set(batch)
    const answer = log.append(lent, model.epoch, origin)
    // With what the log has stamped on it.
    batch.set(lent)
    slabOf(lent)?.release()
    if (!answer.ok) {
      if (this.troubled && answer.refusal === 'diskFull') return false
      assert.equal(answer.refusal, 'offline')
      assert.ok(log.fault !== null)
      return false
    }
    assert.equal(answer.baseOffset, model.end)
    model.batches.push(batch)
    return true
  }

  async #sync({ log, model }: OpenLog): Promise<boolean> {
    const { end } = model
    if (!(await this.#attempt(log, () => log.sync()))) return false
    model.synced = Math.max(model.synced, end)
    return true
  }

  async #truncate(open: OpenLog): Promise<void> {
    const { log, model } = open
    const boundaries = model.batches.map((batch) => baseOffsetOf(batch)).filter((offset) => offset >= model.start)
    // What is gone by compaction for the sake of a record or a marker must not lose that, too.
    const least = model.config.compacts ? model.confirmed : 0
    const ends = boundaries.slice(-12).filter((offset) => offset >= least)
    if (ends.length === 0 || log.fault !== null) return
    const end = this.#random.pick(ends)
    model.cutting = end
    if (!(await this.#attempt(log, () => log.truncateTo(end)))) return
    model.cutAt(end)
    model.confirmed = model.end
    model.synced = model.end
    model.cutting = null
    this.#learnSequences(open)
  }

  async #restartAt(open: OpenLog): Promise<void> {
    const { log, model } = open
    // One that is interrupted leaves the beginning of the log; of a compacted one the model does not know what that holds.
    if (log.fault !== null || model.config.compacts) return
    const offset = this.#random.below(model.end + 50)
    model.restarting = offset
    if (!(await this.#attempt(log, () => log.restartAt(offset)))) return
    model.restartAt(offset)
    model.restarting = null
    this.#learnSequences(open)
  }

  async #advance({ log, model }: OpenLog): Promise<void> {
    if (log.fault !== null) return
    const start = model.start + this.#random.below(Math.min(20, model.end - model.start) + 1)
    model.advancing = start
    if (!(await this.#attempt(log, () => log.advanceStartTo(start)))) return
    model.start = start
    model.synced = Math.max(model.synced, start)
    model.advancing = null
  }

  /** Retention, checkpoints and the removal of files come by themselves. */
  async #passTime(): Promise<void> {
    for (const { model, log } of this.#logs) if (log.fault === null) model.retaining = true
    await this.#world.clock.advance(this.#random.pick([10, 600, 5000, 61_000]))
    await this.#world.clock.settle()
    for (const open of this.#logs) if (open.log.fault === null && !this.#world.disk.off) this.#noticeRetention(open)
  }

  #noticeRetention({ model, log }: OpenLog): void {
    if (!model.retaining) return
    model.retainedFrom(log.logStartOffset, this.#world.clock.now())
    model.synced = Math.max(model.synced, model.start)
    model.retaining = false
  }

  async #readSomewhere({ log, model }: OpenLog): Promise<void> {
    if (log.fault !== null || model.visible.length === 0) return
    const random = this.#random
    const anywhere = model.start + random.below(model.end - model.start)
    // What was expected before may have been cut, compacted or deleted since.
    const isThere = this.#expected >= model.start && this.#expected < model.end
    const from = isThere && random.chance(0.3) ? this.#expected : anywhere
    if (random.chance(0.5)) {
      this.#expected = model.start + random.below(model.end - model.start)
      log.expectRead(this.#expected, random.below(1000), random.chance(0.5) ? Infinity : model.end)
    }
    const read = await log.read(from, random.below(1000), Infinity, true)
    if (!read.ok) {
      // Without room the end of the log is dropped.
      if (this.full && from >= log.logEndOffset) return
      assert.equal(read.refusal, 'offline')
      assert.ok(log.fault !== null)
      return
    }
    let next = from
    for (const batch of read.chunks.flatMap((chunk) => [...batchesIn(chunk)])) {
      assert.ok(nextOffsetOf(batch) > next)
      // A leader's log has offsets missing where it was compacted; nothing else may be passed over.
      const first = model.batches.find((one) => nextOffsetOf(one) > next)
      assert.ok(model.config.compacts || baseOffsetOf(batch) === baseOffsetOf(first!))
      checkBatch(batch, model)
      next = nextOffsetOf(batch)
    }
  }

  /** The topic is deleted, and one of its name created. */
  async #recreate(open: OpenLog): Promise<void> {
    const { model } = open
    model.deleting = true
    const { topicName } = model
    if (!(await this.#attempt(null, () => this.#directory.deleteLog({ topicName, partition: 0 })))) {
      throw new RunOver('the topic could not be deleted')
    }
    model.beginAnew(this.#random.uuid())
    this.#logs.splice(this.#logs.indexOf(open), 1)
    await this.#openLog(model)
  }

  /** As when a replica leaves this broker and comes back. */
  async #reopenLog(open: OpenLog): Promise<void> {
    const { model, log } = open
    if (log.fault !== null) return
    await this.#directory.closeLog({ topicName: model.topicName, partition: 0 })
    this.#logs.splice(this.#logs.indexOf(open), 1)
    this.#checkFault(open)
    // Nobody opens a log again that has failed, before the broker starts again.
    if (log.fault !== null) throw new RunOver('the log failed while it was closed')
    model.confirmed = model.end
    model.synced = model.end
    await this.#openLog(model)
  }

  /** False when `work` failed as the disk was told to. `log`: whose fault it would be. */
  async #attempt(log: SegmentedLog | null, work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      if (this.#world.disk.off) throw error
      const isFull = error instanceof RecordsDropped || isNoRoom(error)
      const excused = isFull || (log === null ? error instanceof DiskError : log.fault !== null)
      if (!this.troubled || !excused) throw error
      return false
    }
  }

  #checkFault({ log, failed }: OpenLog): void {
    if (log.fault === null) return
    assert.ok(failed, `${log.name} is offline, and its listener was not told`)
    if (!this.troubled && !this.#world.disk.off) throw log.fault
    assert.deepEqual(log.append(batchOf(['x']), 0, 'client'), { ok: false, refusal: 'offline' })
  }
}

/** A run that cannot go on, without anything being wrong. */
export class RunOver extends Error {
  override readonly name = 'RunOver'
}
