import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { buildBatch } from '../../src/records/batch-builder.ts'
import { Load } from './loads.ts'
import { batchesBelow, differenceOf, problemsOf, valuesOf } from './replicas.ts'

const batch = (baseOffset: number, ...values: string[]): Uint8Array =>
  buildBatch(
    values.map((value) => ({ value })),
    { baseOffset },
  )

/** A data folder for each replica of `t-0`, with a segment of each list of batches. */
async function foldersWith(
  t: TestContext,
  replicas: readonly (readonly (readonly Uint8Array[])[])[],
): Promise<Map<number, string>> {
  const root = await mkdtemp(join(tmpdir(), 'odradek-replicas-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  const folders = new Map<number, string>()
  for (const [index, segments] of replicas.entries()) {
    const data = join(root, String(index + 1))
    await mkdir(join(data, 't-0'), { recursive: true })
    for (const [number, batches] of segments.entries()) {
      await writeFile(join(data, 't-0', `${String(number).padStart(20, '0')}.log`), Buffer.concat(batches))
    }
    folders.set(index + 1, data)
  }
  return folders
}

const [a, b, c, other] = [batch(0, '0', '1'), batch(2, '2'), batch(3, '3'), batch(2, 'x')]

test('replicas are equal below the high watermark, wherever their segments begin, whatever comes behind it', async (t) => {
  const folders = await foldersWith(t, [[[a, b], [c]], [[a], [b]], [[a, b, batch(3, 'y')]]])
  assert.equal(await differenceOf(folders, 't', 0, 3), null)
})

test('a replica with another batch is told from the others, and so is one that lacks a batch', async (t) => {
  const folders = await foldersWith(t, [[[a, b]], [[a, other]]])
  assert.match((await differenceOf(folders, 't', 0, 3))!, /brokers 1 and 2 differ at offset 2 to 2/)
  const shorter = await foldersWith(t, [[[a, b]], [[a]]])
  assert.match(
    (await differenceOf(shorter, 't', 0, 3))!,
    /brokers 1 and 2 differ at offset 2 to 2 .* and the end \(2\)/,
  )
  assert.match((await differenceOf(shorter, 't', 0, 4))!, /broker 1 has it only up to 3/)
})

test('a folder that is not there is an empty replica', async (t) => {
  const folders = await foldersWith(t, [[]])
  assert.equal(await differenceOf(folders, 'u', 0, 0), null)
  assert.match((await differenceOf(folders, 'u', 0, 1))!, /only up to 0/)
})

test('values are read by offset', async (t) => {
  const [data] = [...(await foldersWith(t, [[[a, b], [c]]])).values()]
  assert.deepEqual(valuesOf(await batchesBelow(data!, 't', 0, 4)), [0, 1, 2, 3])
  assert.throws(() => valuesOf(c), /offset 3 behind -1/)
})

class Told extends Load {
  override async stop(): Promise<void> {}
}

for (const { what, values, once = true, problem } of [
  { what: 'all there', values: [0, 1, 2] },
  { what: 'more than was acknowledged', values: [0, 1, 2, 3] },
  { what: 'one lost', values: [0, 2], problem: /2 acknowledged are not there, first 1 at offset 1, where 2 is/ },
  { what: 'one twice', values: [0, 1, 2, 1], problem: /1 is there twice, at offset 3/ },
  { what: 'one out of order', values: [0, 1, 2, 5, 4], problem: /4 is there out of order, at offset 4, behind 5/ },
  { what: 'one twice, of a producer that is not idempotent', values: [0, 1, 2, 2], once: false },
  { what: 'one lost, of a producer that is not idempotent', values: [0, 1], once: false, problem: /1 acknowledged/ },
] as { what: string; values: number[]; once?: boolean; problem?: RegExp }[]) {
  test(`what is said of a load: ${what}`, () => {
    const acknowledged = [0, 1, 2].map((n) => ({ partition: 0, offset: n, value: n }))
    const problems = problemsOf(new Told('load', 't', once), acknowledged, 0, values)
    if (problem === undefined) assert.deepEqual(problems, [])
    else assert.match(problems.join(), problem)
  })
}

test('a record of which nobody said where it is has to be anywhere', () => {
  const acknowledged = [{ partition: 0, offset: null, value: 1 }]
  assert.deepEqual(problemsOf(new Told('load', 't', true), acknowledged, 0, [0, 1]), [])
  assert.match(problemsOf(new Told('load', 't', true), acknowledged, 0, [0, 2]).join(), /1 acknowledged are not there/)
})
