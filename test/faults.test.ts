// Real processes under real faults, short: a round of what `npm run faults` does ten rounds of, with more kinds and more clients.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { faults } from './faults/faults.ts'
import { lineOf } from './faults/report.ts'
import { session } from './faults/session.ts'
import { onlyOdradek } from './support/target.ts'
import { withoutEtcd, withoutKafkaTools } from './support/tools.ts'

const names = ['kill-leader', 'cut-from-etcd', 'kill-all', 'rolling-restart']

test(
  'three brokers on etcd lose, double and reorder nothing, whatever is killed or cut off',
  { skip: onlyOdradek || withoutEtcd() || withoutKafkaTools(), timeout: 600_000 },
  async (t) => {
    const problems: string[] = []
    let well = 0
    await session({
      faults: faults.filter(({ name }) => names.includes(name)),
      rounds: 1,
      small: true,
      onRound: (report) => {
        t.diagnostic(lineOf(report))
        if (report.problem === null) well += 1
        else problems.push(`${report.fault}: ${report.problem}`)
      },
    })
    assert.deepEqual(problems, [])
    assert.equal(well, names.length)
  },
)
