import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { SimulatedClock } from './clock.sim.ts'
import { diskContract } from './disk.contract.ts'
import { SimulatedDisk } from './disk.sim.ts'
import type { Disk, DiskFile } from './disk.ts'
import { seededRandom } from './random.sim.ts'

diskContract('simulated', async () => {
  const disk = new SimulatedDisk()
  await disk.makeFolder('/data/a')
  return { disk, folder: '/data/a' }
})

test('files are dated by the clock the disk was given, and keep their date in a crash', async () => {
  const clock = new SimulatedClock()
  const disk = new SimulatedDisk({ clock })
  const file = await disk.open('a', { create: true })
  const [made] = await disk.list('/')
  await clock.advance(1000)
  await file.write([Buffer.from('a')], 0)
  const [written] = await disk.list('/')
  await clock.advance(1000)
  await file.truncate(0)
  await file.sync()
  await disk.syncFolder('/')
  await clock.advance(1000)
  const [cut] = await disk.crash(seededRandom(1)).list('/')
  const dates = [made, written, cut].map((entry) => clock.now() - entry!.modifiedAtMs)
  assert.deepEqual(dates, [3000, 2000, 1000])
})

const bytes = (text: string) => Buffer.from(text)

async function create(disk: Disk, path: string, content = ''): Promise<DiskFile> {
  const file = await disk.open(path, { create: true })
  await file.write([bytes(content)], 0)
  return file
}

async function text(disk: Disk, path: string): Promise<string | null> {
  const content = await disk.readFile(path)
  return content === null ? null : Buffer.from(content).toString()
}

/** Every content of `path` that some crash of the disk leaves behind; null when the file is gone. */
async function contentsAfter(build: () => Promise<SimulatedDisk>, path: string): Promise<Set<string | null>> {
  const found = new Set<string | null>()
  for (let seed = 0; seed < 200; seed += 1) found.add(await text((await build()).crash(seededRandom(seed)), path))
  return found
}

test('synced bytes of a file whose folder was synced survive every crash', async () => {
  const found = await contentsAfter(async () => {
    const disk = new SimulatedDisk()
    const file = await create(disk, 'a', 'synced')
    await file.sync()
    await disk.syncFolder('/')
    return disk
  }, 'a')
  assert.deepEqual([...found], ['synced'])
})

test('unsynced appends are lost, kept, torn, or zeros where bytes should be', async () => {
  const found = await contentsAfter(async () => {
    const disk = new SimulatedDisk()
    const file = await create(disk, 'a', 'ab')
    await file.sync()
    await disk.syncFolder('/')
    await file.write([bytes('cd')], 2)
    return disk
  }, 'a')
  assert.deepEqual(found, new Set(['ab', 'abcd', 'abc', 'ab\0\0']))
})

test('unsynced writes reach the disk in any order', async () => {
  const found = await contentsAfter(async () => {
    const disk = new SimulatedDisk()
    const file = await create(disk, 'a', '-'.repeat(513))
    await file.sync()
    await disk.syncFolder('/')
    await file.write([bytes('1')], 0)
    await file.write([bytes('2')], 512)
    return disk
  }, 'a')
  const ends = new Set([...found].map((content) => content!.at(0)! + content!.at(-1)!))
  assert.deepEqual(ends, new Set(['--', '1-', '-2', '12']))
})

test('unsynced writes into one sector reach the disk in their order', async () => {
  const found = await contentsAfter(async () => {
    const disk = new SimulatedDisk()
    const file = await create(disk, 'a', '--')
    await file.sync()
    await disk.syncFolder('/')
    await file.write([bytes('1')], 0)
    await file.write([bytes('2')], 1)
    return disk
  }, 'a')
  assert.deepEqual(found, new Set(['--', '1-', '12']))
})

test('a sync covers what was written before it began, not what came while it ran', async () => {
  const found = await contentsAfter(async () => {
    const disk = new SimulatedDisk()
    const file = await create(disk, 'a', 'a')
    await disk.syncFolder('/')
    const syncing = file.sync()
    const writing = file.write([bytes('b')], 1)
    await Promise.all([syncing, writing])
    return disk
  }, 'a')
  assert.deepEqual(found, new Set(['a', 'ab', 'a\0']))
})

test('a created, renamed or removed file is certain only once its folder is synced', async () => {
  const build = (step: (disk: SimulatedDisk) => Promise<void>) => async () => {
    const disk = new SimulatedDisk()
    await (await create(disk, 'a', 'a')).sync()
    await disk.syncFolder('/')
    await step(disk)
    return disk
  }
  const created = build(async (disk) => (await create(disk, 'b', 'b')).sync())
  assert.deepEqual(await contentsAfter(created, 'b'), new Set([null, 'b']))
  const removed = build((disk) => disk.remove('a'))
  assert.deepEqual(await contentsAfter(removed, 'a'), new Set([null, 'a']))
  const renamed = build((disk) => disk.rename('a', 'b'))
  assert.deepEqual(await contentsAfter(renamed, 'b'), new Set([null, 'a']))
  const both = new Set<string>()
  for (let seed = 0; seed < 50; seed += 1) {
    const found = (await renamed()).crash(seededRandom(seed))
    both.add((await found.list('/')).map((entry) => entry.name).join())
  }
  assert.deepEqual(both, new Set(['a', 'b']))
})

test('a folder that was made is there after every crash', async () => {
  for (let seed = 0; seed < 20; seed += 1) {
    const disk = new SimulatedDisk()
    await disk.makeFolder('/x/y/z')
    const found = disk.crash(seededRandom(seed))
    assert.deepEqual(await found.list('/x/y'), [{ name: 'z', kind: 'folder', sizeBytes: 0, modifiedAtMs: 0 }])
  }
})

test('a folder made where another was renamed away stays, and so does the renaming', async () => {
  const disk = new SimulatedDisk()
  await disk.makeFolder('/x/y/old')
  await disk.rename('/x/y', '/x/z')
  await disk.makeFolder('/x/y/new')
  for (let seed = 1; seed <= 20; seed++) {
    const found = disk.crash(seededRandom(seed))
    const names = async (path: string) => (await found.list(path)).map(({ name }) => name)
    assert.deepEqual([await names('/x'), await names('/x/y'), await names('/x/z')], [['y', 'z'], ['new'], ['old']])
  }
})

test('a file removed with its space reused comes back whole when the removal is lost', async () => {
  const found = await contentsAfter(async () => {
    const first = new SimulatedDisk({ capacityBytes: 10 })
    await (await create(first, 'a', '0123456789')).sync()
    await first.syncFolder('/')
    const second = first.crash(seededRandom(1))
    await second.remove('a')
    assert.equal(second.usedBytes, 0)
    return second
  }, 'a')
  assert.deepEqual(found, new Set([null, '0123456789']))
})

test('at whatever operation the power fails, replaceFile leaves the old or the new content', async () => {
  let steps = 0
  for (let nth = 1; ; nth += 1) {
    const found = new Set<string | null>()
    let finished = false
    for (let seed = 0; seed < 30; seed += 1) {
      const disk = new SimulatedDisk()
      await disk.replaceFile('a', bytes('old'))
      disk.haltAt(nth)
      finished = await disk.replaceFile('a', bytes('new')).then(
        () => true,
        () => false,
      )
      found.add(await text(disk.crash(seededRandom(seed)), 'a'))
    }
    if (finished) {
      assert.deepEqual([...found], ['new'])
      break
    }
    steps += 1
    for (const content of found) assert.ok(content === 'old' || content === 'new', `step ${nth}: ${content}`)
  }
  assert.equal(steps, 7)
})

test('any history leaves, after a crash, nothing but what was durable or written since', async () => {
  const step = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('write' as const), length: fc.integer({ min: 1, max: 1500 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('sync' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const), seed: fc.nat() }) },
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 30 }), async (steps) => {
      let disk = new SimulatedDisk()
      let file = await disk.open('log', { create: true })
      await disk.syncFolder('/')
      // An append-only file of which every byte at position p is p mod 251 + 1, so that zero means it never arrived.
      let end = 0
      let durable = 0
      for (const action of steps) {
        if (action.kind === 'write') {
          await file.write([Uint8Array.from({ length: action.length }, (_, index) => ((end + index) % 251) + 1)], end)
          end += action.length
        } else if (action.kind === 'sync') {
          await file.sync()
          durable = end
        } else {
          disk = disk.crash(seededRandom(action.seed))
          file = await disk.open('log')
          const content = (await disk.readFile('log'))!
          assert.ok(content.length >= durable && content.length <= end)
          for (const [position, byte] of content.entries()) {
            if (position < durable || byte !== 0) assert.equal(byte, (position % 251) + 1)
          }
          await file.truncate(durable)
          await file.sync()
          end = durable
        }
      }
    }),
    { numRuns: 60 },
  )
})

test('a disk that shrinks below what it holds has nothing free', async () => {
  const disk = new SimulatedDisk({ capacityBytes: 100 })
  await disk.replaceFile('a', bytes('0123456789'))
  assert.deepEqual(await disk.volume('/'), { totalBytes: 100, freeBytes: 90 })
  disk.capacityBytes = 5
  assert.deepEqual(await disk.volume('/'), { totalBytes: 5, freeBytes: 0 })
})

test('equal seeds give equal crashes', async () => {
  const build = async () => {
    const disk = new SimulatedDisk()
    for (const name of ['a', 'b', 'c']) await create(disk, name, name.repeat(3000))
    return disk
  }
  const describe = async (disk: SimulatedDisk) =>
    Promise.all((await disk.list('/')).map(async ({ name }) => [name, await text(disk, name)]))
  for (let seed = 0; seed < 10; seed += 1) {
    const one = (await build()).crash(seededRandom(seed))
    const other = (await build()).crash(seededRandom(seed))
    assert.deepEqual(await describe(one), await describe(other))
  }
})

test('a killed process leaves everything it wrote, which a later crash can still lose', async () => {
  const disk = new SimulatedDisk()
  const file = await create(disk, 'a', 'unsynced')
  assert.ok(await disk.lock('/'))
  const found = disk.kill()
  assert.equal(await text(found, 'a'), 'unsynced')
  assert.ok(await found.lock('/'), 'the lock died with its process')
  await assert.rejects(() => file.write([bytes('x')], 0), { code: 'EBADF' })
  await assert.rejects(() => disk.readFile('a'), { code: 'EIO' })
  assert.equal(found.openFiles, 0)
  const after = new Set<string | null>()
  for (let seed = 0; seed < 50; seed += 1) {
    const machine = new SimulatedDisk()
    await create(machine, 'a', 'unsynced')
    after.add(await text(machine.kill().crash(seededRandom(seed)), 'a'))
  }
  assert.ok(after.has(null) && after.has('unsynced'))
})

test('once the power is off everything faults, and tidying up does not', async () => {
  const disk = new SimulatedDisk()
  const file = await create(disk, 'a', 'a')
  disk.haltAt(2)
  await file.write([bytes('b')], 1)
  assert.equal(disk.off, false)
  await assert.rejects(() => file.write([bytes('c')], 2), { code: 'EIO' })
  assert.equal(disk.off, true)
  await assert.rejects(() => file.sync(), { code: 'EIO' })
  await assert.rejects(() => disk.open('b', { create: true }), { code: 'EIO' })
  await file.close()
})

test('faults strike the operation, path and count they are set for', async () => {
  const disk = new SimulatedDisk()
  const a = await create(disk, 'a.log')
  const b = await create(disk, 'b.log')
  const armed = disk.failWhen({ kind: 'write', path: /^a\./, nth: 2, times: 2, code: 'EROFS' })
  await a.write([bytes('1')], 0)
  await assert.rejects(() => a.write([bytes('2')], 1), { code: 'EROFS' })
  await b.write([bytes('1')], 0)
  await assert.rejects(() => a.write([bytes('3')], 1), { code: 'EROFS' })
  await a.write([bytes('4')], 1)
  assert.equal(await text(disk, 'a.log'), '14')
  armed.cancel()
  const broken = disk.failWhen({ kind: 'read', times: Infinity })
  for (let round = 0; round < 3; round += 1) await assert.rejects(() => a.read(new Uint8Array(1), 0), { code: 'EIO' })
  broken.cancel()
  assert.equal(await a.read(new Uint8Array(1), 0), 1)
})

test('a failing write may leave a part of its bytes', async () => {
  const disk = new SimulatedDisk()
  const file = await create(disk, 'a')
  disk.failWhen({ kind: 'write', afterBytes: 3 })
  await assert.rejects(() => file.write([bytes('ab'), bytes('cdef')], 0), { code: 'EIO' })
  assert.equal(await text(disk, 'a'), 'abc')
})

test('what may be done at once is done at once as the disk likes, and fails as it does otherwise', async () => {
  const disk = new SimulatedDisk({ capacityBytes: 10 })
  const file = await create(disk, 'a')
  assert.deepEqual([file.writeNow([bytes('x')], 0), file.readNow(Buffer.alloc(1), 0)], [false, -1])
  disk.takesAtOnce = () => true
  const before = disk.operations
  assert.equal(file.writeNow([bytes('12'), bytes('345')], 0), true)
  const read = Buffer.alloc(4)
  assert.deepEqual([file.readNow(read, 1), read.toString(), disk.operations - before], [4, '2345', 2])

  disk.failWhen({ kind: 'write', afterBytes: 1 })
  assert.equal(file.writeNow([bytes('ab')], 5), false)
  assert.equal(await text(disk, 'a'), '12345a')
  assert.equal(file.writeNow([bytes('bcdefg')], 5), false)
  assert.equal(await text(disk, 'a'), '12345bcdef')

  disk.haltAt(1)
  assert.equal(file.writeNow([bytes('z')], 0), false)
  assert.deepEqual([disk.off, file.writeNow([bytes('y')], 0)], [true, false])
  assert.equal(await text(disk.crash(seededRandom(1)), 'a'), null)
})

test('what is written at once is lost by a crash as any other write', async () => {
  const found = await contentsAfter(async () => {
    const disk = new SimulatedDisk()
    disk.takesAtOnce = () => true
    const file = await create(disk, 'a', 'a')
    await file.sync()
    await disk.syncFolder('/')
    file.writeNow([bytes('b')], 1)
    return disk
  }, 'a')
  assert.deepEqual(found, new Set(['a', 'ab', 'a\0']))
})

test('after a failed sync the same file never claims to be synced, and what it held is lost in a crash', async () => {
  const found = await contentsAfter(async () => {
    const disk = new SimulatedDisk()
    const file = await create(disk, 'a', 'a')
    await disk.syncFolder('/')
    disk.failWhen({ kind: 'sync' })
    await assert.rejects(() => file.sync(), { code: 'EIO' })
    await assert.rejects(() => file.sync(), { code: 'EIO' })
    const again = await disk.open('a')
    await again.sync()
    assert.equal(await text(disk, 'a'), 'a')
    return disk
  }, 'a')
  assert.deepEqual(found, new Set(['']))
})

test('a full disk takes what fits, and room made is room again', async () => {
  const disk = new SimulatedDisk({ capacityBytes: 10 })
  const file = await create(disk, 'a', '12345678')
  await assert.rejects(() => file.write([bytes('9abc')], 8), { code: 'ENOSPC' })
  assert.equal(await text(disk, 'a'), '123456789a')
  await assert.rejects(() => disk.replaceFile('b', bytes('x')), { code: 'ENOSPC' })
  assert.deepEqual(
    (await disk.list('/')).map((entry) => entry.name),
    ['a'],
  )
  disk.capacityBytes = 12
  await disk.replaceFile('b', bytes('x'))
  await file.truncate(0)
  assert.equal(disk.usedBytes, 1)
})

test('an operation waits while the hook holds it up', async () => {
  const disk = new SimulatedDisk()
  const file = await create(disk, 'a', 'a')
  const gate = Promise.withResolvers<void>()
  const seen: string[] = []
  disk.onOperation = ({ kind, path, sizeBytes }) => {
    seen.push(`${kind} ${path} ${sizeBytes}`)
    return kind === 'write' ? gate.promise : undefined
  }
  const writing = file.write([bytes('xyz')], 0)
  assert.equal(await text(disk, 'a'), 'a')
  gate.resolve()
  await writing
  assert.equal(await text(disk, 'a'), 'xyz')
  assert.deepEqual(seen, ['write a 3', 'readFile a 0', 'readFile a 0'])
})

test('a flipped bit is found by whoever reads, and survives a crash', async () => {
  const disk = new SimulatedDisk()
  const file = await create(disk, 'a', 'abc')
  await file.sync()
  await disk.syncFolder('/')
  disk.flipBit('a', 1, 5)
  assert.equal(await text(disk, 'a'), 'aBc')
  assert.equal(await text(disk.crash(seededRandom(1)), 'a'), 'aBc')
})

test('after a failed sync what is written into the same sector takes the lost bytes along', async () => {
  const found = await contentsAfter(async () => {
    const disk = new SimulatedDisk()
    const file = await create(disk, 'a', '')
    await disk.syncFolder('/')
    await file.write([bytes('1'.repeat(600))], 0)
    disk.failWhen({ kind: 'sync' })
    await assert.rejects(file.sync())
    await file.write([bytes('2')], 600)
    return disk
  }, 'a')
  const kinds = new Set(
    [...found].map((content) => `${content!.length} ${content!.at(0)} ${content!.at(512)} ${content!.at(600)}`),
  )
  assert.ok(kinds.has('601 \0 1 2'), 'the first sector is lost')
  assert.ok([...kinds].every((kind) => !kind.endsWith(' 2') || kind.endsWith(' 1 2')))
})

test('whoever judges a run sees what is shown, and what every crash keeps', async () => {
  const disk = new SimulatedDisk()
  const shown = (as: 'shown' | 'durable') => {
    const found = disk.look('f/a', as)
    if (found === null) return null
    const into = new Uint8Array(found.size)
    found.read(into, 0)
    return Buffer.from(into).toString()
  }
  await disk.makeFolder('f')
  const file = await disk.open('f/a', { create: true })
  await file.write([bytes('ab')], 0)
  await file.sync()
  assert.deepEqual([shown('shown'), shown('durable')], ['ab', null], 'its name is not durable')
  await disk.syncFolder('f')
  await file.write([bytes('cd')], 2)
  disk.failWhen({ times: Infinity })
  const { operations } = disk
  assert.deepEqual([shown('shown'), shown('durable')], ['abcd', 'ab'])
  assert.equal(disk.operations, operations)
})
