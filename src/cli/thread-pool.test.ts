import assert from 'node:assert/strict'
import { test } from 'node:test'
import { widenThreadPool } from './thread-pool.ts'

test('there are sixteen threads for files, unless the user says how many', () => {
  const environment: NodeJS.ProcessEnv = {}
  widenThreadPool(environment)
  assert.equal(environment['UV_THREADPOOL_SIZE'], '16')
  const given: NodeJS.ProcessEnv = { UV_THREADPOOL_SIZE: '2' }
  widenThreadPool(given)
  assert.equal(given['UV_THREADPOOL_SIZE'], '2')
})
