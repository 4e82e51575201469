// Bytes that rot in a file while the log is open: a read gives what was sent, or bytes whose checksum is wrong, or it takes the log offline.
// It never answers as if there were nothing to read, and it ends.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedDisk } from '../io/disk.sim.ts'
import { baseOffsetOf, computedCrcOf, crcOf, nextOffsetOf } from '../records/batch.ts'
import { batchesIn } from '../records/batches-in.ts'
import { CorruptLogError } from './log-errors.ts'
import { appended, asBuffer, batchOf, openDirectory, openOrders, smallConfig } from './partition-log.contract.ts'
import { fileNameOf } from './segment-names.ts'

const path = `/data/orders-0/${fileNameOf(0, '.log')}`
const config = { ...smallConfig, segmentBytes: 1 << 20 }

/** A log of six batches of two records, read from its file. */
async function filled() {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path: '/data' }, { limits: { tailCacheBytes: 0 } })
  const log = await openOrders(directory, config)
  const batches: Uint8Array[] = []
  for (let i = 0; i < 6; i++) {
    const batch = batchOf([`value ${i}`, 'x'.repeat(7 * i)])
    await appended(log, batch)
    batches.push(batch)
  }
  return { disk, log, batches }
}

const positionOf = (batches: readonly Uint8Array[], index: number) =>
  batches.slice(0, index).reduce((sum, batch) => sum + batch.length, 0)

test('whatever bit of a header rots, a reader gets what was sent, or what its checksum shows to be wrong, or an answer', async () => {
  for (let byte = 0; byte < 61; byte++) {
    // Neither the place of a batch nor the leader's epoch is covered by its checksum; a place that is too low is seen by the order.
    if (byte < 8 || (byte >= 12 && byte < 16)) continue
    for (let bit = 0; bit < 8; bit++) {
      const { disk, log, batches } = await filled()
      disk.flipBit(path, positionOf(batches, 3) + byte, bit)
      let next = 0
      while (next < log.logEndOffset) {
        const read = await log.read(next, 150, Infinity, true)
        if (!read.ok) break
        assert.ok(read.sizeBytes > 0, `byte ${byte}, bit ${bit}: there is more from ${next} on`)
        for (const batch of read.chunks.flatMap((chunk) => [...batchesIn(chunk)])) {
          const sent = batches.find((one) => baseOffsetOf(one) === baseOffsetOf(batch))!
          if (crcOf(batch) === computedCrcOf(batch)) assert.deepEqual(asBuffer(batch), asBuffer(sent))
          next = nextOffsetOf(batch)
        }
      }
      if (next < log.logEndOffset) {
        assert.ok(log.fault instanceof CorruptLogError, `byte ${byte}, bit ${bit}: the log says why it ends at ${next}`)
      }
    }
  }
})

test('a batch that begins before the end of the one before it takes the log offline', async () => {
  const { disk, log, batches } = await filled()
  // Base offset 6 becomes 2.
  disk.flipBit(path, positionOf(batches, 3) + 7, 2)
  assert.deepEqual(await log.read(4, 10_000, Infinity, true), { ok: false, refusal: 'offline' })
  assert.ok(log.fault instanceof CorruptLogError)
})
