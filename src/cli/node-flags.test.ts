import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { nodeFlags } from './node-flags.ts'

test('the command is started with the flags that brokers are', () => {
  const [first] = readFileSync(join(import.meta.dirname, 'main.ts'), 'utf8').split('\n', 1)
  assert.equal(first, `#!/usr/bin/env -S node ${nodeFlags.join(' ')}`)
})
