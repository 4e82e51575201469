// A power cut at every operation of a cleaning: the log is found with its old segments or with new ones, whole, and the next cleaning goes
// on from there.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedDisk } from '../../io/disk.sim.ts'
import { seededRandom } from '../../io/random.sim.ts'
import { buildBatch } from '../../records/batch-builder.ts'
import { openDirectory, openOrders } from '../partition-log.contract.ts'
import { verifyDirectory } from '../verify/verify-directory.ts'
import {
  assertCompactedFrom,
  cleanerOf,
  compactedConfig,
  History,
  lastOffsets,
  newClock,
  recordOffsets,
  toldBy,
} from './history.contract.ts'

const path = 'data'
const config = { ...compactedConfig, segmentBytes: 900 }

/** A log of some segments, all but the active one to be cleaned into a few; the directory is open, its files as a start finds them. */
async function world(seed: number, fileDeleteDelayMs: number) {
  const disk = new SimulatedDisk()
  const clock = newClock()
  const options = { clock, limits: { tailCacheBytes: 0, openFilesMax: 3 } }
  const first = await openDirectory({ disk, path }, options)
  const history = new History(await openOrders(first, config), seed)
  await history.append(30)
  await history.finish()
  // The active segment is not cleaned; without a record it would have no file.
  history.add(buildBatch([{ key: 'last', value: 'v' }]), 'client', 9)
  await history.confirm()
  await first.close()
  const directory = await openDirectory({ disk, path }, options)
  history.log = await openOrders(directory, { ...config, fileDeleteDelayMs })
  history.log.highWatermark = history.log.logEndOffset
  return { disk, clock, directory, history, options }
}

async function clean({ directory, history }: Awaited<ReturnType<typeof world>>, times: number): Promise<void> {
  const cleaner = cleanerOf(directory)
  assert.ok(await cleaner.cleanFilthiest())
  if (times === 1) return
  // Once more: markers of transactions that are gone get their horizon.
  await directory.setCleanedTo(history.log.name, 0)
  assert.ok(await cleaner.cleanFilthiest())
}

/** A power cut during another operation finds the disk as one during the next of these. */
const changing = new Set(['open', 'rename', 'remove', 'write', 'truncate', 'sync', 'syncFolder'])

for (const { seed, delayMs, times, step } of [
  { seed: 1, delayMs: 0, times: 1, step: 1 },
  { seed: 2, delayMs: 60_000, times: 2, step: 7 },
]) {
  test(`after a power cut at any operation the log is whole, seed ${seed}`, async () => {
    const whole = await world(seed, delayMs)
    const before = whole.disk.operations
    const cuts: number[] = []
    whole.disk.onOperation = ({ index, kind, path: file }) => {
      if (changing.has(kind) && !(kind === 'open' && !file.endsWith('.cleaned'))) cuts.push(index - before)
    }
    assert.ok(whole.history.log.segmentCount > 5)
    await clean(whole, times)
    whole.disk.onOperation = null
    const untouched = whole.history.log.segments.at(-1)!.baseOffset
    const last = [...lastOffsets(toldBy(whole.history.batches), untouched).values()]
    const expected = last.map(({ offset }) => offset).toSorted((one, other) => one - other)
    assert.deepEqual(recordOffsets(await assertCompactedFrom(whole.history, { untouched }), untouched), expected)
    await whole.directory.close()

    let finishedSwaps = 0
    assert.ok(cuts.length > 50)
    for (const nth of cuts.filter((_, i) => i % step === 0)) {
      const broken = await world(seed, delayMs)
      broken.disk.haltAt(nth)
      await clean(broken, times).catch(() => undefined)
      assert.ok(broken.disk.off, `the power did not fail at ${nth}`)
      // What a machine finds, or a process that was killed.
      const found = nth % 3 === 0 ? broken.disk.kill() : broken.disk.crash(seededRandom(nth))
      const swaps = (await found.list(`${path}/orders-0`)).filter(({ name }) => name.endsWith('.log.swap'))
      const directory = await openDirectory({ disk: found, path }, broken.options)
      const { history } = broken
      history.log = await openOrders(directory, config)
      assert.equal(history.log.fault, null, `${nth}: ${history.log.fault?.message}`)
      assert.equal(history.log.logEndOffset, whole.history.log.logEndOffset)
      const names = (await found.list(`${path}/orders-0`)).map(({ name }) => name)
      assert.deepEqual(
        names.filter((name) => /\.(cleaned|swap|deleted|tmp)$/.test(name)),
        [],
      )
      finishedSwaps += swaps.length
      history.log.highWatermark = history.log.logEndOffset
      assert.equal(history.log.segments.at(-1)!.baseOffset, untouched)
      await assertCompactedFrom(history, { untouched })
      await directory.setCleanedTo(history.log.name, 0)
      assert.ok(await cleanerOf(directory).cleanFilthiest())
      assert.deepEqual(recordOffsets(await assertCompactedFrom(history, { untouched }), untouched), expected)
      await directory.close()
      const { findings } = await verifyDirectory({ disk: found, path, deep: true })
      assert.deepEqual(findings, [], `${nth}`)
    }
    assert.ok(finishedSwaps > 0, 'no start had a swap to finish')
  })
}
