import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { SlabArena } from './slab-arena.ts'
import { slabOf } from './slab.ts'

const arenaOf = (spareMax = 4, heldMax = 100) => new SlabArena({ slabBytes: 1024, spareMax, heldMax })

test('pieces of one slab lie one after the other and do not overlap', () => {
  const arena = arenaOf()
  const pieces = [arena.take(100), arena.take(1), arena.take(200)]
  assert.equal(new Set(pieces.map((piece) => piece.buffer)).size, 1)
  for (const [i, piece] of pieces.entries()) piece.fill(i + 1)
  for (const [i, piece] of pieces.entries()) assert.ok(piece.every((byte) => byte === i + 1))
})

test('a slab is used again once all of it was released, and not before', () => {
  const arena = arenaOf()
  const first = [arena.take(500), arena.take(500)]
  const slab = slabOf(first[0]!)!
  slab.hold()
  assert.notEqual(slabOf(arena.take(500)), slab)
  for (const piece of first) slabOf(piece)!.release()
  arena.take(500)
  assert.notEqual(slabOf(arena.take(500)), slab, 'somebody holds it still')
  slab.release()
  arena.take(500)
  assert.equal(slabOf(arena.take(500)), slab)
})

test('the slab that is being cut is not used from the start again, though nobody holds a piece of it', () => {
  const arena = arenaOf()
  const one = arena.take(100)
  slabOf(one)!.release()
  const other = arena.take(100)
  assert.equal(other.buffer, one.buffer)
  assert.notEqual(other.byteOffset, one.byteOffset)
})

test('slabs begun later have greater turns', () => {
  const arena = arenaOf()
  const turns = Array.from({ length: 6 }, () => {
    const piece = arena.take(512)
    const { turn } = slabOf(piece)!
    slabOf(piece)!.release()
    return turn
  })
  assert.deepEqual(turns, [1, 1, 2, 2, 3, 3])
})

test('what is too large for a slab, and what came from elsewhere, has none', () => {
  assert.equal(slabOf(arenaOf().take(513)), undefined)
  assert.equal(slabOf(Buffer.alloc(10)), undefined)
})

for (const { spareMax, reused } of [
  { spareMax: 0, reused: 0 },
  { spareMax: 4, reused: 8 },
]) {
  test(`of slabs that nobody holds ${spareMax} are kept`, () => {
    const arena = arenaOf(spareMax)
    const pieces = Array.from({ length: 8 }, () => arena.take(512))
    const before = new Set(pieces.map((piece) => piece.buffer))
    for (const piece of pieces) slabOf(piece)!.release()
    const after = Array.from({ length: 8 }, () => arena.take(512))
    assert.equal(after.filter((piece) => before.has(piece.buffer)).length, reused)
  })
}

test('pieces that are kept for long, each in a slab of its own, do not keep more slabs than may be held', () => {
  const arena = arenaOf(4, 3)
  const kept: Uint8Array[] = []
  for (let i = 0; i < 20; i++) {
    kept.push(arena.take(16))
    for (let piece = arena.take(500), again = 0; again < 2; piece = arena.take(500), again++) slabOf(piece)?.release()
  }
  const slabs = new Set(kept.flatMap((piece) => slabOf(piece) ?? []))
  assert.equal(slabs.size, 3)
  for (const piece of kept) slabOf(piece)?.release()
  assert.notEqual(slabOf(arena.take(500)), undefined, 'there is room for slabs again')
})

test('slabs that the collector took, with pieces that nobody released, are not held any more', async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const arena = arenaOf(4, 3)
  const isFull = () => slabOf(arena.take(512)) === undefined
  while (!isFull());
  for (let i = 0; i < 100 && isFull(); i++) {
    collect()
    await new Promise((resolve) => void setImmediate(resolve))
  }
  assert.equal(isFull(), false)
})

test('a release too many is a bug that shows', () => {
  const arena = arenaOf()
  const piece = arena.take(512)
  arena.take(512)
  arena.take(512)
  const slab = slabOf(piece)!
  slab.release()
  slab.release()
  assert.throws(() => slab.release(), /does not hold/)
})
