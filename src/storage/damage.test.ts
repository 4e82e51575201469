import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from '../io/disk.memory.ts'
import { seededRandom } from '../io/random.sim.ts'
import { buildBatch } from '../records/batch-builder.ts'
import { currentMagic } from '../records/batch.ts'
import { nextGoodBatch } from './damage.ts'

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
