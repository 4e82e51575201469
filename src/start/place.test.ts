import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk } from '../io/disk.memory.ts'
import { realDisk } from '../io/disk.real.ts'
import { placeOf } from './place.ts'

test('a place is the same for the same folder, and another for another', async () => {
  const place = await placeOf(realDisk, '/data')
  assert.equal(await placeOf(realDisk, '/data'), place)
  assert.notEqual(await placeOf(realDisk, '/copy'), place)
  assert.ok(place.endsWith('/data') && !place.includes('\n'))
})

test('where nothing tells machines apart the place is the path', async () => {
  assert.equal(await placeOf(new MemoryDisk(), '/data'), '/data')
})
