import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from '../io/disk.memory.ts'
import { seededRandom } from '../io/random.sim.ts'
import { buildBatch } from '../records/batch-builder.ts'
import { currentMagic } from '../records/batch.ts'
import { judgeDamage, nextGoodBatch } from './damage.ts'

const disk = new MemoryDisk()
const batch = buildBatch([{ value: 'good' }], { baseOffset: 20 })

async function fileOf(bytes: Uint8Array) {
  const file = await disk.open('/file', { create: true })
  await file.truncate(0)
  await file.write([bytes], 0)
  return file
}

/** More than a window of the search, full of places that look like the beginning of a batch at first. */
function garbage(sizeBytes: number): Buffer {
  const random = seededRandom(7)
  const bytes = Buffer.alloc(sizeBytes)
  for (let at = 0; at < sizeBytes; at++) bytes[at] = random.chance(0.1) ? currentMagic : random.below(256)
  return bytes
}

test('the next good batch is found wherever it lies among garbage, also across the windows of the search', async () => {
  const bytes = garbage(600 * 1024)
  const window = 256 * 1024
  const places = [
    1,
    777,
    window - batch.length,
    window - 61,
    window - 30,
    window - 1,
    window,
    window + 1,
    2 * window - 40,
  ]
  for (const position of [...places, bytes.length - batch.length]) {
    const damaged = Buffer.from(bytes)
    damaged.set(batch, position)
    assert.equal(await nextGoodBatch(await fileOf(damaged), 1, bytes.length, 10), position)
  }
})

test('what is cut short, of an offset that is past, or beyond the end of the search is no good batch', async () => {
  const bytes = garbage(300 * 1024)
  assert.equal(await nextGoodBatch(await fileOf(bytes), 0, bytes.length, 10), null)
  bytes.set(batch, 1000)
  assert.equal(await nextGoodBatch(await fileOf(bytes), 0, bytes.length, 10), 1000)
  assert.equal(await nextGoodBatch(await fileOf(bytes), 0, bytes.length, 21), null)
  assert.equal(await nextGoodBatch(await fileOf(bytes), 0, 1000 + batch.length - 1, 10), null)
  assert.equal(await nextGoodBatch(await fileOf(bytes), 1001, bytes.length, 10), null)
})

/** Three batches of offsets 300, 301 and 302 behind `before` bytes; the one in the middle begins at `position`. */
function batchesFrom(before: number): { bytes: Buffer; position: number } {
  const batches = [300, 301, 302].map((baseOffset) => buildBatch([{ value: 'v'.repeat(900) }], { baseOffset }))
  const position = before + batches[0]!.length
  return { bytes: Buffer.concat([Buffer.alloc(before, 1), ...batches]), position }
}

test('a rotten batch with a good one after it is rot, wherever in a sector it begins', async () => {
  for (let before = 0; before < 512; before++) {
    const { bytes, position } = batchesFrom(before)
    // Its length.
    bytes[position + 9]! ^= 4
    const file = await fileOf(bytes)
    assert.equal(await judgeDamage(file, position, bytes.length, 301), 'rot', `${before} bytes before`)
  }
})

test('a sector that never arrived is a lost write, wherever the batch begins that lies in it', async () => {
  for (let before = 0; before < 512; before++) {
    const { bytes, position } = batchesFrom(before)
    // From the second byte of the offset on it is no zero.
    const sectorEnd = position + 512 - (position % 512)
    if (sectorEnd - position < 7) continue
    bytes.fill(0, position, sectorEnd)
    const file = await fileOf(bytes)
    assert.equal(await judgeDamage(file, position, bytes.length, 301), 'lostWrite', `${before} bytes before`)
  }
})

test('a batch whose place has rotted and nothing else is rot', async () => {
  const { bytes, position } = batchesFrom(0)
  // The one before says that it is of a later offset: this one seems to be of one that is past.
  assert.equal(await judgeDamage(await fileOf(bytes), position, bytes.length, 4397), 'rot')
})
