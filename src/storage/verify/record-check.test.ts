import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchLayout, stampCrc, stampMaxTimestamp } from '../../records/batch.ts'
import { writeInt32 } from '../../records/big-endian.ts'
import { codecById } from '../../records/codec.ts'
import { filterBatch } from '../../records/filter-batch.ts'
import { batchOf } from '../partition-log.contract.ts'
import { recordProblemOf } from './record-check.ts'

/** Three records of one byte: nine bytes each, the offset delta is the fourth, zig-zag. */
function changed(change: (batch: Buffer) => void): Buffer {
  const batch = Buffer.from(batchOf(['a', 'b', 'c'], { timestamp: 1000 }))
  change(batch)
  stampCrc(batch)
  return batch
}

const recordBytes = (batchOf(['a', 'b', 'c']).length - batchLayout.records) / 3
const deltaAt = (record: number) => batchLayout.records + record * recordBytes + 3

test('good records have no problem, whatever their codec, and compacted away or not', () => {
  for (const codec of codecById) {
    const batch = batchOf(['a', 'b', 'c'], { codec })
    assert.equal(recordProblemOf(batch), null)
    assert.equal(recordProblemOf(filterBatch(batch, ({ offsetDelta }) => offsetDelta !== 1).bytes), null)
    assert.equal(recordProblemOf(filterBatch(batch, () => false).bytes), null)
  }
})

for (const { name, batch, what, severe } of [
  {
    name: 'an offset twice',
    batch: changed((bytes) => void (bytes[deltaAt(1)] = 0)),
    what: /record 1 has offset delta 0, after 0/,
    severe: true,
  },
  {
    name: 'an offset beyond the batch',
    batch: changed((bytes) => void (bytes[deltaAt(2)] = 6)),
    what: /record 2 has offset delta 3, after 1 and up to 2/,
    severe: true,
  },
  {
    name: 'fewer records than there are',
    batch: changed((bytes) => writeInt32(bytes, batchLayout.recordsCount, 2)),
    what: /bytes are left over after 2 records/,
    severe: true,
  },
  {
    name: 'more records than there are',
    batch: changed((bytes) => writeInt32(bytes, batchLayout.recordsCount, 4)),
    what: /its records cannot be read/,
    severe: true,
  },
  {
    name: 'bytes that no codec wrote',
    batch: changed((bytes) => void (bytes[batchLayout.attributes + 1] = 4)),
    what: /its records cannot be read: malformed zstd/,
    severe: true,
  },
  {
    name: 'a timestamp later than it claims',
    batch: changed((bytes) => stampMaxTimestamp(bytes, 0, 999)),
    what: /record 0 has timestamp 1000, the batch claims at most 999/,
    severe: false,
  },
]) {
  test(`a batch with ${name} is told, ${severe ? 'for readers stumble over it' : 'though readers get it'}`, () => {
    const problem = recordProblemOf(batch)
    assert.match(String(problem?.what), what)
    assert.equal(problem?.severe, severe)
  })
}
