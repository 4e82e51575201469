import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hunt } from './hunt.ts'

// Those that show in the first moments of any run; all of them: `npm run simulate:mutations`.
const soonFound = ['ack-before-fsync', 'follower-acks-before-fsync', 'high-watermark-by-majority']

for (const mutation of soonFound) {
  test(`the simulator sees the mistake ${mutation}`, async () => {
    const found = await hunt({ mutation, firstSeed: 3, seedsMax: 2 })
    assert.equal(found.kind, 'found', JSON.stringify(found))
  })
}

test('a mistake that cannot be planted is no find', async () => {
  const found = await hunt({ mutation: 'no such mistake', firstSeed: 3, seedsMax: 1 })
  assert.equal(found.kind, 'broken')
})
