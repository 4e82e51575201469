import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeTxnIndex, encodeTxnIndex } from './txn-index.ts'

const transactions = [
  { producerId: 4000, firstOffset: 2, lastOffset: 10, lastStableOffset: 7 },
  { producerId: 2 ** 40, firstOffset: 7, lastOffset: 12, lastStableOffset: 13 },
]

test('aborted transactions are written as Kafka does, and read again', () => {
  const bytes = encodeTxnIndex(transactions)
  assert.equal(
    Buffer.from(bytes.subarray(0, 34)).toString('hex'),
    '00000000000000000fa00000000000000002000000000000000a0000000000000007',
  )
  assert.deepEqual(decodeTxnIndex(bytes, 0, 13), transactions)
  assert.deepEqual(decodeTxnIndex(encodeTxnIndex([]), 0, 0), [])
})

test('a transaction may have begun in an earlier segment', () => {
  assert.deepEqual(decodeTxnIndex(encodeTxnIndex(transactions), 10, 13), transactions)
})

const bytes = encodeTxnIndex(transactions)
const wrong: [name: string, bytes: Uint8Array, baseOffset: number, endOffset: number][] = [
  ['half an entry', bytes.subarray(0, 40), 0, 13],
  ['another version', Buffer.from(bytes).fill(1, 0, 2), 0, 13],
  ['a marker beyond the segment', bytes, 0, 12],
  ['a marker before the segment', bytes, 11, 13],
  ['markers in the wrong order', encodeTxnIndex(transactions.toReversed()), 0, 13],
]
for (const [name, bytes, baseOffset, endOffset] of wrong) {
  test(`an index with ${name} is not believed`, () => assert.equal(decodeTxnIndex(bytes, baseOffset, endOffset), null))
}
