import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../io/clock.sim.ts'
import { SimulatedDisk } from '../io/disk.sim.ts'
import { silentLogger } from '../lib/logger.ts'
import { DeletedFiles } from './deleted-files.ts'
import { fileNameOf } from './segment-names.ts'

const folder = '/data/orders-0'

async function world(offsets: readonly number[]) {
  const clock = new SimulatedClock()
  const disk = new SimulatedDisk({ clock })
  const warnings: string[] = []
  const logger = { ...silentLogger, warn: (_: object, message: string) => warnings.push(message) }
  const deleted = new DeletedFiles({ disk, clock, logger })
  await disk.makeFolder(folder)
  for (const offset of offsets) {
    for (const suffix of ['.log', '.index', '.timeindex']) {
      await disk.replaceFile(`${folder}/${fileNameOf(offset, suffix)}`, Buffer.from('content'))
    }
  }
  const names = async () => (await disk.list(folder)).map(({ name }) => name.replace(/^0{18}/, ''))
  const add = (baseOffset: number, delayMs: number, sizeBytes = 100) =>
    deleted.add({ folder, baseOffset, sizeBytes }, delayMs)
  return { clock, disk, warnings, deleted, names, add }
}

test('the files of a deleted segment are renamed, the batches first, and go when their time has come', async () => {
  const { clock, disk, deleted, names, add } = await world([7, 8])
  const renamed: string[] = []
  disk.onOperation = ({ kind, path }) => void (kind === 'rename' && renamed.push(path.slice(-8)))
  await add(7, 60_000)
  assert.equal(renamed[0], '0007.log')
  assert.deepEqual(await names(), [
    '07.index.deleted',
    '07.log.deleted',
    '07.timeindex.deleted',
    '08.index',
    '08.log',
    '08.timeindex',
  ])
  assert.deepEqual([deleted.count, deleted.sizeBytes], [1, 100])
  await clock.advance(59_999)
  assert.equal(deleted.count, 1)
  await clock.advance(1)
  assert.deepEqual(await names(), ['08.index', '08.log', '08.timeindex'])
  assert.deepEqual([deleted.count, deleted.sizeBytes, clock.pendingTimers], [0, 0, 0])
})

test('a delay of 0 removes at once', async () => {
  const { clock, deleted, names, add } = await world([7])
  await add(7, 0)
  assert.deepEqual(await names(), [])
  assert.deepEqual([deleted.count, clock.pendingTimers], [0, 0])
})

test('each goes at its own time, with one timer for all', async () => {
  const { clock, names, add } = await world([1, 2, 3])
  await add(1, 3000)
  await add(2, 1000)
  await add(3, 2000)
  const logs = async () => (await names()).filter((name) => name.includes('.log'))
  assert.equal(clock.pendingTimers, 1)
  await clock.advance(1000)
  assert.deepEqual(await logs(), ['01.log.deleted', '03.log.deleted'])
  await clock.advance(1000)
  assert.deepEqual(await logs(), ['01.log.deleted'])
  await clock.advance(1000)
  assert.deepEqual(await logs(), [])
})

test('when room is needed all that waits goes now, and later ones wait again', async () => {
  const { clock, deleted, names, add } = await world([1, 2, 3])
  await add(1, 60_000)
  await add(2, 30_000)
  await deleted.removeNow()
  assert.equal(deleted.sizeBytes, 0)
  await add(3, 60_000)
  await clock.advance(59_999)
  assert.equal((await names()).length, 3)
  await clock.advance(1)
  assert.deepEqual(await names(), [])
  await deleted.removeNow()
})

test('a segment deleted again at the same offset counts once, from the last time', async () => {
  const { clock, disk, deleted, names, add } = await world([1])
  await add(1, 1000)
  await clock.advance(600)
  await disk.replaceFile(`${folder}/${fileNameOf(1, '.log')}`, Buffer.from('again'))
  await add(1, 1000, 5)
  assert.deepEqual([deleted.count, deleted.sizeBytes], [1, 5])
  await clock.advance(999)
  assert.equal((await names()).length, 3)
  await clock.advance(1)
  assert.deepEqual(await names(), [])
})

test('a folder that someone else removes is forgotten', async () => {
  const { clock, deleted, add, disk } = await world([1])
  await add(1, 1000)
  deleted.forget(folder)
  deleted.forget('/data/other-0')
  assert.deepEqual([deleted.count, deleted.sizeBytes], [0, 0])
  const before = disk.operations
  await clock.advance(2000)
  assert.equal(disk.operations, before)
})

test('a file that cannot be removed is left for the next start, and the others go', async () => {
  const { clock, disk, warnings, names, add, deleted } = await world([1])
  disk.failWhen({ kind: 'remove', path: '.index' })
  await add(1, 1000)
  await clock.advance(1000)
  assert.deepEqual(await names(), ['01.index.deleted'])
  assert.deepEqual(warnings, ['a deleted file could not be removed, the next start tries again'])
  assert.equal(deleted.count, 0)
})

test('after a stop nothing is removed any more', async () => {
  const { clock, deleted, names, add } = await world([1])
  await add(1, 1000)
  await deleted.stop()
  await clock.advance(2000)
  assert.equal((await names()).length, 3)
  assert.equal(clock.pendingTimers, 0)
})

test('a disk that does not rename is a fault', async () => {
  const { disk, add } = await world([1])
  disk.failWhen({ kind: 'rename' })
  await assert.rejects(add(1, 1000), { code: 'EIO' })
})
