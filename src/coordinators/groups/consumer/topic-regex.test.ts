import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileTopicRegex, type TopicRegex, TopicScan } from './topic-regex.ts'

function compiled(pattern: string): TopicRegex {
  const result = compileTopicRegex(pattern)
  assert.ok(result.ok, `${pattern} compiles`)
  return result.regex
}

function matchingTopics(regex: TopicRegex, topics: readonly string[]): readonly string[] {
  const scan = new TopicScan([regex], topics)
  scan.advance(Infinity)
  return scan.found.get(regex.pattern)!
}

const matched = [
  { pattern: 'orders', topics: ['orders'], why: 'the name itself' },
  { pattern: 'order', topics: [], why: 'no part of a name' },
  {
    pattern: 'orders|orders-.*',
    topics: ['orders', 'orders-eu', 'orders-us'],
    why: 'the longer alternative where it is needed',
  },
  { pattern: 'o.*-(eu|us)', topics: ['orders-eu', 'orders-us'], why: 'groups' },
  { pattern: '(?i)ORDERS', topics: ['orders'], why: 'flags' },
  { pattern: '^orders$', topics: ['orders'], why: 'anchors, of no effect' },
  { pattern: '\\Qa.b\\E', topics: ['a.b'], why: 'quoted text' },
  { pattern: '[[:alpha:]]+', topics: ['orders'], why: 'named classes' },
  { pattern: '', topics: [], why: 'nothing' },
  {
    pattern: '.*',
    topics: ['orders', 'orders-eu', 'orders-us', 'a.b', '__consumer_offsets'],
    why: 'everything, internal topics too',
  },
]

for (const { pattern, topics, why } of matched) {
  test(`/${pattern}/ matches ${why}`, () => {
    const all = ['orders', 'orders-eu', 'orders-us', 'a.b', '__consumer_offsets']
    assert.deepEqual(matchingTopics(compiled(pattern), all), topics)
  })
}

const refused = [
  { pattern: '(', why: 'missing closing )' },
  { pattern: 'a{1001}', why: 'invalid repeat count' },
  { pattern: '((a{100}){100}){100}', why: 'invalid repeat count' },
  { pattern: '(?=a)b', why: 'invalid or unsupported Perl syntax' },
  { pattern: '(a)\\1', why: 'invalid escape sequence' },
  { pattern: '*', why: 'missing argument to repetition operator' },
]

for (const { pattern, why } of refused) {
  test(`/${pattern}/ is refused: ${why}`, () => {
    assert.deepEqual(compileTopicRegex(pattern), {
      ok: false,
      message: `SubscribedTopicRegex \`${pattern}\` is not a valid regular expression: ${why}.`,
    })
  })
}

test('a pattern that makes other engines backtrack for ages is answered', () => {
  const name = 'a'.repeat(249)
  for (const pattern of ['(a+)+b', '(a|a|aa)*b', '(a*)*b', `${'a?'.repeat(200)}${'a'.repeat(250)}`]) {
    assert.deepEqual(matchingTopics(compiled(pattern), [name]), [], pattern)
  }
})

test('a scan goes on where its last turn ended, and each turn looks at one topic at least', () => {
  const scan = new TopicScan([compiled('.*1'), compiled('t2')], ['t1', 't2', 't11'])
  assert.equal(scan.advance(1), false)
  assert.deepEqual([...scan.found.values()], [['t1'], []])
  assert.equal(scan.advance(1), false)
  assert.equal(scan.advance(1), true)
  assert.deepEqual([...scan.found.values()], [['t1', 't11'], ['t2']])
})

test('a turn of an ordinary pattern is thousands of topics', () => {
  const topics = Array.from({ length: 1_000 }, (_, index) => `orders-${index}`)
  assert.equal(new TopicScan([compiled('orders-.*')], topics).advance(), true)
})

test('a turn of a pattern of many thousand characters is a few topics', () => {
  const many = Array.from({ length: 3_000 }, (_, index) => `.*${index}`).join('|')
  const scan = new TopicScan(
    [compiled(many)],
    Array.from({ length: 100 }, (_, index) => `orders-${index}`),
  )
  let turns = 1
  while (!scan.advance()) turns++
  assert.ok(turns >= 10, `${turns} turns`)
  assert.equal(scan.found.get(many)!.length, 100)
})

test('no topics and no patterns are found at once', () => {
  assert.equal(new TopicScan([], ['t']).advance(), true)
  assert.equal(new TopicScan([compiled('t')], []).advance(), true)
})
