import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { consumerGroupMetadata, groupMetadata, offsetCommit } from '../../src/protocol/group-records/index.ts'
import { buildBatch } from '../../src/records/batch-builder.ts'
import { readGroupLog, wrongCommit } from './group-log.ts'

const committed = (group: string, partition: number, offset: number) => ({
  key: offsetCommit.encodeKey({ group, topic: 't', partition }),
  value: offsetCommit.encodeValue({ offset, metadata: '', commitTimestamp: 0 }),
})

test('commits and generations of one group are read from the longest replica, in order', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-group-log-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const generation = (number: number) => ({
    key: groupMetadata.encodeKey({ group: 'g' }),
    value: groupMetadata.encodeValue({
      protocolType: 'consumer',
      generation: number,
      protocol: null,
      leader: null,
      members: [],
    }),
  })
  const epoch = {
    key: consumerGroupMetadata.encodeKey({ groupId: 'g' }),
    value: consumerGroupMetadata.encodeValue({ epoch: 7, metadataHash: 0n }),
  }
  const records = [generation(1), generation(1), committed('g', 0, 5), committed('other', 0, 9), generation(2), epoch]
  const short = buildBatch(records.slice(0, 1))
  const long = buildBatch(records)
  for (const [name, batch] of [['a', short] as const, ['b', long] as const]) {
    await mkdir(join(folder, name, '__consumer_offsets-1'), { recursive: true })
    await writeFile(join(folder, name, '__consumer_offsets-1', '00000000000000000000.log'), batch)
  }
  const log = await readGroupLog([join(folder, 'a'), join(folder, 'b'), join(folder, 'none')], 1, 'g')
  assert.deepEqual(log, { commits: [{ partition: 't:0', offset: 5 }], generations: [1, 2, 7] })
})

const commits = (...offsets: readonly number[]) => ({
  commits: offsets.map((offset) => ({ partition: 't:0', offset })),
  generations: [],
})

test('commits that rise and reach what members were told are right', () => {
  assert.equal(wrongCommit(commits(3, 3, 8), new Map([['t:0', 8]])), null)
})

test('a commit that goes back is wrong, and so is one that a member was told of and that is not kept', () => {
  assert.equal(wrongCommit(commits(3, 2), new Map()), 'the committed offset of t:0 went back from 3 to 2')
  assert.equal(wrongCommit(commits(3), new Map([['t:0', 4]])), '4 of t:0 was committed, and 3 is kept')
  assert.equal(wrongCommit(commits(), new Map([['t:1', 1]])), '1 of t:1 was committed, and 0 is kept')
})
