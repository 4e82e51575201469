// What every disk must do, whoever it is: one suite for the real, the in-memory and the simulated one.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { DiskError, type Disk } from './disk.ts'

export interface DiskUnderTest {
  readonly disk: Disk
  /** A folder that exists and is empty. */
  readonly folder: string
}

const bytes = (text: string) => Buffer.from(text)

/** What the folder holds, without the dates. */
async function listed(disk: Disk, folder: string): Promise<unknown[]> {
  return (await disk.list(folder)).map(({ name, kind, sizeBytes }) => ({ name, kind, sizeBytes }))
}

async function text(disk: Disk, path: string): Promise<string | null> {
  const content = await disk.readFile(path)
  return content === null ? null : Buffer.from(content).toString()
}

function failsWith(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof DiskError, `a DiskError, not ${String(error)}`)
    assert.equal(error.code, code)
    return true
  }
}

/** `create` gives each test a disk of its own; it removes it by `t.after`. */
export function diskContract(name: string, create: (t: { after(fn: () => unknown): void }) => Promise<DiskUnderTest>) {
  describe(`${name}: disk contract`, () => {
    test('what was written is read back, from any handle', async (t) => {
      const { disk, folder } = await create(t)
      const file = await disk.open(`${folder}/a`, { create: true })
      await file.write([bytes('one'), bytes(''), bytes('two')], 0)
      await file.write([bytes('three')], 6)
      assert.equal(await file.size(), 11)
      const into = new Uint8Array(8)
      assert.equal(await file.read(into, 3), 8)
      assert.equal(Buffer.from(into).toString(), 'twothree')
      const other = await disk.open(`${folder}/a`, { readOnly: true })
      assert.equal(await other.read(into.subarray(0, 3), 0), 3)
      assert.equal(Buffer.from(into.subarray(0, 3)).toString(), 'one')
      await other.close()
      await file.close()
      assert.equal(await text(disk, `${folder}/a`), 'onetwothree')
    })

    test('a read ends at the end of the file', async (t) => {
      const { disk, folder } = await create(t)
      const file = await disk.open(`${folder}/a`, { create: true })
      await file.write([bytes('abc')], 0)
      const into = Buffer.alloc(8, 'x')
      assert.equal(await file.read(into, 1), 2)
      assert.equal(into.toString(), 'bcxxxxxx')
      assert.equal(await file.read(into, 3), 0)
      assert.equal(await file.read(into, 1000), 0)
      await file.close()
    })

    test('a large read gives what is there, wherever it begins and the file ends', async (t) => {
      const { disk, folder } = await create(t)
      const file = await disk.open(`${folder}/a`, { create: true })
      const content = Buffer.alloc(700_000)
      for (let i = 0; i < content.length; i += 4) content.writeUInt32LE(i, i)
      await file.write([content], 0)
      for (const position of [0, 500_000, 1, 4095, 4096, 4097, 300_000, 699_000, 695_903, 695_904, 695_905, 800_000]) {
        const into = Buffer.alloc(300_000)
        const there = content.subarray(position, position + into.length)
        assert.equal(await file.read(into, position), there.length, `from ${position}`)
        assert.ok(into.subarray(0, there.length).equals(there), `from ${position}`)
        assert.ok(into.subarray(there.length).equals(Buffer.alloc(into.length - there.length)), `from ${position}`)
      }
      await file.close()
    })

    test('a gap before a write, and what a truncation adds, read as zeros', async (t) => {
      const { disk, folder } = await create(t)
      const file = await disk.open(`${folder}/a`, { create: true })
      await file.write([bytes('abcdef')], 0)
      await file.truncate(2)
      await file.truncate(4)
      await file.write([bytes('z')], 200_000)
      assert.equal(await file.size(), 200_001)
      await file.close()
      const content = Buffer.from((await disk.readFile(`${folder}/a`))!)
      const expected = Buffer.alloc(200_001)
      expected.write('ab', 0)
      expected.write('z', 200_000)
      assert.ok(content.equals(expected))
    })

    test('opening keeps what is there, and an absent file without create is ENOENT', async (t) => {
      const { disk, folder } = await create(t)
      await assert.rejects(() => disk.open(`${folder}/a`), failsWith('ENOENT'))
      const first = await disk.open(`${folder}/a`, { create: true })
      await first.write([bytes('kept')], 0)
      await first.close()
      await (await disk.open(`${folder}/a`, { create: true })).close()
      assert.equal(await text(disk, `${folder}/a`), 'kept')
      await assert.rejects(() => disk.open(`${folder}/absent/a`, { create: true }), failsWith('ENOENT'))
    })

    test('a file opened for reading refuses writes', async (t) => {
      const { disk, folder } = await create(t)
      await (await disk.open(`${folder}/a`, { create: true })).close()
      const file = await disk.open(`${folder}/a`, { readOnly: true })
      await assert.rejects(() => file.write([bytes('x')], 0), failsWith('EBADF'))
      await file.close()
    })

    test('a closed file refuses everything but another close', async (t) => {
      const { disk, folder } = await create(t)
      const file = await disk.open(`${folder}/a`, { create: true })
      await file.close()
      await file.close()
      await assert.rejects(() => file.read(new Uint8Array(1), 0), failsWith('EBADF'))
      await assert.rejects(() => file.write([bytes('x')], 0), failsWith('EBADF'))
      await assert.rejects(() => file.size(), failsWith('EBADF'))
      await assert.rejects(() => file.sync(), failsWith('EBADF'))
    })

    test('closing lets operations that have begun finish', async (t) => {
      const { disk, folder } = await create(t)
      const file = await disk.open(`${folder}/a`, { create: true })
      const writes = Array.from({ length: 20 }, (_, index) => file.write([Buffer.alloc(10_000, index)], index * 10_000))
      await Promise.all([...writes, file.close()])
      const content = Buffer.from((await disk.readFile(`${folder}/a`))!)
      assert.equal(content.length, 200_000)
      for (let index = 0; index < 20; index += 1) assert.equal(content[index * 10_000 + 9999], index)
    })

    test('what a write in this turn did is there, and a write that did not do it does', async (t) => {
      const { disk, folder } = await create(t)
      const file = await disk.open(`${folder}/a`, { create: true })
      const chunks = [bytes('one'), bytes(''), bytes('two')]
      if (!file.writeNow(chunks, 3)) await file.write(chunks, 3)
      const into = Buffer.alloc(20)
      assert.equal(await file.read(into, 3), 6)
      assert.equal(into.toString('utf8', 0, 6), 'onetwo')
      await file.close()
      assert.equal(file.writeNow(chunks, 9), false)
    })

    test('one write takes thousands of chunks', async (t) => {
      const { disk, folder } = await create(t)
      const chunks = Array.from({ length: 3000 }, (_, index) => Buffer.alloc(index % 7, index & 0xff))
      const file = await disk.open(`${folder}/a`, { create: true })
      await file.write(chunks, 5)
      await file.sync()
      await file.close()
      const content = Buffer.from((await disk.readFile(`${folder}/a`))!)
      assert.ok(content.equals(Buffer.concat([Buffer.alloc(5), ...chunks])))
    })

    test('replaceFile replaces the whole content, also under several hands', async (t) => {
      const { disk, folder } = await create(t)
      await disk.replaceFile(`${folder}/a`, bytes('a long first content'))
      await disk.replaceFile(`${folder}/a`, bytes('second'))
      assert.equal(await text(disk, `${folder}/a`), 'second')
      await Promise.all(['x', 'yy', 'zzz'].map((content) => disk.replaceFile(`${folder}/a`, bytes(content))))
      assert.equal(await text(disk, `${folder}/a`), 'zzz')
      assert.deepEqual(await listed(disk, folder), [{ name: 'a', kind: 'file', sizeBytes: 3 }])
      await assert.rejects(() => disk.replaceFile(`${folder}/absent/a`, bytes('x')), failsWith('ENOENT'))
    })

    test('what is absent reads as null, lists as nothing and is removed without complaint', async (t) => {
      const { disk, folder } = await create(t)
      assert.equal(await disk.readFile(`${folder}/a`), null)
      assert.deepEqual(await disk.list(`${folder}/a`), [])
      await disk.remove(`${folder}/a`)
    })

    test('a folder lists files with their sizes and folders, by name', async (t) => {
      const { disk, folder } = await create(t)
      await disk.makeFolder(`${folder}/b/deep/er`)
      await disk.makeFolder(`${folder}/b/deep`)
      await disk.replaceFile(`${folder}/c`, bytes('12345'))
      await disk.replaceFile(`${folder}/a`, bytes(''))
      assert.deepEqual(await listed(disk, folder), [
        { name: 'a', kind: 'file', sizeBytes: 0 },
        { name: 'b', kind: 'folder', sizeBytes: 0 },
        { name: 'c', kind: 'file', sizeBytes: 5 },
      ])
      assert.deepEqual(await listed(disk, `${folder}/b/deep`), [{ name: 'er', kind: 'folder', sizeBytes: 0 }])
    })

    test('a file has the date of its last write, a rename leaves it, and a folder has none', async (t) => {
      const { disk, folder } = await create(t)
      await disk.makeFolder(`${folder}/deep`)
      await disk.replaceFile(`${folder}/b`, bytes('b'))
      const [before] = await disk.list(folder)
      assert.ok(Number.isSafeInteger(before!.modifiedAtMs) && before!.modifiedAtMs > 1_700_000_000_000)
      await disk.rename(`${folder}/b`, `${folder}/c`)
      assert.deepEqual(await disk.list(folder), [
        { ...before, name: 'c' },
        { name: 'deep', kind: 'folder', sizeBytes: 0, modifiedAtMs: 0 },
      ])
    })

    test('files and folders are renamed; a file replaces another', async (t) => {
      const { disk, folder } = await create(t)
      await disk.makeFolder(`${folder}/from`)
      await disk.replaceFile(`${folder}/from/a`, bytes('a'))
      await disk.replaceFile(`${folder}/from/b`, bytes('b'))
      await disk.rename(`${folder}/from/a`, `${folder}/from/b`)
      await disk.rename(`${folder}/from`, `${folder}/to`)
      await disk.syncFolder(folder)
      assert.deepEqual(await disk.list(`${folder}/from`), [])
      assert.equal(await text(disk, `${folder}/to/b`), 'a')
      assert.equal(await text(disk, `${folder}/to/a`), null)
      await assert.rejects(() => disk.rename(`${folder}/absent`, `${folder}/x`), failsWith('ENOENT'))
      await disk.makeFolder(`${folder}/full`)
      await disk.replaceFile(`${folder}/full/a`, bytes('a'))
      await assert.rejects(() => disk.rename(`${folder}/to`, `${folder}/full`), failsWith('ENOTEMPTY'))
    })

    test('a folder is removed with all it holds', async (t) => {
      const { disk, folder } = await create(t)
      await disk.makeFolder(`${folder}/gone/deep`)
      await disk.replaceFile(`${folder}/gone/deep/a`, bytes('a'))
      await disk.remove(`${folder}/gone`)
      await disk.syncFolder(folder)
      assert.deepEqual(await disk.list(folder), [])
    })

    test('a file that is removed or replaced can be read by those who hold it open', async (t) => {
      const { disk, folder } = await create(t)
      const into = new Uint8Array(3)
      for (const part of [
        async () => disk.remove(`${folder}/a`),
        async () => {
          await disk.replaceFile(`${folder}/b`, bytes('new'))
          await disk.rename(`${folder}/b`, `${folder}/a`)
        },
      ]) {
        await disk.replaceFile(`${folder}/a`, bytes('old'))
        const file = await disk.open(`${folder}/a`)
        await part()
        assert.equal(await file.read(into, 0), 3)
        assert.equal(Buffer.from(into).toString(), 'old')
        await file.close()
      }
    })

    test('confusing files with folders is a fault', async (t) => {
      const { disk, folder } = await create(t)
      await disk.replaceFile(`${folder}/file`, bytes('x'))
      await assert.rejects(() => disk.open(folder), failsWith('EISDIR'))
      await assert.rejects(() => disk.readFile(folder), failsWith('EISDIR'))
      await assert.rejects(() => disk.list(`${folder}/file`), failsWith('ENOTDIR'))
      await assert.rejects(() => disk.open(`${folder}/file/a`, { create: true }), failsWith('ENOTDIR'))
      await assert.rejects(() => disk.makeFolder(`${folder}/file/a`), failsWith('ENOTDIR'))
    })

    test('the volume of a file or folder has a size, and no more free than that', async (t) => {
      const { disk, folder } = await create(t)
      await disk.replaceFile(`${folder}/a`, bytes('x'))
      for (const path of [folder, `${folder}/a`]) {
        const { totalBytes, freeBytes } = await disk.volume(path)
        assert.ok(totalBytes > 0, `${totalBytes} bytes in total`)
        assert.ok(freeBytes >= 0 && freeBytes <= totalBytes, `${freeBytes} bytes free`)
      }
      await assert.rejects(() => disk.volume(`${folder}/absent`), failsWith('ENOENT'))
    })

    test('a folder has one holder until it lets go', async (t) => {
      const { disk, folder } = await create(t)
      const lock = await disk.lock(folder)
      assert.ok(lock)
      assert.equal(await disk.lock(folder), null)
      await disk.makeFolder(`${folder}/other`)
      const other = await disk.lock(`${folder}/other`)
      assert.ok(other)
      await lock.release()
      await lock.release()
      const again = await disk.lock(folder)
      assert.ok(again)
      await again.release()
      await other.release()
      await assert.rejects(() => disk.lock(`${folder}/absent`), failsWith('ENOENT'))
    })

    test('of many who want a folder at once no two get it', async (t) => {
      const { disk, folder } = await create(t)
      const locks = await Promise.all(Array.from({ length: 8 }, () => disk.lock(folder)))
      const held = locks.filter((lock) => lock !== null)
      assert.ok(held.length <= 1, `${held.length} holders`)
      for (const lock of held) await lock.release()
      const lock = await disk.lock(folder)
      assert.ok(lock)
      await lock.release()
    })

    test('any sequence of writes, truncations and reads is as on an array of bytes', async (t) => {
      const { disk, folder } = await create(t)
      const step = fc.oneof(
        fc.record({ kind: fc.constant('write' as const), at: fc.nat(200_000), length: fc.nat(80_000) }),
        fc.record({ kind: fc.constant('truncate' as const), at: fc.nat(200_000) }),
        fc.record({ kind: fc.constant('read' as const), at: fc.nat(250_000), length: fc.nat(150_000) }),
      )
      let round = 0
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          round += 1
          let model = Buffer.alloc(0)
          const file = await disk.open(`${folder}/model-${round}`, { create: true })
          for (const [index, action] of steps.entries()) {
            if (action.kind === 'read') {
              const into = new Uint8Array(action.length)
              const count = await file.read(into, action.at)
              assert.ok(model.subarray(action.at, action.at + action.length).equals(into.subarray(0, count)))
            } else if (action.kind === 'truncate') {
              await file.truncate(action.at)
              model = Buffer.concat([model, Buffer.alloc(200_000)]).subarray(0, action.at)
            } else if (action.length > 0) {
              const data = Buffer.alloc(action.length, index + 1)
              await file.write([data.subarray(0, 100), data.subarray(100)], action.at)
              const end = Math.max(model.length, action.at + action.length)
              model = Buffer.concat([model, Buffer.alloc(end - model.length)])
              data.copy(model, action.at)
            }
            assert.equal(await file.size(), model.length)
          }
          await file.close()
        }),
        { numRuns: 40 },
      )
    })
  })
}
