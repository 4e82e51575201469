import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { lockHolderOf, posixLocksIn } from './file-lock-holder.ts'

test('the locks of the kernel are read, without those that wait and those of other kinds', () => {
  const text = [
    '1: POSIX  ADVISORY  WRITE 21428 fe:00:9994504 0 EOF',
    '1: -> POSIX  ADVISORY  WRITE 31 fe:00:9994504 0 EOF',
    '2: FLOCK  ADVISORY  WRITE 23082 fe:00:9986072 0 EOF',
    '3: OFDLCK ADVISORY  READ -1 00:1d:77 0 EOF',
    '12: POSIX  MANDATORY READ 7 00:1d:18446744073709551615 128 4096',
    '',
  ].join('\n')
  assert.deepEqual(posixLocksIn(text), [
    { pid: 21428, device: 'fe:00', inode: 9994504n },
    { pid: 7, device: '00:1d', inode: 18446744073709551615n },
  ])
})

test('a file that is absent, and on Linux one that nobody has locked, is held by nobody', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-lock-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  assert.deepEqual(await lockHolderOf(join(folder, 'absent')), { kind: 'nobody' })
  await writeFile(join(folder, '.lock'), '')
  const expected = process.platform === 'linux' ? 'nobody' : 'unknown'
  assert.equal((await lockHolderOf(join(folder, '.lock'))).kind, expected)
})
