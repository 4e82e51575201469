// The soak, short: what `npm run soak` does for ten minutes, for as long as a test may take.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { soak } from './soak/soak.ts'
import { onlyOdradek } from './support/target.ts'

test(
  'under retention, compaction, a disk budget and kill -9, clients lose nothing',
  { skip: onlyOdradek, timeout: 180_000 },
  async (t) => {
    const { kills, records } = await soak({ seconds: 25, killEverySeconds: 6, say: (line) => t.diagnostic(line) })
    assert.ok(kills >= 2, `${kills} kills`)
    assert.ok(
      Object.values(records).every((count) => count > 500),
      JSON.stringify(records),
    )
  },
)
