import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from './clock.sim.ts'
import { diskContract } from './disk.contract.ts'
import { MemoryDisk } from './disk.memory.ts'
import { DiskError } from './disk.ts'

diskContract('memory', async () => {
  const disk = new MemoryDisk()
  await disk.makeFolder('/data/a')
  return { disk, folder: '/data/a' }
})

test('a full memory disk takes what fits and then faults with ENOSPC; removing makes room', async () => {
  const disk = new MemoryDisk({ capacityBytes: 100 })
  const file = await disk.open('a', { create: true })
  await file.write([Buffer.alloc(80)], 0)
  await assert.rejects(
    () => file.write([Buffer.alloc(15), Buffer.alloc(15)], 80),
    (error) => error instanceof DiskError && error.code === 'ENOSPC',
  )
  assert.equal(await file.size(), 100)
  await file.write([Buffer.alloc(100, 1)], 0)
  await assert.rejects(() => file.truncate(101), { code: 'ENOSPC' })
  await disk.remove('a')
  assert.equal(disk.usedBytes, 100)
  await file.close()
  assert.equal(disk.usedBytes, 0)
})

test('files are dated by the clock the disk was given', async () => {
  const clock = new SimulatedClock()
  const disk = new MemoryDisk({ clock })
  const file = await disk.open('a', { create: true })
  await clock.advance(1000)
  await file.write([Buffer.from('a')], 0)
  await clock.advance(1000)
  const [written] = await disk.list('/')
  await file.truncate(0)
  const [cut] = await disk.list('/')
  assert.deepEqual([clock.now() - written!.modifiedAtMs, clock.now() - cut!.modifiedAtMs], [1000, 0])
})

test('what files take is not free, and without a limit there is no end of it', async () => {
  const disk = new MemoryDisk({ capacityBytes: 100 })
  await disk.replaceFile('a', Buffer.alloc(30))
  assert.deepEqual(await disk.volume('/'), { totalBytes: 100, freeBytes: 70 })
  await disk.remove('a')
  assert.deepEqual(await disk.volume('/'), { totalBytes: 100, freeBytes: 100 })
  assert.deepEqual(await new MemoryDisk().volume('/'), { totalBytes: Infinity, freeBytes: Infinity })
})

test('appending to a large file costs no copy of what is there', async () => {
  const disk = new MemoryDisk()
  const file = await disk.open('a', { create: true })
  const chunk = Buffer.alloc(1000, 7)
  for (let index = 0; index < 50_000; index += 1) await file.write([chunk], index * chunk.length)
  assert.equal(disk.usedBytes, 50_000_000)
  const into = Buffer.alloc(2000)
  assert.equal(await file.read(into, 31_234_567), 2000)
  assert.ok(into.every((byte) => byte === 7))
})

test('a hole takes no memory', async () => {
  const disk = new MemoryDisk()
  const file = await disk.open('a', { create: true })
  const before = process.memoryUsage().arrayBuffers
  await file.truncate(4_000_000_000)
  await file.write([Buffer.from('end')], 3_999_999_997)
  assert.ok(process.memoryUsage().arrayBuffers - before < 10_000_000)
  const into = Buffer.alloc(4, 'x')
  assert.equal(await file.read(into, 3_999_999_996), 4)
  assert.equal(into.toString(), '\0end')
})
