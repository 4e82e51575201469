import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownApis } from '../protocol/apis/index.ts'
import { apiTable } from './api-table.ts'
import { advertised } from './served-api.ts'

test('our own APIs are served, and not advertised', () => {
  const named = new Set(advertised([...apiTable.values()]).map(({ apiKey }) => apiKey))
  assert.equal(named.size, apiTable.size - ownApis.length)
  for (const { key, versions } of ownApis) {
    assert.deepEqual(apiTable.get(key)?.versions, versions)
    assert.ok(!named.has(key))
  }
})
