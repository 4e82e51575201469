import assert from 'node:assert/strict'
import { test } from 'node:test'
import { numbersText, partitionsText, rangeText, topicsText } from './group-words.ts'

/** In the time zone of whoever runs the test. */
const at = (text: string): number => Date.parse(text)
const now = at('2026-07-24T15:00:00')

const ranges: readonly { readonly from: string; readonly to: string; readonly words: string }[] = [
  { from: '2026-07-24T09:12:05', to: '2026-07-24T09:31:59', words: '09:12 to 09:31' },
  { from: '2026-07-24T09:12:05', to: '2026-07-24T09:12:59', words: '09:12:05 to 09:12:59' },
  { from: '2026-07-24T09:12:05', to: '2026-07-24T09:12:05', words: '09:12:05' },
  { from: '2026-07-23T23:50:00', to: '2026-07-24T00:10:00', words: '2026-07-23 23:50 to 2026-07-24 00:10' },
  { from: '2026-07-20T09:12:05', to: '2026-07-20T09:31:00', words: '2026-07-20 09:12 to 09:31' },
]
for (const { from, to, words } of ranges) {
  test(`a range of times reads ${words}`, () => assert.equal(rangeText(at(from), at(to), now), words))
}

test('partitions are told by topic, in runs', () => {
  assert.equal(numbersText([5, 1, 0, 2, 9, 8]), '0-2, 5, 8-9')
  assert.equal(numbersText([0, 2, 4, 5, 6, 8], 2), '0, 2 and 4 more')
  const places = [0, 1, 2, 5].map((partition) => ({ topic: 'orders', partition }))
  assert.equal(partitionsText([...places, { topic: 'payments', partition: 0 }]), 'orders 0-2, 5; payments 0')
})

test('of many topics the first are named', () => {
  assert.equal(topicsText(['a', 'b', 'c']), 'a, b, c')
  assert.equal(topicsText(['a', 'b', 'c', 'd', 'e']), 'a, b, c +2')
})
