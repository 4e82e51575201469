// The log on a disk that loses power: a random workload, a crash at a random operation, and then what was confirmed must be
// there, in order and unchanged, with the producers' state and the indexes that belong to it. A list of batches is the model.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from '../io/disk.memory.ts'
import { SimulatedDisk } from '../io/disk.sim.ts'
import type { Disk } from '../io/disk.ts'
import { type SeededRandom, seededRandom } from '../io/random.sim.ts'
import { baseOffsetOf, leaderEpochOf, maxTimestampOf, nextOffsetOf, producerIdOf } from '../records/batch.ts'
import { buildEndTransactionMarker } from '../records/control-batch.ts'
import { recordsOf } from '../records/record.ts'
import type { LogDirectory } from './log-directory.ts'
import { asBuffer, batchOf, openDirectory, openOrders, readAll, smallConfig } from './partition-log.contract.ts'
import type { Offset } from './partition-log.ts'
import { producerBatchOf } from './producer-batch.ts'
import { ProducerState } from './producer-state.ts'
import type { SegmentedLog } from './segmented-log.ts'
import type { AbortedTransaction } from './txn-index.ts'

const name = { topicName: 'orders', partition: 0 }

/** What the log must be. Batches below the start stay in it: producers outlive their records. */
class Model {
  batches: Uint8Array[] = []
  start: Offset = 0
  /** Told to be durable. */
  durable: Offset = 0
  /** Cuts and deletions under way when the power failed: they may have happened. */
  cutting: Offset | null = null
  advancing: Offset | null = null
  epoch = 0

  get end(): Offset {
    const last = this.batches.at(-1)
    return last === undefined ? 0 : nextOffsetOf(last)
  }

  cutAt(end: Offset): void {
    this.batches = this.batches.filter((batch) => nextOffsetOf(batch) <= end)
    this.durable = Math.min(this.durable, this.end)
  }

  producers(): { state: ProducerState; aborted: AbortedTransaction[] } {
    const state = new ProducerState()
    const aborted: AbortedTransaction[] = []
    for (const batch of this.batches) {
      const producerId = producerIdOf(batch)
      if (producerId < 0) continue
      const transaction = state.apply(producerBatchOf(batch, 0, producerId, baseOffsetOf(batch)))
      if (transaction !== null) aborted.push(transaction)
    }
    return { state, aborted }
  }
}

/** As a snapshot keeps it: the last batch only, without a timestamp of its own. */
function rememberedBy(state: ProducerState): unknown[] {
  return [...state.entries()]
    .map(({ batches, ...entry }) => ({ ...entry, last: { ...batches.at(-1), timestamp: 0 } }))
    .sort((one, other) => one.producerId - other.producerId)
}

async function check(log: SegmentedLog, model: Model, random: SeededRandom): Promise<void> {
  assert.equal(log.fault, null)
  assert.equal(log.logStartOffset, model.start)
  const visible = model.batches.filter((batch) => nextOffsetOf(batch) > model.start)
  const found = await readAll(log, log.logStartOffset, 1 + random.below(700))
  assert.deepEqual(found.map(asBuffer), visible.map(asBuffer))
  const { state, aborted } = model.producers()
  assert.deepEqual(rememberedBy(log.producers), rememberedBy(state))
  assert.deepEqual(
    await log.abortedTransactions(model.start, Infinity),
    aborted.filter((transaction) => transaction.lastOffset >= model.start),
  )
  for (const batch of visible) {
    assert.equal(log.epochAt(Math.max(baseOffsetOf(batch), model.start)), leaderEpochOf(batch))
  }
  const records = visible.flatMap((batch) => [...recordsOf(batch)]).filter((record) => record.offset >= model.start)
  for (let i = 0; i < 3 && visible.length > 0; i++) {
    const timestamp = maxTimestampOf(random.pick(visible)) + random.below(3) - 1
    const expected = records.find((record) => record.timestamp >= timestamp)
    assert.equal((await log.findByTimestamp(timestamp, Infinity))?.offset, expected?.offset, `time ${timestamp}`)
  }
  const greatest = Math.max(...records.map((record) => record.timestamp))
  const expected = records.find((record) => record.timestamp === greatest)
  assert.equal((await log.findMaxTimestamp(Infinity))?.offset, expected?.offset)
}

class Workload {
  readonly #model: Model
  readonly #random: SeededRandom
  readonly #nextSequence: Map<number, number>
  directory: LogDirectory
  log: SegmentedLog

  private constructor(directory: LogDirectory, log: SegmentedLog, model: Model, random: SeededRandom) {
    this.directory = directory
    this.log = log
    this.#model = model
    this.#random = random
    this.#nextSequence = new Map()
    for (const entry of model.producers().state.entries()) {
      this.#nextSequence.set(entry.producerId, (entry.batches.at(-1)?.lastSequence ?? -1) + 1)
    }
  }

  static async open(disk: Disk, model: Model, random: SeededRandom): Promise<Workload> {
    const limits = {
      tailCacheBytes: random.pick([0, 2000, 1 << 20]),
      openFilesMax: 2,
      indexCacheBytes: random.pick([0, 1 << 20]),
    }
    const directory = await openDirectory({ disk, path: '/data' }, { limits })
    const log = await openOrders(directory, { ...smallConfig, segmentBytes: 600 })
    if (log.fault !== null) throw log.fault
    log.listen({
      written() {},
      durable(end) {
        model.durable = Math.max(model.durable, end)
      },
      dropped() {},
      failed() {},
    })
    return new Workload(directory, log, model, random)
  }

  async step(disk: Disk): Promise<Workload> {
    const random = this.#random
    const kind = random.below(100)
    if (kind < 60) for (let i = random.below(4); i >= 0; i--) this.#append()
    else if (kind < 75) await this.log.sync()
    else if (kind < 90) await new Promise((resolve) => setImmediate(resolve))
    else if (kind < 94) await this.#truncate()
    else if (kind < 98) await this.#advance()
    else {
      await this.directory.close()
      if (this.log.fault !== null) throw this.log.fault
      return Workload.open(disk, this.#model, random)
    }
    return this
  }

  #append(): void {
    const random = this.#random
    if (random.chance(0.1)) this.#model.epoch++
    const producerId = random.pick([-1, -1, 1, 2, 3, 4])
    const values = Array.from({ length: 1 + random.below(3) }, () => 'v'.repeat(random.below(60)))
    const timestamp = 1_700_000_000_000 + random.below(1000)
    const baseSequence = this.#nextSequence.get(producerId) ?? 0
    const transactional = producerId >= 3
    if (transactional && this.log.hasOpenTransaction(producerId, 0) && random.chance(0.5)) {
      const marker = { kind: random.pick(['commit', 'abort'] as const), coordinatorEpoch: 1 }
      this.#appendBatch(buildEndTransactionMarker(marker, { producerId, producerEpoch: 0, timestamp }), 'coordinator')
      return
    }
    const producer = producerId < 0 ? {} : { producerId, producerEpoch: 0, baseSequence, transactional }
    this.#nextSequence.set(producerId, baseSequence + values.length)
    this.#appendBatch(batchOf(values, { timestamp, ...producer }), 'client')
  }

  #appendBatch(batch: Uint8Array, origin: 'client' | 'coordinator'): void {
    const answer = this.log.append(batch, this.#model.epoch, origin)
    if (!answer.ok) {
      assert.equal(answer.refusal, 'offline')
      throw this.log.fault ?? new Error('offline')
    }
    assert.equal(answer.baseOffset, this.#model.end)
    this.#model.batches.push(batch)
  }

  async #truncate(): Promise<void> {
    const model = this.#model
    const boundaries = model.batches.map((batch) => baseOffsetOf(batch)).filter((offset) => offset >= model.start)
    if (boundaries.length === 0) return
    const end = this.#random.pick(boundaries.slice(-12))
    model.cutting = end
    await this.log.truncateTo(end)
    model.cutAt(end)
    model.cutting = null
    this.#nextSequence.clear()
    for (const entry of model.producers().state.entries()) {
      this.#nextSequence.set(entry.producerId, (entry.batches.at(-1)?.lastSequence ?? -1) + 1)
    }
  }

  async #advance(): Promise<void> {
    const model = this.#model
    const start = model.start + this.#random.below(Math.min(20, model.end - model.start) + 1)
    model.advancing = start
    await this.log.advanceStartTo(start)
    model.start = Math.max(model.start, start)
    model.advancing = null
  }
}

/** The log as it was found is a possible outcome; the model becomes it. */
function settle(model: Model, log: SegmentedLog): void {
  const least = Math.min(model.durable, model.cutting ?? Infinity)
  assert.ok(log.logEndOffset >= least, `the log ends at ${log.logEndOffset}, ${least} was confirmed`)
  assert.ok(log.logEndOffset <= model.end)
  model.cutAt(log.logEndOffset)
  assert.equal(model.end, log.logEndOffset, 'the log ends where a batch ends')
  if (model.advancing !== null) {
    const [least, most] = [model.start, model.advancing]
    assert.ok(
      log.logStartOffset >= least && log.logStartOffset <= most,
      `${log.logStartOffset} is not in [${least}, ${most}]`,
    )
    model.start = log.logStartOffset
  }
  assert.equal(log.logStartOffset, model.start)
  model.durable = model.end
  model.cutting = null
  model.advancing = null
}

async function crashTwice(seed: number): Promise<void> {
  const random = seededRandom(seed)
  const model = new Model()
  let disk = new SimulatedDisk()
  for (let round = 0; round < 3; round++) {
    if (round > 0) await reopenAndCheck(disk, model, random)
    disk.haltAt(1 + random.below(300))
    try {
      let workload = await Workload.open(disk, model, random)
      settle(model, workload.log)
      for (let i = 0; i < 120; i++) workload = await workload.step(disk)
    } catch (error) {
      if (!disk.off) throw error
    }
    const power = random.chance(0.8)
    disk = power ? disk.crash(random) : disk.kill()
    // The power may also fail while the log is recovered.
    if (random.chance(0.3)) {
      disk.haltAt(1 + random.below(40))
      const again = await openDirectory({ disk, path: '/data' }).catch(() => null)
      await again?.openLog({ ...name, topicId: null, config: smallConfig })
      disk = disk.crash(random)
    }
  }
}

async function reopenAndCheck(disk: SimulatedDisk, model: Model, random: SeededRandom): Promise<void> {
  const directory = await openDirectory({ disk, path: '/data' })
  const log = await openOrders(directory)
  assert.equal(log.fault, null, log.fault?.message)
  settle(model, log)
  await check(log, model, random)
  await directory.close()
}

const first = Number(process.env['ODRADEK_SEED'] ?? 1)
const runs = Number(process.env['ODRADEK_RUNS'] ?? 60)

test('nothing that was confirmed is lost when the power fails at any time', async () => {
  for (let seed = first; seed < first + runs; seed++) {
    try {
      await crashTwice(seed)
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error })
    }
  }
})

test('without crashes the log is the list of its batches', async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed)
    const model = new Model()
    const disk = new MemoryDisk()
    let workload = await Workload.open(disk, model, random)
    for (let i = 0; i < 80; i++) {
      workload = await workload.step(disk)
      if (i % 10 !== 0) continue
      await workload.log.sync()
      await check(workload.log, model, random)
    }
    await workload.directory.close()
  }
})
