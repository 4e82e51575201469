import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedDisk } from '../../src/io/disk.sim.ts'
import { seededRandom } from '../../src/io/random.sim.ts'
import { buildBatch } from '../../src/records/batch-builder.ts'
import { fileNameOf, logSuffix } from '../../src/storage/segment-names.ts'
import { LogsOfMachines } from './logs-on-disks.ts'

const folder = '/data/orders-0'

/** Two segments, of two records and one; then one that is not synced. */
async function setUp() {
  const machine = { id: 1, disk: new SimulatedDisk() }
  const { disk } = machine
  await disk.makeFolder(folder)
  const write = async (segment: number, offsets: readonly number[], value = 'v') => {
    const file = await disk.open(`${folder}/${fileNameOf(segment, logSuffix)}`, { create: true })
    for (const baseOffset of offsets) {
      await file.write([buildBatch([{ value }], { baseOffset, leaderEpoch: 3 })], await file.size())
    }
    return file
  }
  await (await write(0, [0, 1])).sync()
  await (await write(2, [2])).sync()
  await disk.syncFolder(folder)
  const last = await write(2, [3])
  return { machine, disk, write, last, logs: new LogsOfMachines([machine]) }
}

test('batches are found across segments, and the durable ones are told from the rest', async () => {
  const { logs } = await setUp()
  const offsets = (from: number, to: number) =>
    logs.batches(1, 'orders-0', from, to).map(({ baseOffset }) => baseOffset)
  assert.deepEqual(offsets(0, 2), [0, 1])
  assert.deepEqual(offsets(2, 10), [2, 3])
  assert.deepEqual(offsets(1, 3), [1, 2])
  assert.deepEqual(offsets(4, 9), [])
  assert.equal(logs.durableTo(1, 'orders-0', 0, 4), 3)
  assert.equal(logs.batches(1, 'orders-0', 0, 1)[0]?.leaderEpoch, 3)
})

test('a log that was cut, and went on otherwise, is read as it is now', async () => {
  const { logs, last, write } = await setUp()
  const [before] = logs.batches(1, 'orders-0', 3, 4)
  await last.truncate(await sizeOfFirst(last))
  await write(2, [3], 'another')
  const [after] = logs.batches(1, 'orders-0', 3, 4)
  assert.deepEqual([before?.baseOffset, after?.baseOffset], [3, 3])
  assert.notEqual(before?.crc, after?.crc)
})

test('after a crash the disk is another, and holds what was durable', async () => {
  const { logs, machine, disk } = await setUp()
  assert.deepEqual(logs.disks(), [{ machine: 1, found: 1 }])
  const synced = logs.bytes(1, 'orders-0', 0, 3)
  machine.disk = disk.crash(seededRandom(1))
  assert.deepEqual(logs.disks(), [{ machine: 1, found: 2 }])
  assert.ok(Buffer.from(synced).equals(logs.bytes(1, 'orders-0', 0, 3)))
})

async function sizeOfFirst(file: { size(): Promise<number> }): Promise<number> {
  return (await file.size()) / 2
}
