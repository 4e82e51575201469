// A compacted log has gaps, empty batches, transactions without records and markers without transactions: none of that is damage.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedDisk } from '../../io/disk.sim.ts'
import { seededRandom } from '../../io/random.sim.ts'
import { cleanerOf, compactedConfig, History, newClock } from '../compaction/history.contract.ts'
import { openDirectory, openOrders } from '../partition-log.contract.ts'
import { type Verified, verifyDirectory } from './verify-directory.ts'

/** A log that was cleaned some times while it grew, and closed. */
async function cleaned(seed: number, rounds: number): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  const clock = newClock()
  const directory = await openDirectory({ disk, path: '/data' }, { clock })
  const history = new History(await openOrders(directory, compactedConfig), seed)
  const random = seededRandom(seed)
  for (let i = 0; i < rounds; i++) {
    await history.append(20 + random.below(30))
    if (random.chance(0.5)) await history.finish()
    await cleanerOf(directory).cleanFilthiest()
    // Markers and tombstones may go with the next cleaning.
    await clock.advance(2 * compactedConfig.deleteRetentionMs)
    if (random.chance(0.5)) await directory.setCleanedTo(history.log.name, 0)
  }
  assert.equal(history.log.fault, null)
  directory.useHighWatermarks(() => [['orders-0', history.log.logEndOffset]])
  await directory.close()
  return disk
}

const verified = (disk: SimulatedDisk): Promise<Verified> => verifyDirectory({ disk, path: '/data', deep: true })

test('a log that was compacted again and again has no findings', async () => {
  let gaps = 0
  for (let seed = 1; seed <= 20; seed++) {
    const disk = await cleaned(seed, 1 + (seed % 4))
    const found = await verified(disk)
    assert.deepEqual(found.findings, [], `seed ${seed}`)
    const end = Number(/orders 0 (\d+)/.exec(await textOf(disk, 'recovery-point-offset-checkpoint'))![1])
    if (found.records < end / 2) gaps++
  }
  assert.ok(gaps > 8)
})

test('damage in a compacted log is found all the same', async () => {
  const disk = await cleaned(3, 3)
  const [first] = (await disk.list('/data/orders-0')).filter(({ name }) => name.endsWith('.log'))
  for (const position of [9, 18, 40, 70]) {
    disk.flipBit(`/data/orders-0/${first!.name}`, position)
    assert.equal((await verified(disk)).counts.damage > 0, true, `byte ${position}`)
    disk.flipBit(`/data/orders-0/${first!.name}`, position)
  }
  assert.deepEqual((await verified(disk)).findings, [])
})

test('an index of aborted transactions that is missing is found where their records are still there', async () => {
  let found = 0
  for (let seed = 1; seed <= 20; seed++) {
    const disk = await cleaned(seed, 2)
    const names = (await disk.list('/data/orders-0')).filter(({ name }) => name.endsWith('.txnindex'))
    for (const { name } of names) await disk.remove(`/data/orders-0/${name}`)
    const { counts, findings } = await verified(disk)
    if (counts.damage > 0) found++
    for (const { what } of findings) assert.match(what, /that was aborted at \d+ is missing/)
  }
  assert.ok(found > 0)
})

async function textOf(disk: SimulatedDisk, name: string): Promise<string> {
  return Buffer.from((await disk.readFile(`/data/${name}`)) ?? []).toString()
}
