import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { MemoryDisk } from '../../io/disk.memory.ts'
import { SimulatedDisk } from '../../io/disk.sim.ts'
import { buildBatch } from '../../records/batch-builder.ts'
import { asBuffer, openDirectory, ordersTopicId, readAll } from '../partition-log.contract.ts'
import type { LogConfig } from '../partition-log.ts'
import { cleaningInProcess } from './cleaning-engines.ts'
import type { CleaningEngine } from './cleaning-job.ts'
import { assertCompactedFrom, cleanerOf, compactedConfig, History, newClock, roomyLimits } from './history.contract.ts'
import type { LogCleanerOptions } from './log-cleaner.ts'

async function world(t: TestContext, disk: MemoryDisk | SimulatedDisk = new MemoryDisk()) {
  const clock = newClock()
  const directory = await openDirectory({ disk, path: 'data' }, { clock, limits: { tailCacheBytes: 0 } })
  t.after(() => directory.close())
  const logged: { level: string; message: string; log?: string }[] = []
  const say = (level: string) => (fields: object, message: string) => logged.push({ level, message, ...fields })
  const logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
  const open = async (topicName: string, batches: number, config: Partial<LogConfig> = {}) => {
    const place = { topicName, partition: 0, topicId: ordersTopicId }
    const log = await directory.openLog({ ...place, config: { ...compactedConfig, ...config } })
    const history = new History(log, 5)
    await history.append(batches)
    await history.finish()
    return { log, history }
  }
  const { disk: inner } = directory.context
  const cleaner = (options: Partial<LogCleanerOptions> = {}) => {
    const made = cleanerOf(directory, { logger, ...options })
    directory.useBackgroundWork(made)
    t.after(() => made.stop())
    return made
  }
  return { clock, directory, logged, open, cleaner, inner }
}

/** An engine that stops before its first swap until it is let on. */
function heldEngine(engine: CleaningEngine) {
  const held = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const clean: CleaningEngine['clean'] = (job, swap, signal) =>
    engine.clean(
      job,
      async (cleaned) => {
        held.resolve()
        await go.promise
        await swap(cleaned)
      },
      signal,
    )
  return { engine: { clean, stop: () => engine.stop() }, held: held.promise, goOn: () => go.resolve() }
}

async function leftovers({ directory }: Awaited<ReturnType<typeof world>>, folder: string): Promise<string[]> {
  const names = (await directory.context.disk.list(folder)).map(({ name }) => name)
  return names.filter((name) => /\.(cleaned|swap)$/.test(name))
}

test('the filthiest log is cleaned first, and only logs that compact', async (t) => {
  const here = await world(t)
  const clean = await here.open('clean', 40)
  const dirty = await here.open('dirty', 80)
  const plain = await here.open('plain', 80, { compacts: false })
  await here.directory.setCleanedTo('clean-0', clean.log.segments.at(-2)!.baseOffset)
  const cleaner = here.cleaner()
  const before = plain.log.segmentCount
  while (await cleaner.cleanFilthiest());
  const infos = here.logged.filter(({ level }) => level === 'info')
  assert.deepEqual(
    infos.map(({ log, message }) => [log, message]),
    [
      ['dirty-0', 'compacted a log'],
      ['clean-0', 'compacted a log'],
    ],
  )
  assert.equal(plain.log.segmentCount, before)
  await assertCompactedFrom(dirty.history, { untouched: dirty.log.logEndOffset })
})

test('logs are looked at every log.cleaner.backoff.ms, until the cleaner stops', async (t) => {
  const here = await world(t)
  const { log, history } = await here.open('orders', 60)
  const cleaner = here.cleaner({ backoffMs: 15_000 })
  cleaner.start()
  const segments = [...log.segments]
  await here.clock.advance(14_999)
  assert.deepEqual(log.segments, segments)
  await here.clock.advance(1)
  assert.notDeepEqual(log.segments, segments)
  const cleanedTo = here.directory.cleanedTo(log.name)!
  await history.append(60)
  await history.finish()
  await here.clock.advance(15_000)
  assert.ok(here.directory.cleanedTo(log.name)! > cleanedTo)
  await cleaner.stop()
  await history.append(60)
  await history.finish()
  const after = here.directory.cleanedTo(log.name)
  await here.clock.advance(60_000)
  assert.equal(here.directory.cleanedTo(log.name), after)
})

test('nothing at or above the high watermark or an open transaction is touched', async (t) => {
  const here = await world(t)
  const { log, history } = await here.open('orders', 80)
  log.highWatermark = log.segments[3]!.baseOffset
  const kept = log.segments.slice(3)
  assert.ok(await here.cleaner().cleanFilthiest())
  assert.deepEqual(log.segments.slice(-kept.length), kept)
  const below = here.directory.cleanedTo(log.name)!
  // A transaction that is open at the high watermark, too.
  assert.ok(below > 0 && below <= log.highWatermark && below <= log.firstUnstableOffsetAt(log.highWatermark)!)
  await history.confirm()
  await assertCompactedFrom(history, { untouched: below })

  const transaction = { producerId: 77, producerEpoch: 0, baseSequence: 0, transactional: true }
  history.add(buildBatch([{ key: 'open', value: 'v' }], transaction), 'client', 9)
  const opened = log.logEndOffset - 1
  await history.append(40)
  await history.confirm()
  log.roll()
  while (await here.cleaner().cleanFilthiest());
  assert.ok(here.directory.cleanedTo(log.name)! <= opened)
  await assertCompactedFrom(history, { untouched: here.directory.cleanedTo(log.name)! })
})

test('a log that is cut during its cleaning is left as the cut made it, and the checkpoint falls', async (t) => {
  const here = await world(t)
  const { log, history } = await here.open('orders', 80)
  assert.ok(await here.cleaner().cleanFilthiest())
  await history.append(60)
  await history.finish()
  const { engine, held, goOn } = heldEngine(cleaningInProcess(here.inner, here.clock))
  const cleaner = here.cleaner({ engine })
  const cleaning = cleaner.cleanFilthiest()
  await held
  const cleanedTo = here.directory.cleanedTo(log.name)!
  await log.truncateTo(cleanedTo - 30)
  const contents = (await readAll(log)).map(asBuffer)
  goOn()
  assert.equal(await cleaning, false)
  assert.equal(log.fault, null)
  assert.deepEqual((await readAll(log)).map(asBuffer), contents)
  assert.ok(here.directory.cleanedTo(log.name)! <= cleanedTo - 30)
  assert.deepEqual(await leftovers(here, log.folder), [])
  // Nothing is wrong with it: it is not left alone.
  assert.ok(!here.logged.some(({ level }) => level === 'error'))
})

test('a log whose old segments are deleted during its cleaning is cleaned another time', async (t) => {
  const here = await world(t)
  const { log } = await here.open('orders', 80)
  const { engine, held, goOn } = heldEngine(cleaningInProcess(here.inner, here.clock))
  const cleaner = here.cleaner({ engine })
  const cleaning = cleaner.cleanFilthiest()
  await held
  const start = log.segments[2]!.baseOffset
  await log.advanceStartTo(start)
  goOn()
  assert.equal(await cleaning, false)
  assert.deepEqual(await leftovers(here, log.folder), [])
  assert.ok(await cleaner.cleanFilthiest())
  assert.equal(log.logStartOffset, start)
  assert.ok(here.directory.cleanedTo(log.name)! > start)
})

test('a log that is deleted during its cleaning is let go of first', async (t) => {
  const here = await world(t)
  const { log } = await here.open('orders', 80)
  const { engine, held, goOn } = heldEngine(cleaningInProcess(here.inner, here.clock))
  const cleaning = here.cleaner({ engine }).cleanFilthiest()
  await held
  const deleting = here.directory.deleteLog({ topicName: 'orders', partition: 0 })
  goOn()
  assert.equal(await cleaning, false)
  await deleting
  assert.deepEqual(await here.inner.list(log.folder), [])
  const again = await here.open('orders', 40)
  assert.equal(here.directory.cleanedTo('orders-0'), undefined)
  assert.equal(again.log.logStartOffset, 0)
  assert.ok(!here.logged.some(({ level }) => level === 'error'))
})

test('a cleaner that stops drops the cleaning under way, and leaves nothing of it', async (t) => {
  const here = await world(t)
  const { log, history } = await here.open('orders', 80)
  const segments = [...log.segments]
  // So slow that it would take days.
  const cleaner = here.cleaner({ limits: { ...roomyLimits, bytesPerSecond: 0.1 } })
  cleaner.start()
  await here.clock.advance(60_000)
  await cleaner.stop()
  assert.deepEqual(log.segments, segments)
  assert.deepEqual(await leftovers(here, log.folder), [])
  assert.equal(here.directory.cleanedTo(log.name), undefined)
  await assertCompactedFrom(history, { untouched: 0 })
})

test('a cleaning keeps to log.cleaner.io.max.bytes.per.second', async (t) => {
  const here = await world(t)
  const { log } = await here.open('orders', 80)
  const { sizeBytes } = log
  const cleaner = here.cleaner({ limits: { ...roomyLimits, bytesPerSecond: 1000 }, backoffMs: 1 })
  cleaner.start()
  const began = here.clock.monotonic()
  for (let i = 0; i < 600 && here.directory.cleanedTo(log.name) === undefined; i++) await here.clock.advance(100)
  const seconds = (here.clock.monotonic() - began) / 1000
  // Read twice, and what is left is written.
  assert.ok(
    seconds > (2 * sizeBytes) / 1000 - 1 && seconds < (3 * sizeBytes) / 1000 + 1,
    `${seconds} s, ${sizeBytes} B`,
  )
})

test('a log whose cleaning fails is left alone, longer each time, and others are not', async (t) => {
  const disk = new SimulatedDisk()
  const here = await world(t, disk)
  const { log } = await here.open('orders', 60)
  await here.open('other', 30)
  const broken = disk.failWhen({ kind: 'write', path: /orders-0.*\.cleaned/, times: Infinity, code: 'ENOSPC' })
  const cleaner = here.cleaner({ backoffMs: 1000 })
  cleaner.start()
  const failures = () => here.logged.filter(({ level }) => level === 'error').length
  await here.clock.advance(1000)
  assert.equal(failures(), 1)
  await here.clock.advance(1000)
  assert.ok(here.directory.cleanedTo('other-0')! > 0)
  assert.deepEqual(await leftovers(here, log.folder), [])
  await here.clock.advance(57_000)
  assert.equal(failures(), 1)
  await here.clock.advance(3000)
  assert.equal(failures(), 2)
  await here.clock.advance(115_000)
  assert.equal(failures(), 2)
  broken.cancel()
  await here.clock.advance(10_000)
  assert.equal(failures(), 2)
  assert.ok(here.directory.cleanedTo(log.name)! > 0)
})

test('a fault of the disk in the middle of a swap takes the log offline, and the next start finishes it', async (t) => {
  for (const nth of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const disk = new SimulatedDisk()
    const here = await world(t, disk)
    const { history, log } = await here.open('orders', 60)
    const fault = disk.failWhen({ kind: 'rename', path: /orders-0.*(\.cleaned|\.swap)$/, nth })
    const cleaned = await here.cleaner().cleanFilthiest()
    fault.cancel()
    if (cleaned) {
      assert.ok(nth > 4)
      break
    }
    assert.notEqual(log.fault, null)
    await here.directory.close()
    const again = await openDirectory({ disk, path: 'data' })
    t.after(() => again.close())
    const place = { topicName: 'orders', partition: 0, topicId: ordersTopicId }
    history.log = await again.openLog({ ...place, config: compactedConfig })
    history.log.highWatermark = history.log.logEndOffset
    await assertCompactedFrom(history, { untouched: log.segments.at(-1)!.baseOffset })
    assert.deepEqual(await leftovers({ ...here, directory: again }, log.folder), [])
  }
})

test('a reader that a swap overtakes sees every record that stays', async (t) => {
  const disk = new SimulatedDisk()
  const here = await world(t, disk)
  const { log, history } = await here.open('orders', 80)
  let reads = 0
  let reading = Promise.resolve()
  // Between any two operations of the cleaning a reader begins.
  disk.onOperation = ({ path, kind }) => {
    if (!/\.(cleaned|swap)$/.test(path) && kind !== 'syncFolder') return
    reads++
    reading = reading.then(async () => {
      await assertCompactedFrom(history, { untouched: log.logEndOffset })
    })
  }
  assert.ok(await here.cleaner().cleanFilthiest())
  disk.onOperation = null
  await reading
  assert.ok(reads > 10)
  assert.equal(log.fault, null)
})

test('a checkpoint that lies outside the log is set to its start, and said', async (t) => {
  const here = await world(t)
  const { log } = await here.open('orders', 60)
  await here.directory.setCleanedTo(log.name, log.logEndOffset + 1)
  assert.ok(await here.cleaner().cleanFilthiest())
  assert.equal(here.logged.filter(({ level }) => level === 'warn').length, 1)
  assert.equal(here.directory.cleanedTo(log.name), log.segments.at(-1)!.baseOffset)
})
