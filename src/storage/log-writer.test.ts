import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { realDisk } from '../io/disk.real.ts'
import { Slab } from '../lib/slab.ts'
import { FileHandles } from './file-handles.ts'
import { LogWriter } from './log-writer.ts'
import { Segment } from './segment.ts'

test('memory of what is written early is let go of at once, and the rest once it is written', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-writer-'))
  t.after(() => rm(folder, { recursive: true }))
  const handles = new FileHandles(realDisk, 10)
  const segment = new Segment({ baseOffset: 0, folder, handles, createdAtMs: 0, rollJitterMs: 0 })
  const turns: (() => void)[] = []
  const host = {
    soon: (write: () => void) => void turns.push(write),
    prepare: () => Promise.resolve(),
    syncFolder: () => Promise.resolve(),
    written() {},
    synced() {},
    failed(error: Error) {
      throw error
    },
    noRoom(error: Error) {
      throw error
    },
  }
  const writer = new LogWriter(host, 0, false)
  const free: Slab[] = []
  /** Appends a slab full of `byte`, and lets go of it, as who has received it. */
  const append = (byte: number, size: number, end: number): void => {
    const slab = new Slab({ takeBack: (slab) => void free.push(slab) }, size)
    slab.hold()
    slab.bytes.fill(byte)
    writer.enqueue(segment, slab.bytes, end)
    slab.release()
  }
  const writeTurn = async (): Promise<void> => {
    turns.shift()!()
    await writer.idle()
  }
  // The first write opens the file.
  append(1, 10, 1)
  await writeTurn()
  assert.equal(free.length, 1)

  append(2, 300_000, 2)
  assert.equal(free.length, 2)
  free[1]!.bytes.fill(99)
  append(3, 20, 3)
  assert.deepEqual([free.length, writer.writtenOffset], [2, 1])
  await writeTurn()
  assert.deepEqual([free.length, writer.writtenOffset], [3, 3])

  const written = Buffer.concat([Buffer.alloc(10, 1), Buffer.alloc(300_000, 2), Buffer.alloc(20, 3)])
  assert.ok(written.equals(await readFile(segment.file.path)))
  await segment.file.close()
})
