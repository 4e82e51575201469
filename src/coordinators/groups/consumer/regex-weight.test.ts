import assert from 'node:assert/strict'
import { test } from 'node:test'
import { waysOpenIn } from './regex-weight.ts'

const patterns = [
  { pattern: 'orders', ways: 0, why: 'plain characters are one way' },
  {
    pattern: 'orders|invoices|[a-c]',
    ways: 0,
    why: 'alternatives of the whole are one way each, and end where they fail',
  },
  { pattern: '(orders|invoices)-eu', ways: 1, why: 'alternatives in a group' },
  { pattern: 'a?b*c+d', ways: 3, why: 'optional and repeated characters' },
  { pattern: '[+*?{2}]\\Q*{9}\\E\\*\\{3', ways: 0, why: 'characters that only look like repetitions' },
  { pattern: '[]*]*[^]*]*[[:alpha:]*]*[\\]*]*', ways: 4, why: 'classes, whatever is in them' },
  { pattern: '\\p{Greek}?\\x{10FFFF}?\\pN?', ways: 3, why: 'escapes of several characters' },
  { pattern: 'a{,2}b{x}', ways: 0, why: 'braces that are no repetition' },
  { pattern: 'a{1000}', ways: 1_000, why: 'copies' },
  { pattern: '[a-z]{1,249}', ways: 249, why: 'copies of a class' },
  { pattern: 'a{3,}', ways: 4, why: 'copies without end' },
  { pattern: '(a?){500}', ways: 1_000, why: 'what a group holds, as often as it is repeated' },
  { pattern: '((ab){10}c){2}', ways: 60, why: 'repetitions in repetitions' },
  { pattern: '(a|b){4}x', ways: 11, why: 'alternatives, as often as they are repeated' },
  { pattern: '(a?){500}'.repeat(20), ways: 20_000, why: 'one after the other' },
  { pattern: 'a{1001}', ways: 0, why: 'too many repetitions are refused elsewhere' },
  { pattern: '((a{100}){100}){100}', ways: 0, why: 'too many repetitions within each other are refused elsewhere' },
  { pattern: 'a)', ways: 0, why: 'what is no pattern is refused elsewhere' },
]

for (const { pattern, ways, why } of patterns) {
  test(`/${pattern.slice(0, 40)}/ has ${ways} ways open: ${why}`, () => {
    assert.equal(waysOpenIn(pattern), ways)
  })
}

test('a pattern of any kind is weighed at once', () => {
  const started = process.cpuUsage().user
  for (const part of ['[', '\\Q', '\\p{', '(', '{1,', '[[:', 'a{9}', '(a{9}', '?']) waysOpenIn(part.repeat(10_000))
  assert.ok(process.cpuUsage().user - started < 2_000_000)
})
