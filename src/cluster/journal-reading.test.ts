// Looking at a journal without opening it: the same verdict as a start's, and nothing changes.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedDisk } from '../io/disk.sim.ts'
import { FileJournal } from './file-journal.ts'
import { JournalCorrupt, type JournalEntry } from './journal.ts'
import { inspectJournal } from './journal-reading.ts'

const folder = '/data/__cluster_metadata-0'
const file = '00000000000000000000.log'

function entry(key: string, modRevision: number): JournalEntry {
  return { key, value: Buffer.from('v'), createRevision: 1, modRevision, leased: false }
}

/** Three commits; answers where each begins, and the end. */
async function journal(): Promise<{ disk: SimulatedDisk; starts: number[] }> {
  const disk = new SimulatedDisk()
  const written = new FileJournal(disk, folder)
  await written.load(() => undefined)
  const starts: number[] = []
  for (const revision of [1, 2, 3]) {
    starts.push(written.sizeBytes)
    await written.append([entry(`key${revision}`, revision)])
  }
  starts.push(written.sizeBytes)
  await written.close()
  return { disk, starts }
}

test('a journal that was closed is read as a start reads it, and not touched', async () => {
  const { disk, starts } = await journal()
  disk.onOperation = ({ kind }) => assert.ok(kind === 'list' || kind === 'readFile', kind)
  const keys: string[] = []
  const found = await inspectJournal(disk, folder, ({ key }) => keys.push(key))
  assert.deepEqual(keys, ['key1', 'key2', 'key3'])
  assert.deepEqual(found, {
    file,
    revision: 3,
    nextOffset: 4,
    sizeBytes: starts[3],
    snapshotBytes: starts[0],
    batches: 4,
    entries: 3,
    tornBytes: 0,
    leftovers: [],
  })
})

test('there is no journal where no file is', async () => {
  assert.equal(await inspectJournal(new SimulatedDisk(), folder, () => undefined), null)
})

test('a torn commit at the end, and what a crash left beside it, is told and left alone', async () => {
  const { disk, starts } = await journal()
  const handle = await disk.open(`${folder}/${file}`)
  await handle.truncate(starts[3]! - 1)
  await handle.close()
  const temporary = await disk.open(`${folder}/00000000000000000009.log.tmp`, { create: true })
  await temporary.close()
  const found = await inspectJournal(disk, folder, () => undefined)
  assert.equal(found!.sizeBytes, starts[2])
  assert.equal(found!.tornBytes, starts[3]! - 1 - starts[2]!)
  assert.deepEqual(found!.leftovers, ['00000000000000000009.log.tmp'])
  assert.equal((await disk.readFile(`${folder}/${file}`))!.length, starts[3]! - 1)
})

test('a damaged commit with a good one behind it is refused', async () => {
  const { disk, starts } = await journal()
  disk.flipBit(`${folder}/${file}`, starts[1]! + 30)
  await assert.rejects(
    inspectJournal(disk, folder, () => undefined),
    JournalCorrupt,
  )
})
