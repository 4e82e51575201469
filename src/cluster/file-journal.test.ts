import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { SimulatedDisk } from '../io/disk.sim.ts'
import type { Disk } from '../io/disk.ts'
import { seededRandom } from '../io/random.sim.ts'
import { recordsOf } from '../records/record.ts'
import { batchesIn } from '../records/batches-in.ts'
import { FileJournal } from './file-journal.ts'
import { JournalCorrupt, type JournalEntry } from './journal.ts'

const folder = '/data/__cluster_metadata-0'
const firstFile = `${folder}/00000000000000000000.log`

function entry(key: string, modRevision: number, value: string | null = 'v'): JournalEntry {
  const bytes = value === null ? null : Uint8Array.from(Buffer.from(value))
  return { key, value: bytes, createRevision: 1, modRevision, leased: false }
}

async function load(disk: Disk): Promise<{ journal: FileJournal; revision: number; entries: JournalEntry[] }> {
  const journal = new FileJournal(disk, folder)
  const entries: JournalEntry[] = []
  const revision = await journal.load((loaded) => entries.push(loaded))
  return { journal, revision, entries }
}

async function journalOfThree(disk: Disk): Promise<{ starts: number[]; end: number }> {
  const { journal } = await load(disk)
  const starts: number[] = []
  for (const revision of [1, 2, 3]) {
    starts.push(journal.sizeBytes)
    await journal.append([entry(`key${revision}`, revision)])
  }
  await journal.close()
  return { starts, end: journal.sizeBytes }
}

const entriesArbitrary = fc.array(
  fc.record(
    {
      key: fc.string({ minLength: 1, unit: 'grapheme' }),
      value: fc.option(fc.uint8Array({ maxLength: 100 }).map((bytes) => Uint8Array.from(bytes))),
      createRevision: fc.maxSafeNat(),
      modRevision: fc.maxSafeNat(),
      leased: fc.boolean(),
    },
    { noNullPrototype: true },
  ),
  { minLength: 1, maxLength: 5 },
)

test('what was appended is loaded again, in order', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(entriesArbitrary, { maxLength: 5 }), async (groups) => {
      const disk = new SimulatedDisk()
      const { journal } = await load(disk)
      for (const group of groups) await journal.append(group)
      await journal.close()
      const { entries, revision } = await load(disk)
      assert.deepEqual(entries, groups.flat())
      assert.equal(revision, Math.max(0, ...groups.flat().map((entry) => entry.modRevision)))
    }),
    { numRuns: 100 },
  )
})

test('a replaced journal holds the snapshot and what was appended after it, in one file', async () => {
  const disk = new SimulatedDisk()
  const { journal } = await load(disk)
  await journal.append([entry('a', 1), entry('b', 2)])
  const left = Array.from({ length: 2500 }, (_, i) => entry(`k${i}`, 3 + i))
  await journal.replace(9_999, left)
  assert.equal(journal.snapshotBytes, journal.sizeBytes)
  await journal.append([entry('c', 10_000)])
  await journal.close()
  const { entries, revision, journal: reopened } = await load(disk)
  assert.deepEqual(entries, [...left, entry('c', 10_000)])
  assert.equal(revision, 10_000)
  assert.equal((await disk.list(folder)).length, 1)
  assert.ok(reopened.snapshotBytes > 0 && reopened.snapshotBytes < reopened.sizeBytes)
})

test('the revision of a snapshot without entries is kept', async () => {
  const disk = new SimulatedDisk()
  const { journal } = await load(disk)
  await journal.replace(42, [])
  await journal.close()
  assert.equal((await load(disk)).revision, 42)
})

test('the file is a log of Kafka record batches with offsets without holes', async () => {
  const disk = new SimulatedDisk()
  await journalOfThree(disk)
  const bytes = (await disk.readFile(firstFile))!
  const records = [...batchesIn(bytes)].flatMap((batch) => [...recordsOf(batch)])
  assert.deepEqual(
    records.map((record) => [record.offset, Buffer.from(record.key!).toString()]),
    [
      [0, ''],
      [1, 'key1'],
      [2, 'key2'],
      [3, 'key3'],
    ],
  )
})

test('a torn last batch is cut, wherever it is torn, and the journal goes on', async () => {
  const disk = new SimulatedDisk()
  const { starts, end } = await journalOfThree(disk)
  const whole = (await disk.readFile(firstFile))!
  for (let size = starts[2]!; size < end; size += 7) {
    await disk.replaceFile(firstFile, whole.slice(0, size))
    const { journal, entries } = await load(disk)
    assert.deepEqual(
      entries.map(({ key }) => key),
      ['key1', 'key2'],
    )
    await journal.append([entry('again', 3)])
    await journal.close()
    assert.equal((await load(disk)).entries.at(-1)?.key, 'again')
  }
})

test('zeros that a crash left behind the last batch are cut', async () => {
  const disk = new SimulatedDisk()
  const { end } = await journalOfThree(disk)
  const bytes = new Uint8Array(end + 4096)
  bytes.set((await disk.readFile(firstFile))!)
  await disk.replaceFile(firstFile, bytes)
  assert.equal((await load(disk)).entries.length, 3)
  assert.equal((await disk.readFile(firstFile))!.length, end)
})

test('any damaged bit before the last batch is found, and nothing starts on it', async () => {
  const disk = new SimulatedDisk()
  const { starts } = await journalOfThree(disk)
  for (let position = 0; position < starts[2]!; position += 1) {
    // The leader epoch is outside the checksum and means nothing here.
    const leaderEpoch = [0, ...starts].some((start) => position >= start + 12 && position < start + 16)
    if (leaderEpoch) continue
    disk.flipBit(firstFile, position, position % 8)
    await assert.rejects(load(disk), JournalCorrupt, `byte ${position}`)
    disk.flipBit(firstFile, position, position % 8)
  }
  assert.equal((await load(disk)).entries.length, 3)
})

test('a crash at any step of a replacement leaves the old or the new', async () => {
  for (let step = 1; step <= 20; step++) {
    for (const seed of [1, 2, 3]) {
      const disk = new SimulatedDisk()
      const { journal } = await load(disk)
      await journal.append([entry('old', 1)])
      disk.haltAt(step)
      await journal.replace(2, [entry('new', 2)]).catch(() => undefined)
      const { entries, journal: reopened } = await load(disk.crash(seededRandom(seed)))
      const state = entries.map(({ key }) => key).join()
      assert.ok(state === 'old' || state === 'new', `step ${step}: '${state}'`)
      await reopened.append([entry('later', 3)])
    }
  }
})

test('a file that lost a part of its snapshot is refused, at the end of the file too', async () => {
  const disk = new SimulatedDisk()
  const { journal } = await load(disk)
  await journal.replace(5, [entry('a', 1), entry('b', 2)])
  await journal.close()
  const path = `${folder}/${(await disk.list(folder))[0]!.name}`
  const bytes = (await disk.readFile(path))!
  await disk.replaceFile(path, bytes.slice(0, bytes.length - 1))
  await assert.rejects(load(disk), JournalCorrupt)
})
