// What the command keeps of its compiled code from one run to the next, and that it does without where it must.

import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { RunningProcess } from '../support/processes.ts'

const main = join(import.meta.dirname, '../../src/cli/main.ts')
const folder = await mkdtemp(join(tmpdir(), 'odradek-cache-'))
after(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }))

/** Its version, the shortest of runs. */
async function run(env: Readonly<Record<string, string>>): Promise<void> {
  const { code, stdout, stderr } = await new RunningProcess(process.execPath, [main, '--version'], {
    cwd: folder,
    env: { NODE_COMPILE_CACHE: '', ...env },
  }).end()
  assert.equal(code, 0, stderr)
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
  assert.equal(stderr, '')
}

async function filesIn(path: string): Promise<readonly string[]> {
  return readdir(path, { recursive: true })
}

test('compiled code is kept in the cache folder of the user', async () => {
  const cache = join(folder, 'cache')
  await run({ XDG_CACHE_HOME: cache })
  assert.ok((await filesIn(join(cache, 'odradek'))).length > 1)
  const home = join(folder, 'home')
  await run({ XDG_CACHE_HOME: '', HOME: home, USERPROFILE: home })
  assert.ok((await filesIn(join(home, '.cache/odradek'))).length > 1)
})

test('NODE_COMPILE_CACHE names another folder, and without one nothing is kept', async () => {
  const cache = join(folder, 'unused')
  const other = join(folder, 'other')
  await run({ XDG_CACHE_HOME: cache, NODE_COMPILE_CACHE: other })
  assert.ok((await filesIn(other)).length > 1)
  await run({ XDG_CACHE_HOME: cache, NODE_DISABLE_COMPILE_CACHE: '1' })
  await assert.rejects(readdir(cache), { code: 'ENOENT' })
})

test('a cache folder that cannot be costs nothing but the time', async () => {
  const file = join(folder, 'file')
  await writeFile(file, '')
  await run({ XDG_CACHE_HOME: file })
})
