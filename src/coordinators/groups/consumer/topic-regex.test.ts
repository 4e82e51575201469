import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileTopicRegex, type TopicRegex, TopicScan } from './topic-regex.ts'

function compiled(pattern: string): TopicRegex {
  const result = compileTopicRegex(pattern)
  assert.ok(result.ok, `${pattern} compiles`)
  return result.regex
}

function matchingTopics(regex: TopicRegex, topics: readonly string[]): readonly string[] {
  return topics.filter((topic) => regex.matches(topic))
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

test('a pattern that opens too many ways is refused before it is compiled', () => {
  for (const pattern of ['(a?){1000}', '.{500}|(.?){900}', '(a?){1000}'.repeat(1_000), '.?'.repeat(10_000)]) {
    const result = compileTopicRegex(pattern)
    assert.ok(
      !result.ok && result.message.endsWith('is not a valid regular expression: expression too large.'),
      pattern,
    )
  }
})

test('a long list of topics is a pattern as good as any', () => {
  const names = Array.from({ length: 1_500 }, (_, index) => `topic-number-${index}`)
  assert.deepEqual(matchingTopics(compiled(names.join('|')), ['topic-number-7', 'topic-number-x']), ['topic-number-7'])
})

test('of a long pattern that is refused its client hears the beginning', () => {
  const result = compileTopicRegex(`(${'a'.repeat(32_000)}`)
  assert.ok(!result.ok && result.message.startsWith('SubscribedTopicRegex `(aaa') && result.message.length < 1_200)
})

test('a scan goes on where its last turn ended, and each turn compiles a pattern or looks at a topic', () => {
  const scan = new TopicScan(['.*1', 't2'], ['t1', 't2', 't11'])
  assert.equal(scan.advance(1), false)
  assert.deepEqual([...scan.found.values()], [[], []])
  assert.equal(scan.advance(1), false)
  assert.deepEqual([...scan.found.values()], [['t1'], []])
  while (!scan.advance(1));
  assert.deepEqual([...scan.found.values()], [['t1', 't11'], ['t2']])
})

test('what is no pattern stands for nothing', () => {
  const scan = new TopicScan(['(', 't1'], ['t1'])
  assert.equal(scan.advance(), true)
  assert.deepEqual([...scan.found.values()], [[], ['t1']])
})

/** Turns of a scan over so many topics. */
function turnsOf(patterns: readonly string[], topics: number): number {
  const names = Array.from({ length: topics }, (_, index) => `orders-${index}`)
  const scan = new TopicScan(patterns, names)
  let turns = 1
  while (!scan.advance()) turns++
  return turns
}

test('a turn of an ordinary pattern is thousands of topics', () => {
  assert.equal(turnsOf(['orders-.*'], 1_000), 1)
})

test('a turn of a pattern that opens many ways is a few topics, however short it is', () => {
  assert.ok(turnsOf(['(.?){500}'], 100) >= 10)
  assert.ok(turnsOf([Array.from({ length: 900 }, (_, index) => `.*${index}`).join('|')], 100) >= 5)
})

test('many patterns take many turns, be it to compile them', () => {
  const long = Array.from({ length: 20 }, (_, index) => `${index}-${'x'.repeat(1_000)}`)
  assert.ok(turnsOf(long, 1) >= 20)
})

test('no topics and no patterns are found at once', () => {
  assert.equal(new TopicScan([], ['t']).advance(), true)
  assert.equal(new TopicScan(['t'], []).advance(), true)
})
