import assert from 'node:assert/strict'
import test from 'node:test'

import { javaHashCode, javaHashPartition } from './java-hash.ts'

const known = [
  { text: '', hash: 0, of50: 0 },
  { text: 'test-group', hash: 627841412, of50: 12 },
  { text: 'my-group', hash: -1906497762, of50: 12 },
  { text: 'console-consumer-1', hash: 35782224, of50: 24 },
  { text: 'polygenelubricants', hash: -2147483648, of50: 0 },
  { text: 'é', hash: 233, of50: 33 },
  { text: '😀', hash: 1772899, of50: 49 },
]
for (const { text, hash, of50 } of known) {
  test(`'${text}' hashes as in Java and goes to partition ${of50} of 50`, () => {
    assert.equal(javaHashCode(text), hash)
    assert.equal(javaHashPartition(text, 50), of50)
  })
}
