import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { diskContract } from './disk.contract.ts'
import { realDisk } from './disk.real.ts'

interface TestScope {
  after(fn: () => unknown): void
}

async function temporaryFolder(t: TestScope): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-disk-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A process that takes the lock of a folder and says whether it got it; with `hold` it stays until it is killed. */
function locker(t: TestScope, folder: string, hold: boolean): ChildProcess {
  const code = `
    import { realDisk } from ${JSON.stringify(new URL('disk.real.ts', import.meta.url).href)}
    const lock = await realDisk.lock(${JSON.stringify(folder)})
    process.stdout.write(lock === null ? 'refused' : 'held')
    ${hold ? 'setInterval(() => {}, 1000)' : ''}`
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  return child
}

async function answerOf(child: ChildProcess): Promise<string> {
  const [data] = await once(child.stdout!, 'data')
  return String(data)
}

diskContract('real', async (t) => ({ disk: realDisk, folder: await temporaryFolder(t) }))

test('a lock is free at once after kill -9, and refused to others until then', async (t) => {
  const folder = await temporaryFolder(t)
  const child = locker(t, folder, true)
  assert.equal(await answerOf(child), 'held')
  assert.equal(await realDisk.lock(folder), null)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const lock = await realDisk.lock(folder)
  assert.ok(lock)
  assert.equal((await readdir(folder)).length, 1, 'the leftover of the dead process is gone')
  await lock.release()
  assert.deepEqual(await readdir(folder), [])
})

test('another process is refused while this one holds the lock', async (t) => {
  const folder = await temporaryFolder(t)
  const lock = await realDisk.lock(folder)
  assert.equal(await answerOf(locker(t, folder, false)), 'refused')
  await lock!.release()
  assert.equal(await answerOf(locker(t, folder, false)), 'held')
})

test('a lock does not keep the process alive', async (t) => {
  const folder = await temporaryFolder(t)
  const child = locker(t, folder, false)
  const [code] = await once(child, 'exit')
  assert.equal(code, 0)
})

test('a folder whose path is too long for a socket can be locked', async (t) => {
  const folder = join(await temporaryFolder(t), 'x'.repeat(200), 'y'.repeat(200))
  await realDisk.makeFolder(folder)
  const lock = await realDisk.lock(folder)
  assert.ok(lock)
  assert.equal(await realDisk.lock(folder), null)
  assert.equal(await answerOf(locker(t, folder, false)), 'refused')
  await lock.release()
  assert.deepEqual(await readdir(folder), [])
  const again = await realDisk.lock(folder)
  assert.ok(again)
  await again.release()
})

test('the lock does not show in the listing of its folder', async (t) => {
  const folder = await temporaryFolder(t)
  const lock = await realDisk.lock(folder)
  assert.deepEqual(await realDisk.list(folder), [])
  await lock!.release()
})

test('a file is dated by its last write', async (t) => {
  const folder = await temporaryFolder(t)
  const file = await realDisk.open(`${folder}/a`, { create: true })
  await utimes(`${folder}/a`, 1000, 1000)
  const [old] = await realDisk.list(folder)
  await file.write([Buffer.from('a')], 0)
  const [written] = await realDisk.list(folder)
  await file.close()
  assert.equal(old!.modifiedAtMs, 1_000_000)
  assert.ok(Math.abs(written!.modifiedAtMs - Date.now()) < 60_000)
})
