import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from '../io/disk.memory.ts'
import { FileHandles } from './file-handles.ts'

test('of files that are idle one that was not used lately is closed for another', async () => {
  const disk = new MemoryDisk()
  const opened: string[] = []
  const open = disk.open.bind(disk)
  disk.open = (path, options) => {
    opened.push(path)
    return open(path, options)
  }
  const handles = new FileHandles(disk, 3)
  const [a, b, c, d, e] = ['/a', '/b', '/c', '/d', '/e'].map((path) => handles.file(path))
  const use = (file = a!) => file.write([Buffer.from('x')], 0)
  for (const file of [a, b, c, d]) await use(file)
  // All had a turn by now, and `a`, the first one, was closed.
  await use(b)
  await use(e)
  opened.length = 0
  for (const file of [b, d, e]) await use(file)
  assert.deepEqual(opened, [])
  await use(c)
  assert.deepEqual(opened, ['/c'])
})
