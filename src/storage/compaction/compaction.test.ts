// Random histories, compacted: what readers and producers rely on holds, the rules' every consequence is there, and nothing else is.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from '../../io/disk.memory.ts'
import { baseOffsetOf, hasDeleteHorizon, nextOffsetOf, producerIdOf } from '../../records/batch.ts'
import { recordsOf } from '../../records/record.ts'
import { asBuffer, openDirectory, openOrders, readAll } from '../partition-log.contract.ts'
import type { LogConfig } from '../partition-log.ts'
import { verifyDirectory } from '../verify/verify-directory.ts'
import {
  assertCompactedFrom,
  cleanerOf,
  compactedConfig,
  History,
  lastOffsets,
  newClock,
  recordOffsets,
  roomyLimits,
  toldBy,
} from './history.contract.ts'

async function world(seed: number, config: LogConfig = compactedConfig) {
  const place = { disk: new MemoryDisk(), path: 'data' }
  const clock = newClock()
  const limits = { tailCacheBytes: seed % 2 === 0 ? 0 : 1 << 20 }
  const directory = await openDirectory(place, { clock, limits })
  const log = await openOrders(directory, config)
  const history = new History(log, seed)
  return { place, clock, limits, directory, log, history, cleaner: cleanerOf(directory) }
}

const seeds = Array.from({ length: 6 }, (_, i) => i + 1)

for (const seed of seeds) {
  test(`the last record of each key stays in its place, and nothing else, seed ${seed}`, async (t) => {
    const { directory, log, history, cleaner, clock } = await world(seed)
    t.after(() => directory.close())
    for (let round = 0; round < 3; round++) {
      await history.append(60)
      const segmentsBefore = log.segmentCount
      const dirty = await cleaner.cleanFilthiest()
      const cleanedTo = directory.cleanedTo(log.name) ?? 0
      const found = await assertCompactedFrom(history, { untouched: cleanedTo })
      if (dirty) {
        assert.ok(log.segmentCount <= segmentsBefore)
        const last = [...lastOffsets(toldBy(history.batches), cleanedTo).values()].map(({ offset }) => offset)
        assert.deepEqual(
          recordOffsets(found, cleanedTo),
          last.toSorted((one, other) => one - other),
        )
      }
      // Less than delete.retention.ms in all.
      await clock.advance(300)
    }
  })

  test(`tombstones and markers go once they are delete.retention.ms old, then nothing changes, seed ${seed}`, async () => {
    const { place, directory, log, history, cleaner, clock } = await world(seed)
    await history.append(150)
    await history.finish()
    const again = async () => {
      await directory.setCleanedTo(log.name, 0)
      assert.ok(await cleaner.cleanFilthiest())
      assert.equal(directory.cleanedTo(log.name), log.segments.at(-1)!.baseOffset)
      return assertCompactedFrom(history, { untouched: log.logEndOffset, tombstonesGo: true })
    }
    const first = await again()
    const last = [...lastOffsets(toldBy(history.batches), Infinity).values()].toSorted((a, b) => a.offset - b.offset)
    assert.deepEqual(
      recordOffsets(first),
      last.map(({ offset }) => offset),
    )
    // The transactions' records are gone: from now on their markers have a horizon, too.
    const second = await again()
    await clock.advance(999)
    assert.deepEqual((await again()).map(asBuffer), second.map(asBuffer), 'nothing changes before the horizons')
    // A tombstone goes, the next cleaning finds nothing of its transaction, and later the marker goes.
    let clean = second
    for (let i = 0; i < 5; i++) {
      await clock.advance(1000)
      clean = await again()
    }
    const values = last.filter(({ value }) => value !== null)
    assert.deepEqual(
      recordOffsets(clean),
      values.map(({ offset }) => offset),
    )
    assert.ok(clean.every((batch) => [...recordsOf(batch)].every(({ value }) => value !== null)))
    // Those that are left hold the last sequence of their producer, in a batch without records.
    for (const { producerId, firstOffset, lastOffset } of await log.abortedTransactions(0, Infinity)) {
      const isOfIt = (batch: Uint8Array) => baseOffsetOf(batch) >= firstOffset && nextOffsetOf(batch) <= lastOffset
      assert.ok(clean.some((batch) => isOfIt(batch) && producerIdOf(batch) === producerId))
    }
    await clock.advance(5000)
    assert.deepEqual((await again()).map(asBuffer), clean.map(asBuffer), 'there is nothing left to clean')
    await directory.close()
    const verified = await verifyDirectory({ ...place, deep: true })
    assert.deepEqual(verified.findings, [])
  })

  test(`every lookup finds what is left, also after the log was opened anew, seed ${seed}`, async (t) => {
    const { place, limits, directory, log, history, cleaner } = await world(seed)
    await history.append(150)
    assert.ok(await cleaner.cleanFilthiest())
    await directory.close()
    const verified = await verifyDirectory({ ...place, deep: true })
    assert.deepEqual(verified.findings, [])
    // The second time without snapshots: producers are known from the batches alone.
    for (const withSnapshots of [true, false]) {
      if (!withSnapshots) {
        for (const { name } of await place.disk.list(log.folder)) {
          if (name.endsWith('.snapshot')) await place.disk.remove(`${log.folder}/${name}`)
        }
      }
      const reopened = await openDirectory(place, { limits })
      t.after(() => reopened.close())
      history.log = await openOrders(reopened, compactedConfig)
      history.log.highWatermark = history.log.logEndOffset
      assert.equal(history.log.logEndOffset, log.logEndOffset)
      const cleanedTo = reopened.cleanedTo(log.name)!
      const found = await assertCompactedFrom(history, { untouched: cleanedTo })
      await assertLookups(history.log, found)
      await reopened.close()
    }
  })

  test(`what does not fit into the memory for keys is cleaned another time, seed ${seed}`, async (t) => {
    const { directory, log, history } = await world(seed)
    t.after(() => directory.close())
    await history.append(100)
    await history.finish()
    // Room for 2 keys.
    const cleaner = cleanerOf(directory, { limits: { ...roomyLimits, keyMapBytes: 24 * 3, loadFactor: 0.7 } })
    let cleanedTo = 0
    while (await cleaner.cleanFilthiest()) {
      const before = cleanedTo
      cleanedTo = directory.cleanedTo(log.name)!
      assert.ok(cleanedTo > before)
      const found = await assertCompactedFrom(history, { untouched: cleanedTo })
      const last = [...lastOffsets(toldBy(history.batches), cleanedTo).values()].map(({ offset }) => offset)
      assert.deepEqual(
        recordOffsets(found, cleanedTo),
        last.toSorted((one, other) => one - other),
      )
    }
    assert.equal(cleanedTo, log.segments.at(-1)!.baseOffset)
  })
}

async function assertLookups(log: Parameters<typeof readAll>[0], found: readonly Uint8Array[]): Promise<void> {
  for (let from = log.logStartOffset; from < log.logEndOffset; from++) {
    const read = await log.read(from, 1, Infinity, true)
    assert.ok(read.ok)
    const expected = found.find((batch) => nextOffsetOf(batch) > from)
    assert.deepEqual(read.chunks.map(asBuffer), expected === undefined ? [] : [asBuffer(expected)])
  }
  const records = found.flatMap((batch) => [...recordsOf(batch)])
  const timestamps = new Set(records.map(({ timestamp }) => timestamp))
  for (const timestamp of timestamps) {
    for (const asked of [timestamp, timestamp + 1]) {
      const expected = records.find((record) => record.timestamp >= asked)
      assert.equal((await log.findByTimestamp(asked, Infinity))?.offset, expected?.offset)
    }
  }
}

test('the batch of a tombstone keeps the horizon that it got first', async (t) => {
  const { directory, log, history, cleaner, clock } = await world(4)
  t.after(() => directory.close())
  await history.append(100)
  await history.finish()
  assert.ok(await cleaner.cleanFilthiest())
  const horizons = async () => (await readAll(log)).filter((batch) => hasDeleteHorizon(batch)).map(asBuffer)
  const before = await horizons()
  assert.ok(before.length > 0)
  await clock.advance(500)
  await directory.setCleanedTo(log.name, 0)
  assert.ok(await cleaner.cleanFilthiest())
  const after = await horizons()
  for (const batch of before) assert.ok(after.some((other) => other.equals(batch)))
})
