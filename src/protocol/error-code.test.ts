import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ErrorCode, errorName, isRetriable } from './error-code.ts'

/** Kafka's table, a line each: code, name, and whether its client retries. */
const table = readFileSync(new URL('../../test/definitions/errors.tsv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split('\t'))
  .map(([code, name, retriable]) => ({ code: Number(code), name: name!, retriable: retriable === 'retriable' }))

test('the codes are those of Kafka 4.3.1, from -1 to 133', () => {
  assert.deepEqual(
    table.map(({ code }) => code),
    Array.from({ length: 135 }, (_, index) => index - 1),
  )
  assert.deepEqual(ErrorCode, Object.fromEntries(table.map(({ name, code }) => [name, code])))
})

test('the same codes are retriable as in the Java client', () => {
  for (const { code, name, retriable } of table) assert.equal(isRetriable(code), retriable, name)
})

test('a code has a name, known or not', () => {
  assert.equal(errorName(ErrorCode.UNKNOWN_SERVER_ERROR), 'UNKNOWN_SERVER_ERROR')
  assert.equal(errorName(16), 'NOT_COORDINATOR')
  assert.equal(errorName(999), 'ERROR_999')
  assert.equal(isRetriable(999), false)
})
