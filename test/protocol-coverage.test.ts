import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { protocolCoverage } from './support/protocol-coverage.ts'

test('docs/protocol-coverage.md says what the API table says', () => {
  const page = readFileSync(join(import.meta.dirname, '../docs/protocol-coverage.md'), 'utf8')
  assert.equal(page, protocolCoverage(), 'stale: run node scripts/protocol-coverage.ts')
})
