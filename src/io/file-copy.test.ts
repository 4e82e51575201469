import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { DiskError } from './disk.ts'
import { copyFile } from './file-copy.ts'

async function twoPaths(t: { after(fn: () => unknown): void }): Promise<[from: string, to: string]> {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-copy-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return [join(folder, 'from'), join(folder, 'to')]
}

test('a copy has the bytes and the time of its original, and is not made twice', async (t) => {
  const [from, to] = await twoPaths(t)
  await writeFile(from, 'records')
  await utimes(from, 1_600_000_000.123, 1_600_000_000.123)
  assert.equal(await copyFile(from, to), 'copied')
  assert.equal(await readFile(to, 'utf8'), 'records')
  assert.equal(Math.round((await stat(to)).mtimeMs), 1_600_000_000_123)
  assert.equal(await copyFile(from, to), 'same')
})

test('a copy that was cut short, or whose original has changed, is made again', async (t) => {
  const [from, to] = await twoPaths(t)
  await writeFile(from, 'records')
  await utimes(from, 1_600_000_000, 1_600_000_000)
  await writeFile(to, 'recorXX') // as long, and of another time
  assert.equal(await copyFile(from, to), 'copied')
  assert.equal(await readFile(to, 'utf8'), 'records')
  await writeFile(from, 'changed')
  assert.equal(await copyFile(from, to), 'copied')
  assert.equal(await readFile(to, 'utf8'), 'changed')
})

test('a fault of the disk is one of ours', async (t) => {
  const [from, to] = await twoPaths(t)
  await assert.rejects(copyFile(from, to), (error) => error instanceof DiskError && error.code === 'ENOENT')
})
