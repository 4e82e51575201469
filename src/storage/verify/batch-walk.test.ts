import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchLayout, stampBaseOffset, stampCrc } from '../../records/batch.ts'
import { writeInt32 } from '../../records/big-endian.ts'
import { batchOf } from '../partition-log.contract.ts'
import { BatchWalk, type WalkOptions } from './batch-walk.ts'

function at(baseOffset: number, values: readonly string[], change: (batch: Buffer) => void = () => {}): Buffer {
  const batch = Buffer.from(batchOf(values))
  stampBaseOffset(batch, 0, baseOffset)
  change(batch)
  return batch
}

function fileOf(bytes: Buffer) {
  return {
    read: async (into: Uint8Array, position: number) => {
      const part = bytes.subarray(position, position + into.length)
      into.set(part)
      return part.length
    },
  }
}

async function walk(batches: readonly Buffer[], options: Partial<WalkOptions> = {}, windowBytes = 1000) {
  const bytes = Buffer.concat(batches)
  const seen: number[] = []
  const range = { from: 0, to: bytes.length, expectedOffset: 0, endOffset: Infinity, ...options }
  const walk = new BatchWalk(fileOf(bytes), Buffer.alloc(windowBytes), range, (_bytes, _at, _size, position) => {
    seen.push(position)
  })
  let read = 0
  while (!walk.done) read += await walk.step()
  return { walk, seen, read }
}

test('whole batches are visited where they lie, whatever the window', async () => {
  const batches = [at(0, ['a']), at(1, ['b'.repeat(300), 'c']), at(3, ['d']), at(4, ['e'.repeat(500)])]
  const positions = batches.map((_, i) => batches.slice(0, i).reduce((sum, { length }) => sum + length, 0))
  for (const windowBytes of [61, 100, 333, 5000]) {
    const { walk: done, seen } = await walk(batches, {}, windowBytes)
    assert.equal(done.damage, null)
    assert.equal(done.nextOffset, 5)
    assert.deepEqual(seen, positions, `window of ${windowBytes}`)
  }
})

test('offsets that overlap those before, fall, or reach into the next segment are damage', async () => {
  const overlap = await walk([at(0, ['a', 'b']), at(1, ['c'])])
  const position = at(0, ['a', 'b']).length
  assert.deepEqual(overlap.walk.damage, { problem: 'badOffset', position, offset: 2, endOffset: Infinity })
  const negative = (batch: Buffer) => {
    writeInt32(batch, batchLayout.lastOffsetDelta, -1)
    writeInt32(batch, batchLayout.recordsCount, 0)
    stampCrc(batch)
  }
  assert.equal((await walk([at(5, ['a'], negative)])).walk.damage?.problem, 'badOffset')
  assert.equal((await walk([at(0, ['a', 'b'])], { endOffset: 1 })).walk.damage?.problem, 'badOffset')
  assert.equal((await walk([at(0, ['a', 'b'])], { endOffset: 2 })).walk.damage, null)
})

test('a large batch is damaged by one bit, by a missing end, and by a length beyond the file', async () => {
  const large = () => at(0, ['x'.repeat(3000)])
  const flipped = large()
  flipped[2500]! ^= 1
  assert.equal((await walk([flipped])).walk.damage?.problem, 'badChecksum')
  const short = large().subarray(0, 2500)
  assert.equal((await walk([Buffer.from(short)])).walk.damage?.problem, 'torn')
  const long = at(0, ['x'], (batch) => writeInt32(batch, batchLayout.batchLength, 1 << 30))
  const { walk: done, read } = await walk([long])
  assert.equal(done.damage?.problem, 'torn')
  assert.equal(read, long.length)
  // The file is shorter than it was said to be.
  assert.equal((await walk([large()], { to: 9000 })).walk.damage?.problem, 'torn')
})

test('the walk stops before a batch beyond what it may look at, though that is damaged', async () => {
  const broken = at(1, ['b', 'c'], (batch) => void (batch[70]! ^= 1))
  const { walk: done, seen } = await walk([at(0, ['a']), broken], { stopOffset: 2 })
  assert.equal(done.damage, null)
  assert.deepEqual(seen, [0])
})
