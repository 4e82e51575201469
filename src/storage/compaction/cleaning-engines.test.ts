import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../io/clock.ts'
import { realDisk } from '../../io/disk.real.ts'
import { buildBatch } from '../../records/batch-builder.ts'
import { asBuffer, openDirectory, openOrders, readAll } from '../partition-log.contract.ts'
import { CleaningThread, cleaningInProcess } from './cleaning-engines.ts'
import { CleaningAborted, type CleaningEngine } from './cleaning-job.ts'
import { assertCompactedFrom, cleanerOf, compactedConfig, History } from './history.contract.ts'

async function world(t: TestContext) {
  const path = await mkdtemp(join(tmpdir(), 'odradek-cleaning-'))
  const directory = await openDirectory({ disk: realDisk, path }, { clock: systemClock })
  t.after(async () => {
    await directory.close()
    await rm(path, { recursive: true, force: true })
  })
  const log = await openOrders(directory, { ...compactedConfig, deleteRetentionMs: 86_400_000 })
  const history = new History(log, 7)
  await history.append(120)
  await history.finish()
  return { path, directory, log, history }
}

function threadOf(t: TestContext, module?: URL): CleaningThread {
  const thread = new CleaningThread(systemClock, module)
  t.after(() => thread.stop())
  return thread
}

/** A thread that does something else. */
async function moduleOf(t: TestContext, text: string): Promise<URL> {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-thread-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'thread.mjs'), `import { parentPort } from 'node:worker_threads'\n${text}`)
  return pathToFileURL(join(folder, 'thread.mjs'))
}

test('a thread of its own makes the same of a log as this one', async (t) => {
  const contents: Buffer[][] = []
  for (const engine of [threadOf(t), cleaningInProcess(realDisk, systemClock)]) {
    const { directory, log, history } = await world(t)
    // Delete horizons are of the wall clock: the cleaning is told the time.
    const clock = { ...systemClock, now: () => 1_800_000_000_000 }
    const cleaner = cleanerOf(directory, { engine, clock })
    assert.ok(await cleaner.cleanFilthiest())
    assert.equal(directory.cleanedTo(log.name), log.segments.at(-1)!.baseOffset)
    await assertCompactedFrom(history, { untouched: log.logEndOffset })
    contents.push((await readAll(log)).map(asBuffer))
  }
  assert.ok(contents[0]!.length > 0)
  assert.deepEqual(contents[0], contents[1])
})

test('a thread cleans one log after the other, and is begun anew after it was stopped', async (t) => {
  const engine = threadOf(t)
  for (const stops of [false, true, false]) {
    const { directory } = await world(t)
    assert.ok(await cleanerOf(directory, { engine }).cleanFilthiest())
    if (stops) await engine.stop()
  }
})

test('a thread that crashes fails one cleaning, and the next one gets another thread', async (t) => {
  const { path, directory, log, history } = await world(t)
  const before = (await readAll(log)).map(asBuffer)
  const module = await moduleOf(t, `parentPort.on('message', () => { throw new Error('a bug') })`)
  const errors: unknown[] = []
  const logger = { debug() {}, info() {}, warn() {}, error: (fields: object) => errors.push(fields) }
  assert.equal(await cleanerOf(directory, { engine: threadOf(t, module), logger }).cleanFilthiest(), false)
  assert.match(String((errors[0] as { err: Error }).err), /a bug/)
  assert.equal(log.fault, null)
  assert.deepEqual((await readAll(log)).map(asBuffer), before)
  assert.ok(await cleanerOf(directory, { engine: threadOf(t) }).cleanFilthiest())
  await assertCompactedFrom(history, { untouched: log.logEndOffset })
  const names = (await realDisk.list(`${path}/orders-0`)).map(({ name }) => name)
  assert.deepEqual(
    names.filter((name) => /\.(cleaned|swap)$/.test(name)),
    [],
  )
})

test('a cleaning in a thread ends at once when it is aborted, whatever it does', async (t) => {
  const { log } = await world(t)
  const module = await moduleOf(
    t,
    `parentPort.on('message', () => { parentPort.postMessage({ kind: 'cleaned' }); for (;;); })`,
  )
  const engine = threadOf(t, module)
  const abort = new AbortController()
  const job = jobFor(log.folder)
  const cleaning = engine.clean(job, async () => abort.abort(), abort.signal)
  await assert.rejects(cleaning, CleaningAborted)
  await assert.rejects(
    engine.clean(job, async () => {}, abort.signal),
    CleaningAborted,
  )
})

test('what goes wrong with a swap ends the cleaning, with that error', async (t) => {
  for (const engine of [threadOf(t), cleaningInProcess(realDisk, systemClock)] satisfies CleaningEngine[]) {
    const { log } = await world(t)
    const segments = log.segments.slice(0, -1).map(({ baseOffset, sizeBytes }) => ({ baseOffset, sizeBytes }))
    const job = { ...jobFor(log.folder), segments, firstUncleanableOffset: log.segments.at(-1)!.baseOffset }
    const failing = async () => {
      throw new Error('no swap')
    }
    await assert.rejects(engine.clean(job, failing, new AbortController().signal), /no swap/)
  }
})

test('damage is found before it is copied, and the log stays as it is', async (t) => {
  for (const engineOf of [() => threadOf(t), () => cleaningInProcess(realDisk, systemClock)]) {
    const { directory, log } = await world(t)
    const file = await realDisk.open(log.segments[1]!.file.path)
    const size = await file.size()
    const byte = Buffer.alloc(1)
    await file.read(byte, size - 3)
    byte[0]! ^= 1
    await file.write([byte], size - 3)
    await file.close()
    const segments = [...log.segments]
    const errors: { err: Error }[] = []
    const logger = {
      debug() {},
      info() {},
      warn() {},
      error: (fields: object) => errors.push(fields as { err: Error }),
    }
    const cleaner = cleanerOf(directory, { engine: engineOf(), logger })
    assert.equal(await cleaner.cleanFilthiest(), false)
    assert.match(errors[0]!.err.message, /badChecksum/)
    assert.deepEqual(log.segments, segments)
    // It is left alone for a while.
    assert.equal(await cleaner.cleanFilthiest(), false)
    assert.equal(errors.length, 1)
  }
})

test('others wait for a cleaning in this thread no longer than for a few batches', async (t) => {
  const { directory, log } = await world(t)
  const records = (i: number) =>
    Array.from({ length: 100 }, (_, n) => ({ key: `key-${(i * 37 + n) % 999}`, value: 'x'.repeat(50) }))
  log.configure({ ...log.config, segmentBytes: 1 << 20 })
  for (let i = 0; i < 600; i++)
    log.append(buildBatch(records(i), { codec: i % 2 === 0 ? 'zstd' : 'none' }), 9, 'client')
  await log.sync()
  log.roll()
  log.highWatermark = log.logEndOffset
  let turns = 0
  let done = false
  const tick = () => {
    turns++
    if (!done) setImmediate(tick)
  }
  tick()
  assert.ok(await cleanerOf(directory, { engine: cleaningInProcess(realDisk, systemClock) }).cleanFilthiest())
  done = true
  assert.ok(turns > 10, `${turns} turns`)
})

function jobFor(folder: string) {
  return {
    name: 'orders-0',
    folder,
    segments: [],
    firstDirtyOffset: 0,
    firstUncleanableOffset: 0,
    nowMs: 0,
    deleteRetentionMs: 0,
    segmentBytes: 1000,
    segmentIndexBytes: 1000,
    indexIntervalBytes: 100,
    aborted: new Float64Array(0),
    producers: new Float64Array(0),
    hashKey: new Int32Array(4),
    limits: { keyMapBytes: 10_000, loadFactor: 0.9, bufferBytes: 1024, bytesPerSecond: Infinity },
  }
}
