// A log on a disk that has no room now and then: what was confirmed stays and can be read all the while, what was not is dropped and said to
// be, and when there is room the log goes on by itself. A list of batches is the model.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../../io/clock.sim.ts'
import { type DiskOperationKind, SimulatedDisk } from '../../io/disk.sim.ts'
import { type SeededRandom, seededRandom } from '../../io/random.sim.ts'
import { baseOffsetOf, leaderEpochOf, nextOffsetOf, producerIdOf } from '../../records/batch.ts'
import type { LogDirectory } from '../log-directory.ts'
import {
  asBuffer,
  appended,
  batchOf,
  openDirectory,
  openOrders,
  readAll,
  smallConfig,
} from '../partition-log.contract.ts'
import type { LogConfig, LogListener, Offset } from '../partition-log.ts'
import { producerBatchOf } from '../producer-batch.ts'
import { ProducerState } from '../producer-state.ts'
import type { SegmentedLog } from '../segmented-log.ts'

/** What clients know of the log. */
class Witness implements LogListener {
  batches: Uint8Array[] = []
  writtenTo: Offset = 0
  durableTo: Offset = 0
  drops: Offset[] = []
  fault: Error | null = null

  get end(): Offset {
    const last = this.batches.at(-1)
    return last === undefined ? 0 : nextOffsetOf(last)
  }

  written(end: Offset): void {
    this.writtenTo = end
  }

  durable(end: Offset): void {
    assert.ok(end <= this.writtenTo, 'nothing is durable that was not written')
    this.durableTo = end
  }

  dropped(end: Offset): void {
    assert.ok(end >= this.durableTo, `the log was cut back to ${end}, and ${this.durableTo} was confirmed`)
    this.drops.push(end)
    this.writtenTo = end
    this.batches = this.batches.filter((batch) => nextOffsetOf(batch) <= end)
    if (this.batches.length > 0) assert.equal(this.end, end, 'the log ends where a batch ends')
  }

  failed(error: Error): void {
    this.fault = error
  }

  producers(): unknown[] {
    const state = new ProducerState()
    for (const batch of this.batches) {
      const producerId = producerIdOf(batch)
      if (producerId >= 0) state.apply(producerBatchOf(batch, 0, producerId, baseOffsetOf(batch)))
    }
    return lastOf(state)
  }
}

/** The last batch of each producer, as a snapshot keeps it. */
function lastOf(state: ProducerState): unknown[] {
  return [...state.entries()]
    .map(({ producerId, epoch, batches }) => [
      producerId,
      epoch,
      batches.at(-1)?.lastSequence,
      batches.at(-1)?.lastOffset,
    ])
    .sort(([one], [other]) => Number(one) - Number(other))
}

interface World {
  readonly disk: SimulatedDisk
  readonly clock: SimulatedClock
  readonly directory: LogDirectory
  readonly log: SegmentedLog
  readonly witness: Witness
}

async function open(
  disk: SimulatedDisk,
  witness = new Witness(),
  segmentBytes = 600,
  flushPolicy: LogConfig['flushPolicy'] = 'fsync',
): Promise<World> {
  const clock = new SimulatedClock()
  const directory = await openDirectory(
    { disk, path: '/data' },
    { clock, limits: { tailCacheBytes: 0, openFilesMax: 2 } },
  )
  const log = await openOrders(directory, { ...smallConfig, segmentBytes, flushPolicy })
  log.listen(witness)
  return { disk, clock, directory, log, witness }
}

/** Lets everything happen that can, and as much time pass as a log takes to try again. */
async function settled(clock: SimulatedClock): Promise<void> {
  for (let i = 0; i < 5; i++) await clock.advance(1000)
}

async function isAsWitnessed({ log, witness }: World): Promise<void> {
  assert.equal(log.fault, null, log.fault?.message)
  assert.equal(log.logEndOffset, witness.end)
  assert.deepEqual((await readAll(log)).map(asBuffer), witness.batches.map(asBuffer))
  assert.deepEqual(lastOf(log.producers), witness.producers())
  for (const batch of witness.batches) assert.equal(log.epochAt(baseOffsetOf(batch)), leaderEpochOf(batch))
}

test('an append without room is dropped, the rest is read on, and the next one with room is kept', async () => {
  const world = await open(new SimulatedDisk(), new Witness(), 100_000)
  const { disk, clock, log, witness } = world
  await appended(log, batchOf(['kept'], { producerId: 7, producerEpoch: 0, baseSequence: 0 }))
  disk.capacityBytes = disk.usedBytes + 10
  const lost = batchOf(['lost', 'lost'], { producerId: 7, producerEpoch: 0, baseSequence: 1 })
  assert.ok(log.append(lost, 3, 'client').ok)
  await settled(clock)
  assert.deepEqual([witness.drops, log.logEndOffset, log.fault, log.queuedBytes, log.latestEpoch], [[1], 1, null, 0, 0])
  assert.ok((await log.read(0, 1000, 1, true)).ok)
  disk.capacityBytes = Infinity
  // The producer sends the same again: the log remembers nothing of the first time.
  const again = batchOf(['lost', 'lost'], { producerId: 7, producerEpoch: 0, baseSequence: 1 })
  await appended(log, again, 3)
  assert.deepEqual([log.logEndOffset, log.latestEpoch, log.durableOffset], [3, 3, 3])
  await world.directory.close()
  const next = await open(disk)
  assert.equal(next.directory.wasClean, true)
  assert.deepEqual((await readAll(next.log)).length, 2)
  await next.directory.close()
})

test('while it is cut back nothing is let in; the words are diskFull', async () => {
  const { disk, clock, log, directory } = await open(new SimulatedDisk())
  await appended(log, batchOf(['kept']))
  disk.capacityBytes = 0
  log.append(batchOf(['lost']), 0, 'client')
  await assert.rejects(log.sync(), { name: 'RecordsDropped' })
  assert.deepEqual(log.append(batchOf(['more']), 0, 'client'), { ok: false, refusal: 'diskFull' })
  disk.capacityBytes = Infinity
  await settled(clock)
  await appended(log, batchOf(['more']))
  await directory.close()
})

test('with fsync a sync that finds no room takes back what it did not cover; with the page cache it is a fault', async () => {
  for (const flushPolicy of ['fsync', 'page-cache'] as const) {
    const { disk, clock, log, directory, witness } = await open(new SimulatedDisk())
    log.configure({ ...log.config, flushPolicy })
    await appended(log, batchOf(['kept']))
    disk.failWhen({ kind: 'sync', path: '.log', code: 'ENOSPC' })
    log.append(batchOf(['unsure']), 0, 'client')
    await log.sync().catch(() => undefined)
    await settled(clock)
    if (flushPolicy === 'page-cache') assert.equal((log.fault as { code?: string } | null)?.code, 'ENOSPC')
    else {
      assert.deepEqual([log.fault, log.logEndOffset, witness.drops], [null, 1, [1]])
      await appended(log, batchOf(['sure']))
      const found = disk.crash(seededRandom(1))
      const next = await open(found)
      assert.equal(next.log.logEndOffset, 2)
      await next.directory.close()
    }
    await directory.close()
  }
})

test('a segment whose side files find no room is sealed later', async () => {
  const { disk, clock, log, directory } = await open(new SimulatedDisk())
  const full = disk.failWhen({ kind: 'write', path: /\.(index|timeindex|snapshot)/, code: 'ENOSPC', times: Infinity })
  for (let i = 0; i < 20; i++) await appended(log, batchOf(['x'.repeat(100)]))
  await settled(clock)
  assert.ok(log.segmentCount > 3)
  assert.equal(log.recoveryPoint, 0)
  full.cancel()
  await directory.close()
  const next = await open(disk)
  assert.equal(next.directory.wasClean, true)
  assert.equal((await readAll(next.log)).length, 20)
  await next.directory.close()
})

test('a log that was never written survives a disk without room for its folder', async () => {
  const { disk, clock, log, directory, witness } = await open(new SimulatedDisk())
  const full = disk.failWhen({ path: 'orders-0', code: 'ENOSPC', times: Infinity })
  log.append(batchOf(['lost']), 5, 'client')
  await settled(clock)
  assert.deepEqual([log.fault, log.logEndOffset, witness.drops], [null, 0, [0]])
  full.cancel()
  await appended(log, batchOf(['first']), 5)
  assert.equal((await readAll(log)).length, 1)
  await directory.close()
})

/** Kinds of operations that take room, on a disk that has none. */
const needRoom: DiskOperationKind[] = ['write', 'open', 'truncate', 'rename', 'makeFolder']

async function workUnderPressure(seed: number): Promise<void> {
  const random = seededRandom(seed)
  const flushPolicy = seed % 3 === 0 ? 'page-cache' : 'fsync'
  let disk = new SimulatedDisk()
  const witness = new Witness()
  let world = await open(disk, witness, 600, flushPolicy)
  let epoch = 0
  for (let round = 0; round < 6; round++) {
    const full = fill(disk, random, flushPolicy)
    for (let i = 0; i < 25; i++) {
      const kind = random.below(10)
      if (kind < 6) epoch = append(world, random, epoch)
      else if (kind < 8) await new Promise((resolve) => setImmediate(resolve))
      else if (kind < 9) await world.clock.advance(random.below(1500))
      else await world.log.sync().catch(() => undefined)
    }
    full()
    await settled(world.clock)
    await isAsWitnessed(world)
    // There is room again: the log takes records, without anybody's help.
    const after = batchOf(['after'])
    assert.ok(world.log.append(after, epoch, 'client').ok)
    witness.batches.push(after)
    await world.log.sync()
    await isAsWitnessed(world)
    if (!random.chance(0.5)) continue
    if (random.chance(0.5)) await world.directory.close()
    // What is confirmed from the page cache survives the process, and not the machine.
    disk = flushPolicy === 'fsync' && random.chance(0.5) ? disk.crash(random) : disk.kill()
    const confirmed = witness.durableTo
    world = await open(disk, witness, 600, flushPolicy)
    assert.ok(world.log.logEndOffset >= confirmed)
    witness.batches = witness.batches.filter((batch) => nextOffsetOf(batch) <= world.log.logEndOffset)
    witness.durableTo = witness.end
    witness.writtenTo = witness.end
    await isAsWitnessed(world)
  }
  await world.directory.close()
}

/** Takes the room away, of all or of some; the answer gives it back. */
function fill(disk: SimulatedDisk, random: SeededRandom, flushPolicy: LogConfig['flushPolicy']): () => void {
  if (random.chance(0.5)) {
    disk.capacityBytes = disk.usedBytes + random.below(1500)
    return () => {
      disk.capacityBytes = Infinity
    }
  }
  const faults = Array.from({ length: 1 + random.below(3) }, () =>
    disk.failWhen({
      // In the page cache a record is confirmed before it is synced: there a failed sync is a fault.
      kind: flushPolicy === 'fsync' && random.chance(0.2) ? 'sync' : random.pick(needRoom),
      path: random.pick(['.log', 'orders-0', 'leader-epoch', '.snapshot', 'index']),
      code: random.pick(['ENOSPC', 'EDQUOT']),
      nth: 1 + random.below(4),
      times: random.pick([1, 2, 5]),
      afterBytes: random.below(100),
    }),
  )
  return () => {
    for (const fault of faults) fault.cancel()
  }
}

function append({ log, witness }: World, random: SeededRandom, epochBefore: number): number {
  const epoch = epochBefore + (random.chance(0.1) ? 1 : 0)
  if (epoch !== epochBefore) log.startEpoch(epoch)
  const producerId = random.pick([-1, 1, 2])
  const values = Array.from({ length: 1 + random.below(3) }, () => 'v'.repeat(random.below(80)))
  // As a producer does whose batches failed: it goes on from what the log has.
  const known = [...log.producers.entries()].find((entry) => entry.producerId === producerId)
  const baseSequence = (known?.batches.at(-1)?.lastSequence ?? -1) + 1
  const batch = batchOf(values, producerId < 0 ? {} : { producerId, producerEpoch: 0, baseSequence })
  const answer = log.append(batch, epoch, 'client')
  if (answer.ok) {
    assert.equal(answer.baseOffset, witness.end)
    witness.batches.push(batch)
  } else assert.equal(answer.refusal, 'diskFull', log.fault?.stack)
  return epoch
}

const first = Number(process.env['ODRADEK_SEED'] ?? 1)
const runs = Number(process.env['ODRADEK_RUNS'] ?? 60)

test('whatever finds no room, and whenever: what was confirmed is there, and the log goes on', async () => {
  for (let seed = first; seed < first + runs; seed++) {
    try {
      await workUnderPressure(seed)
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error })
    }
  }
})
