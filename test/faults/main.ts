// npm run faults -- [--rounds 10] [--only NAME,NAME] [--small] [--kafka-defaults]: real processes under real faults, a line for each
// round, and a table in the end. Exit status 1 when a round went wrong.

import { parseArgs } from 'node:util'
import { withoutEtcd } from '../support/tools.ts'
import { faults } from './faults.ts'
import { missingPeers, type RoundReport, session } from './session.ts'
import { lineOf, tableOf } from './report.ts'

const values = parsed()
const names = values.only?.split(',')
const unknown = names?.filter((name) => !faults.some((fault) => fault.name === name)) ?? []
const withoutEtcdBecause = withoutEtcd()
if (unknown.length > 0 || withoutEtcdBecause !== false) {
  const known = faults.map(({ name }) => name).join(', ')
  console.error(unknown.length > 0 ? `there is no ${unknown.join()}; there are ${known}` : withoutEtcdBecause)
  process.exit(2)
}
// Whoever ends this ends the brokers and clients with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
for (const missing of missingPeers()) console.log(`without ${missing}`)
const reports: RoundReport[] = []
for (const fault of faults) {
  if (names !== undefined && !names.includes(fault.name)) continue
  await session({
    faults: [fault],
    rounds: Number(values.rounds),
    small: values.small,
    kafkaDefaults: values['kafka-defaults'],
    onRound: (report) => {
      reports.push(report)
      console.log(lineOf(report))
    },
  })
}
console.log(`\n${tableOf(reports)}`)
process.exit(reports.some(({ problem }) => problem !== null) ? 1 : 0)

function parsed() {
  try {
    return parseArgs({
      options: {
        rounds: { type: 'string', default: '10' },
        only: { type: 'string' },
        small: { type: 'boolean', default: false },
        'kafka-defaults': { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    console.error('npm run faults -- [--rounds N] [--only NAME,NAME] [--small] [--kafka-defaults]')
    process.exit(2)
  }
}
