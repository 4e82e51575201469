import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonLines, type JsonLinesOptions } from './json-lines.ts'

function recorded(options: Partial<JsonLinesOptions> = {}) {
  const lines: string[] = []
  const now = () => Date.UTC(2026, 6, 24, 9, 12)
  const logger = jsonLines({ level: 'debug', now, write: (line) => lines.push(line), ...options })
  return { lines, logger, last: () => JSON.parse(lines.at(-1)!) as Record<string, unknown> }
}

test('a line is one JSON object: level, time, what goes with every line, the fields, the message', () => {
  const { lines, logger } = recorded({ base: { broker: 3 } })
  logger.warn({ folder: '/data', offset: 12n }, 'it says "no"\n')
  assert.deepEqual(lines, [
    '{"level":40,"time":"2026-07-24T09:12:00.000Z","broker":3,"folder":"/data","offset":"12","msg":"it says \\"no\\"\\n"}\n',
  ])
})

test('what is below the level is not said', () => {
  const cases = { debug: 4, info: 3, warn: 2, error: 1, silent: 0 } as const
  for (const [level, said] of Object.entries(cases)) {
    const { lines, logger } = recorded({ level: level as keyof typeof cases })
    for (const name of ['debug', 'info', 'warn', 'error'] as const) logger[name]({}, name)
    assert.equal(lines.length, said, level)
  }
})

test('an error is told with its fields and its causes, wherever it stands', () => {
  const { logger, last } = recorded()
  const root = Object.assign(new RangeError('too far'), { code: 'EIO' })
  const error = new Error('not read', { cause: root })
  logger.error({ err: error, more: [root] }, 'failed')
  const { err, more } = last() as { err: Record<string, string>; more: Record<string, string>[] }
  assert.equal(err['type'], 'Error')
  assert.equal(err['message'], 'not read: too far')
  assert.match(err['stack']!, /^Error: not read\n[^]*\ncaused by: RangeError: too far\n/)
  assert.equal(more[0]!['type'], 'RangeError')
  assert.equal(more[0]!['code'], 'EIO')
})

test('several errors in one are told each', () => {
  const { logger, last } = recorded()
  logger.error({ err: new AggregateError([new Error('first'), new Error('second')], 'both') }, 'failed')
  const { err } = last() as { err: { aggregateErrors: { message: string }[] } }
  assert.deepEqual(
    err.aggregateErrors.map(({ message }) => message),
    ['first', 'second'],
  )
})

test('a circle of causes has an end, and fields that are no JSON do not cost the line', () => {
  const { logger, last } = recorded()
  const first = new Error('first')
  first.cause = new Error('second', { cause: first })
  logger.error({ err: first }, 'failed')
  assert.equal((last()['err'] as { message: string }).message, 'first: second')
  const circle: { self?: object } = {}
  circle.self = circle
  logger.info({ circle }, 'said all the same')
  assert.equal(last()['msg'], 'said all the same')
  assert.match(String(last()['fieldsLost']), /circular/)
})
