import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { SimulatedDisk } from '../../io/disk.sim.ts'
import type { Disk } from '../../io/disk.ts'
import { DataDisk } from './data-disk.ts'
import { blockBytes, DiskUse } from './disk-use.ts'

const root = '/data'

function counting(disk = new SimulatedDisk()) {
  const use = new DiskUse()
  const counted = new DataDisk({ disk, use, isPrivileged: () => false, makeRoom: async () => undefined })
  return { disk, use, counted }
}

const blocks = (bytes: number): number => Math.ceil(bytes / blockBytes) * blockBytes

/** By folder, what lies there. */
async function found(disk: Disk): Promise<Map<string, number>> {
  const sums = new Map<string, number>()
  for (const path of [root, `${root}/a-0`, `${root}/b-0`, `${root}/a-0.gone-delete`]) {
    const entries = await disk.list(path)
    if (entries.length === 0) continue
    sums.set(
      path,
      entries.reduce((sum, { kind, sizeBytes }) => sum + (kind === 'file' ? blocks(sizeBytes) : 0), blockBytes),
    )
  }
  return sums
}

const folders = ['a-0', 'b-0']
const names = ['1.log', '2.log', '1.index', '1.log.deleted']
const place = fc
  .tuple(fc.constantFrom(...folders), fc.constantFrom(...names))
  .map(([folder, name]) => `${root}/${folder}/${name}`)

const step = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    path: place,
    bytes: fc.integer({ min: 0, max: 20_000 }),
    at: fc.integer({ min: 0, max: 9000 }),
  }),
  fc.record({ kind: fc.constant('truncate' as const), path: place, bytes: fc.integer({ min: 0, max: 9000 }) }),
  fc.record({ kind: fc.constant('replace' as const), path: place, bytes: fc.integer({ min: 0, max: 9000 }) }),
  fc.record({ kind: fc.constant('rename' as const), path: place, to: place }),
  fc.record({ kind: fc.constant('remove' as const), path: place }),
  fc.record({ kind: fc.constant('list' as const), path: place }),
  fc.record({ kind: fc.constant('dropFolder' as const), path: place }),
)

async function perform(
  disk: Disk,
  { kind, path, ...rest }: { kind: string; path: string; bytes?: number; at?: number; to?: string },
) {
  const folder = path.slice(0, path.lastIndexOf('/'))
  const bytes = rest.bytes ?? 0
  await disk.makeFolder(folder)
  switch (kind) {
    case 'write':
    case 'truncate': {
      const file = await disk.open(path, { create: true })
      if (kind === 'write') await file.write([new Uint8Array(bytes)], rest.at!)
      else await file.truncate(bytes)
      return file.close()
    }
    case 'replace':
      return disk.replaceFile(path, new Uint8Array(bytes))
    case 'rename':
      await disk.makeFolder(rest.to!.slice(0, rest.to!.lastIndexOf('/')))
      return disk.rename(path, rest.to!).catch(() => undefined)
    case 'remove':
      return disk.remove(path)
    case 'list':
      await disk.list(folder)
      return
    case 'dropFolder':
      await disk.remove(`${root}/a-0.gone-delete`)
      await disk.rename(folder, `${root}/a-0.gone-delete`)
      await disk.makeFolder(folder)
  }
}

test('whatever is done through it, what it counts is what is there', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { disk, use, counted } = counting()
      await counted.makeFolder(root)
      await counted.list(root)
      for (const one of steps) await perform(counted, one)
      const there = await found(disk)
      let total = blockBytes
      for (const [folder, bytes] of there) {
        if (folder === root) continue
        assert.equal(use.bytesIn(folder), bytes, folder)
        total += bytes
      }
      // An empty folder may be known, or not.
      assert.ok(use.totalBytes - total >= 0 && (use.totalBytes - total) % blockBytes === 0)
    }),
    { numRuns: 150 },
  )
})

test('files of an earlier run count once their folder was listed', async () => {
  const disk = new SimulatedDisk()
  await disk.makeFolder(`${root}/a-0`)
  await disk.replaceFile(`${root}/a-0/1.log`, new Uint8Array(10_000))
  const { use, counted } = counting(disk)
  assert.equal(use.totalBytes, 0)
  await counted.list(`${root}/a-0`)
  assert.equal(use.bytesIn(`${root}/a-0`), blockBytes + 3 * blockBytes)
  await counted.list(`${root}/a-0`)
  assert.equal(use.totalBytes, 4 * blockBytes)
})

test('a file that was written past it counts when it is renamed', async () => {
  const disk = new SimulatedDisk()
  const { use, counted } = counting(disk)
  await counted.makeFolder(`${root}/a-0`)
  await counted.list(`${root}/a-0`)
  await disk.replaceFile(`${root}/a-0/1.log.cleaned`, new Uint8Array(5000))
  await counted.rename(`${root}/a-0/1.log.cleaned`, `${root}/a-0/1.log`)
  assert.equal(use.bytesIn(`${root}/a-0`), 3 * blockBytes)
})

test('a write that fails in the middle counts as far as it came', async () => {
  const { disk, use, counted } = counting()
  await counted.makeFolder(root)
  const file = await counted.open(`${root}/1.log`, { create: true })
  disk.failWhen({ kind: 'write', code: 'ENOSPC', afterBytes: 5000 })
  await assert.rejects(file.write([new Uint8Array(50_000)], 0), { code: 'ENOSPC' })
  assert.equal(use.bytesIn(root), 3 * blockBytes)
})
