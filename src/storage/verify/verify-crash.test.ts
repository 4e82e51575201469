// Verifying must agree with recovery: what a power failure leaves is no damage, and the report says where the next start cuts.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedDisk } from '../../io/disk.sim.ts'
import { seededRandom, type SeededRandom } from '../../io/random.sim.ts'
import { buildEndTransactionMarker } from '../../records/control-batch.ts'
import { batchOf, openDirectory, openOrders, smallConfig } from '../partition-log.contract.ts'
import type { LogConfig } from '../partition-log.ts'
import type { SegmentedLog } from '../segmented-log.ts'
import type { Finding } from './finding.ts'
import { verifyDirectory } from './verify-directory.ts'

const runs = 60

/**
 * Without fsync the end of a segment may never reach the disk while the next one does. When just whole batches are missing, a start cannot
 * tell that from compaction and goes on behind the hole, as in Kafka; verifying names it.
 */
function isHole({ what }: Finding): boolean {
  return /^the segment begins with \d+, the one before ends at \d+$/.test(what)
}

/** Appends, transactions, deletions, cuts and checkpoints until the power fails. */
async function workload(disk: SimulatedDisk, config: LogConfig, random: SeededRandom): Promise<void> {
  for (let life = 0; life < 3; life++) {
    const directory = await openDirectory({ disk, path: '/data' })
    const log = await openOrders(directory, config)
    directory.useHighWatermarks(() => [['orders-0', log.durableOffset]])
    for (let i = 0; i < 40; i++) await step(log, random, () => directory.checkpoint(), 4 * life + Math.floor(i / 10))
    await directory.close()
  }
}

async function step(log: SegmentedLog, random: SeededRandom, checkpoint: () => Promise<void>, epoch: number) {
  const producer = { producerId: 7 + random.below(2), producerEpoch: 0, timestamp: 1000 + log.logEndOffset }
  const last = log.producers.entry(producer.producerId)?.batches.at(-1)?.lastSequence ?? -1
  switch (random.below(12)) {
    case 0:
      await checkpoint()
      break
    case 1:
      await log.sync()
      await log.advanceStartTo(log.logStartOffset + random.below(log.logEndOffset - log.logStartOffset + 1))
      break
    case 2:
      await log.sync()
      if (log.firstUnstableOffset === null)
        await log.truncateTo(Math.max(log.logStartOffset, log.logEndOffset - random.below(4)))
      break
    case 3:
    case 4:
      log.append(batchOf(['mine'], { ...producer, baseSequence: last + 1, transactional: true }), epoch, 'client')
      break
    case 5: {
      const kind = random.below(2) === 0 ? 'abort' : 'commit'
      log.append(buildEndTransactionMarker({ kind, coordinatorEpoch: 1 }, producer), epoch, 'coordinator')
      break
    }
    case 6:
      await log.sync()
      break
    default: {
      const values = Array.from({ length: 1 + random.below(3) }, () => 'x'.repeat(random.below(80)))
      log.append(batchOf(values, { timestamp: 1000 + random.below(5000) }), epoch, 'client')
    }
  }
}

for (const flushPolicy of ['fsync', 'page-cache'] as const) {
  test(`what a power failure leaves of a log with ${flushPolicy} is no damage, and the report says what a start does`, async () => {
    const config: LogConfig = { ...smallConfig, segmentBytes: 600, flushPolicy }
    const facts = { topicId: 'bYTNgNGuTtWhMHc-8cU6sQ', compacts: false, flushPolicy }
    let torn = 0
    for (let seed = 1; seed <= runs; seed++) {
      const random = seededRandom(seed)
      const disk = new SimulatedDisk()
      disk.haltAt(30 + random.below(900))
      await workload(disk, config, random).catch(() => undefined)
      const found = disk.crash(random)
      const before = await verifyDirectory({ disk: found, path: '/data', topicOf: () => facts, deep: true })
      const log = await openOrders(await openDirectory({ disk: found, path: '/data' }), config)
      const damage = before.findings.filter((finding) => finding.severity === 'damage')
      const known = flushPolicy === 'fsync' ? damage : damage.filter((finding) => !isHole(finding))
      assert.deepEqual(known, [], `seed ${seed}`)
      assert.equal(log.fault, null, `seed ${seed}`)
      const tail = before.findings.find(({ severity }) => severity === 'tornTail')
      if (tail === undefined) continue
      torn++
      assert.equal(log.logEndOffset, Math.max(tail.offset!, log.logStartOffset), `seed ${seed}`)
    }
    assert.ok(torn > 0, `${torn} torn tails in ${runs} runs`)
  })

  test(`a log with ${flushPolicy} that was recovered and closed has no findings`, async () => {
    const config: LogConfig = { ...smallConfig, segmentBytes: 600, flushPolicy }
    for (let seed = 1; seed <= runs; seed++) {
      const random = seededRandom(1000 + seed)
      const disk = new SimulatedDisk()
      disk.haltAt(30 + random.below(900))
      await workload(disk, config, random).catch(() => undefined)
      const found = disk.crash(random)
      const directory = await openDirectory({ disk: found, path: '/data' })
      const log = await openOrders(directory, config)
      directory.useHighWatermarks(() => [['orders-0', log.durableOffset]])
      await directory.close()
      const verified = await verifyDirectory({ disk: found, path: '/data', deep: true })
      const known = flushPolicy === 'fsync' ? verified.findings : verified.findings.filter((found) => !isHole(found))
      assert.deepEqual(known, [], `seed ${seed}`)
      assert.equal(verified.clean, true)
    }
  })
}
