// What a recovery must leave behind so that the next one, and whoever reads, is right: cases that random operations have found.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../io/clock.sim.ts'
import { DiskError } from '../io/disk.ts'
import { SimulatedDisk } from '../io/disk.sim.ts'
import { seededRandom } from '../io/random.sim.ts'
import { silentLogger } from '../lib/logger.ts'
import { buildBatch } from '../records/batch-builder.ts'
import { batchesIn } from '../records/batches-in.ts'
import { recordsOf } from '../records/record.ts'
import { cleaningInProcess } from './compaction/cleaning-engines.ts'
import { LogCleaner } from './compaction/log-cleaner.ts'
import { ForeignFolder, type LogDirectory } from './log-directory.ts'
import { CorruptLogError } from './log-errors.ts'
import { appended, batchOf, openDirectory, openOrders, readAll, smallConfig } from './partition-log.contract.ts'
import { fileNameOf } from './segment-names.ts'

const folder = '/data/orders-0'
const name = { topicName: 'orders', partition: 0 }
const pageCache = { ...smallConfig, flushPolicy: 'page-cache' as const }

function cleanerOf(directory: LogDirectory, disk: SimulatedDisk, clock: SimulatedClock): LogCleaner {
  return new LogCleaner({
    directory,
    disk,
    clock,
    random: seededRandom(1),
    logger: silentLogger,
    engine: cleaningInProcess(disk, clock),
    limits: { keyMapBytes: 10_000, loadFactor: 0.9, bufferBytes: 10_000, bytesPerSecond: Infinity },
    backoffMs: 1000,
  })
}

test('after a second crash the epochs of segments that the first recovery read are still known', async () => {
  let disk = new SimulatedDisk()
  let directory = await openDirectory({ disk, path: '/data' })
  let log = await openOrders(directory)
  await appended(log, batchOf(['value']), 0)
  log.roll()
  // The next segment gets a file of epochs before it, and epochs of its own. It is not sealed yet when the process ends.
  while (log.recoveryPoint < 1) await new Promise((resolve) => setImmediate(resolve))
  await appended(log, batchOf(['value']), 1)
  await appended(log, batchOf(['value']), 2)
  log.roll()
  await appended(log, batchOf(['value']), 3)
  disk = disk.kill()
  directory = await openDirectory({ disk, path: '/data' })
  await openOrders(directory)
  await directory.checkpoint()
  log = await openOrders(await openDirectory({ disk: disk.kill(), path: '/data' }))
  const batches = await readAll(log)
  assert.deepEqual(
    batches.map((_, offset) => log.epochAt(offset)),
    [0, 1, 2, 3],
  )
})

test('without fsync, what comes after a lost segment goes with it: a log has no hole', async () => {
  const disk = new SimulatedDisk()
  const log = await openOrders(await openDirectory({ disk, path: '/data' }), pageCache)
  for (let i = 0; i < 3; i++) {
    log.append(batchOf([`value ${i}`]), 0, 'client')
    log.roll()
  }
  log.append(batchOf(['last']), 0, 'client')
  while (log.writtenOffset < 4) await new Promise((resolve) => setImmediate(resolve))
  const found = disk.kill()
  // As a crash may leave it: the file was never synced, nor its entry in the folder.
  await found.remove(`${folder}/${fileNameOf(1, '.log')}`)
  await found.remove('/data/recovery-point-offset-checkpoint')
  const again = await openOrders(await openDirectory({ disk: found, path: '/data' }), pageCache)
  assert.deepEqual([again.fault, again.logEndOffset, (await readAll(again)).length], [null, 1, 1])
  assert.equal(await appended(again, batchOf(['next'])), 1)
})

test('what compaction left out between two segments is no hole, although the recovery point was not yet written down', async () => {
  const disk = new SimulatedDisk()
  // Too small for two segments to become one.
  const config = { ...pageCache, segmentBytes: 100, deletes: false, compacts: true, minCleanableDirtyRatio: 0 }
  const clock = new SimulatedClock()
  const directory = await openDirectory({ disk, path: '/data' }, { clock })
  const log = await openOrders(directory, config)
  for (let i = 0; i < 6; i++) {
    await appended(log, buildBatch([{ key: i < 3 ? 'a' : 'b', value: 'x' }]))
    log.roll()
  }
  await appended(log, buildBatch([{ key: 'c', value: 'x' }]))
  log.highWatermark = log.logEndOffset
  const cleaner = cleanerOf(directory, disk, clock)
  assert.ok(await cleaner.cleanFilthiest())
  const again = await openOrders(await openDirectory({ disk: disk.kill(), path: '/data' }), config)
  const records = (await readAll(again)).flatMap((batch) => [...recordsOf(batch)])
  assert.deepEqual(
    records.map(({ key, offset }) => [Buffer.from(key!).toString(), offset]),
    [
      ['a', 2],
      ['b', 5],
      ['c', 6],
    ],
  )
})

test('what compaction leaves out it leaves out for batches that a crash does not take back', async () => {
  const config = { ...pageCache, deletes: false, compacts: true, minCleanableDirtyRatio: 0 }
  for (let seed = 1; seed <= 20; seed++) {
    const disk = new SimulatedDisk()
    const clock = new SimulatedClock()
    const directory = await openDirectory({ disk, path: '/data' }, { clock })
    const log = await openOrders(directory, config)
    const ofProducer = { producerId: 7, producerEpoch: 0 }
    await appended(log, buildBatch([{ key: 'a', value: '1' }], { ...ofProducer, baseSequence: 0 }))
    await appended(log, buildBatch([{ key: 'a', value: '2' }]))
    log.roll()
    // Written, and not synced.
    log.append(buildBatch([{ key: 'b', value: '3' }], { ...ofProducer, baseSequence: 1 }), 0, 'client')
    while (log.writtenOffset < 3) await new Promise((resolve) => setImmediate(resolve))
    log.highWatermark = log.logEndOffset
    assert.ok(await cleanerOf(directory, disk, clock).cleanFilthiest())
    const again = await openOrders(await openDirectory({ disk: disk.crash(seededRandom(seed)), path: '/data' }), config)
    assert.equal(again.producers.entries().next().value?.batches.at(-1)?.lastSequence, 1, `seed ${seed}`)
  }
})

test('segments that are not sealed for want of room are not compacted', async () => {
  const config = { ...smallConfig, deletes: false, compacts: true, minCleanableDirtyRatio: 0 }
  const disk = new SimulatedDisk()
  const clock = new SimulatedClock()
  const directory = await openDirectory({ disk, path: '/data' }, { clock })
  const log = await openOrders(directory, config)
  for (const value of ['1', '2']) await appended(log, buildBatch([{ key: 'a', value }]))
  const armed = disk.failWhen({ kind: 'write', path: '.snapshot', code: 'ENOSPC', times: Infinity })
  log.roll()
  await appended(log, buildBatch([{ key: 'b', value: '3' }]))
  log.highWatermark = log.logEndOffset
  const cleaner = cleanerOf(directory, disk, clock)
  assert.equal(await cleaner.cleanFilthiest(), false)
  assert.deepEqual([log.fault, (await readAll(log)).length], [null, 3])
  armed.cancel()
  // The next one that is sealed takes the other along.
  log.roll()
  while (log.recoveryPoint < 3) await new Promise((resolve) => setImmediate(resolve))
  await appended(log, buildBatch([{ key: 'b', value: '4' }]))
  assert.ok(await cleaner.cleanFilthiest())
})

test('where records before the recovery point are missing, nothing after them is dropped', async () => {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path: '/data' })
  const log = await openOrders(directory, pageCache)
  for (let i = 0; i < 3; i++) {
    await appended(log, batchOf([`value ${i}`]))
    log.roll()
  }
  while (log.recoveryPoint < 3) await new Promise((resolve) => setImmediate(resolve))
  await directory.checkpoint()
  await appended(log, batchOf(['value 3']))
  log.roll()
  await appended(log, batchOf(['last']))
  const found = disk.kill()
  for (const offset of [2, 3]) await found.remove(`${folder}/${fileNameOf(offset, '.log')}`)
  const again = await openOrders(await openDirectory({ disk: found, path: '/data' }), pageCache)
  assert.match(again.fault?.message ?? '', /which were confirmed, are missing/)
  assert.ok((await found.list(folder)).some((entry) => entry.name === fileNameOf(4, '.log')))
})

test('a segment that could not be sealed takes the older ones not along when the start moves', async () => {
  const disk = new SimulatedDisk()
  const log = await openOrders(await openDirectory({ disk, path: '/data' }))
  const ofProducer = { producerId: 7, producerEpoch: 0, baseSequence: 0 }
  await appended(log, batchOf(['value'], ofProducer))
  disk.failWhen({ kind: 'rename', path: '.snapshot' })
  log.roll()
  await assert.rejects(log.advanceStartTo(1), { code: 'EIO' })
  assert.ok(log.fault !== null)
  const again = await openOrders(await openDirectory({ disk: disk.kill(), path: '/data' }))
  assert.equal(again.logEndOffset, 1)
  assert.deepEqual(
    [...again.producers.entries()].map(({ producerId }) => producerId),
    [7],
  )
})

test('a segment that is not sealed for want of room stays until it is, and the older ones go', async () => {
  const disk = new SimulatedDisk()
  const log = await openOrders(await openDirectory({ disk, path: '/data' }))
  const ofProducer = { producerId: 7, producerEpoch: 0, baseSequence: 0 }
  await appended(log, batchOf(['value']))
  log.roll()
  while (log.recoveryPoint < 1) await new Promise((resolve) => setImmediate(resolve))
  await appended(log, batchOf(['value'], ofProducer))
  const armed = disk.failWhen({ kind: 'write', path: '.snapshot', code: 'ENOSPC', times: Infinity })
  log.roll()
  await log.advanceStartTo(2)
  assert.deepEqual([log.fault, log.logStartOffset, log.segments.map(({ baseOffset }) => baseOffset)], [null, 2, [1, 2]])
  armed.cancel()
  const again = await openOrders(await openDirectory({ disk: disk.kill(), path: '/data' }))
  assert.deepEqual([again.logStartOffset, again.logEndOffset], [2, 2])
  assert.deepEqual(
    [...again.producers.entries()].map(({ producerId }) => producerId),
    [7],
  )
})

test('a start that only the page cache knew of is on the disk when the folder is open again', async () => {
  const disk = new SimulatedDisk()
  const log = await openOrders(await openDirectory({ disk, path: '/data' }))
  await appended(log, batchOf(['a', 'b', 'c']))
  // The process ends between the renaming of the checkpoint and the sync of its folder.
  disk.onOperation = ({ kind, path }) => {
    if (kind === 'rename' && path.includes('log-start')) disk.haltAt(1)
  }
  await assert.rejects(log.advanceStartTo(2))
  const killed = disk.kill()
  const seen = await openOrders(await openDirectory({ disk: killed, path: '/data' }))
  assert.equal(seen.logStartOffset, 2)
  for (let seed = 1; seed <= 20; seed++) {
    const again = await openOrders(await openDirectory({ disk: killed.crash(seededRandom(seed)), path: '/data' }))
    assert.equal(again.logStartOffset, 2, `seed ${seed}`)
  }
})

test('a log is deleted although its folder was only just being made', async () => {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path: '/data' })
  const log = await openOrders(directory)
  log.append(batchOf(['value']), 0, 'client')
  disk.failWhen({ kind: 'syncFolder', path: folder })
  await directory.deleteLog(name)
  await directory.close()
  assert.deepEqual((await openDirectory({ disk: disk.kill(), path: '/data' })).existing(), [])
})

for (const { name: what, damage } of [
  {
    name: 'whose last batch has rotted',
    damage: async (disk: SimulatedDisk, path: string) => {
      const bytes = (await disk.readFile(path))!
      const last = [...batchesIn(bytes)].at(-1)!
      // The delta of its last offset: the log would end later than it does.
      disk.flipBit(path, last.byteOffset - bytes.byteOffset + 26, 3)
    },
  },
  {
    name: 'that has lost its last batch',
    damage: async (disk: SimulatedDisk, path: string) => {
      const bytes = (await disk.readFile(path))!
      const last = [...batchesIn(bytes)].at(-1)!
      const file = await disk.open(path)
      await file.truncate(last.byteOffset - bytes.byteOffset)
      await file.close()
    },
  },
]) {
  test(`a log ${what} after a clean stop is offline`, async () => {
    const disk = new SimulatedDisk()
    const directory = await openDirectory({ disk, path: '/data' })
    const log = await openOrders(directory)
    await appended(log, batchOf(['value']))
    log.roll()
    for (let i = 0; i < 3; i++) await appended(log, batchOf(['value']))
    await directory.close()
    await damage(disk, `${folder}/${fileNameOf(1, '.log')}`)
    const again = await openDirectory({ disk, path: '/data' })
    assert.ok(again.wasClean)
    assert.ok((await openOrders(again)).fault instanceof CorruptLogError)
  })
}

test('a checkpoint that could not be written is not taken for what lies in its file', async () => {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path: '/data' })
  const log = await openOrders(directory)
  await appended(log, batchOf(['a', 'b', 'c']))
  await directory.checkpoint()
  // It is renamed, and then its folder cannot be synced.
  let renamed = false
  disk.onOperation = ({ kind, path }) => {
    if (kind === 'rename' && path.includes('log-start')) renamed = true
    else if (renamed && kind === 'syncFolder') {
      disk.onOperation = null
      throw new DiskError('EIO', path)
    }
  }
  await log.advanceStartTo(2).catch(() => undefined)
  assert.ok(renamed)
  await directory.deleteLog(name)
  await appended(await openOrders(directory), batchOf(['new']))
  const again = await openOrders(await openDirectory({ disk: disk.kill(), path: '/data' }))
  assert.deepEqual([again.logStartOffset, again.logEndOffset], [0, 1])
})

test('a log that fails before its start is written down keeps the epochs of the old one', async () => {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path: '/data' })
  const log = await openOrders(directory)
  await appended(log, batchOf(['a', 'b']), 4)
  // A checkpoint is under way: the one of the start has to wait for it.
  const held = Promise.withResolvers<void>()
  disk.onOperation = ({ path }) => (path.includes('checkpoint.tmp') ? held.promise : undefined)
  const writing = directory.checkpoint()
  const advancing = log.advanceStartTo(1)
  disk.failWhen({ kind: 'write', path: '.log' })
  log.append(batchOf(['c']), 4, 'client')
  while (log.fault === null) await new Promise((resolve) => setImmediate(resolve))
  held.resolve()
  await writing
  await assert.rejects(advancing)
  assert.equal(log.epochAt(0), 4)
})

test('no start is on record that the log may not reach after a crash', async () => {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path: '/data' })
  const log = await openOrders(directory)
  await appended(log, batchOf(['value'], { producerId: 7, producerEpoch: 0, baseSequence: 0 }))
  // Its sync is under way when the start moves beyond it, and a checkpoint of all logs is due.
  disk.onOperation = ({ kind, path }) => (kind === 'sync' && path.endsWith('.log') ? new Promise(() => {}) : undefined)
  log.append(batchOf(['value']), 0, 'client')
  void log.advanceStartTo(2).catch(() => undefined)
  await directory.checkpoint()
  for (let seed = 1; seed <= 20; seed++) {
    const found = await openOrders(await openDirectory({ disk: disk.crash(seededRandom(seed)), path: '/data' }))
    assert.deepEqual(
      [...found.producers.entries()].map(({ producerId }) => producerId),
      [7],
      `seed ${seed}`,
    )
  }
})

test('a log that could not be deleted does not become the log of the next topic of its name', async () => {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path: '/data' })
  await appended(await openOrders(directory), batchOf(['value']))
  disk.failWhen({ kind: 'rename', path: folder })
  await assert.rejects(directory.deleteLog(name), { code: 'EIO' })
  const topicId = 'Pdtml00wRT63KVw56Kun8w'
  await assert.rejects(directory.openLog({ ...name, topicId, config: smallConfig }), ForeignFolder)
})

test('a log whose deletion may come undone is not taken for cleanly closed', async () => {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path: '/data' })
  const log = await openOrders(directory)
  await appended(log, batchOf(['value']))
  const armed = disk.failWhen({ kind: 'syncFolder', path: /^\/data$/ })
  await assert.rejects(directory.deleteLog(name), { code: 'EIO' })
  armed.cancel()
  await directory.close()
  const again = await openDirectory({ disk: disk.kill(), path: '/data' })
  assert.equal(again.wasClean, false)
})

test('what a failed sync was to keep, and a new process found readable, is on the disk once it counts as durable', async () => {
  let disk = new SimulatedDisk()
  const log = await openOrders(await openDirectory({ disk, path: '/data' }))
  await appended(log, batchOf(['first']), 0)
  disk.failWhen({ kind: 'sync', path: '.log' })
  log.append(batchOf(['second']), 0, 'client')
  while (log.fault === null) await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  // The process is started again, the machine is not: the page cache still shows what the disk never got.
  disk = disk.kill()
  const again = await openOrders(await openDirectory({ disk, path: '/data' }))
  assert.deepEqual([again.fault, again.durableOffset], [null, 2])
  for (let seed = 1; seed <= 10; seed++) {
    disk = disk.crash(seededRandom(seed))
    const after = await openOrders(await openDirectory({ disk, path: '/data' }))
    assert.deepEqual([after.fault, after.logEndOffset], [null, 2])
  }
})
