// npm run groups -- [--clients NAME,NAME] [--scenarios NAME,NAME] [--rounds N] [--against odradek|kafka] [--keep]
// Groups of real clients: a line for each scenario, and a table in the end. The beginning of a name stands for all that begin so.
// --keep leaves logs and data where they are, also of what went well. Exit status 1 when something went wrong.

import { parseArgs } from 'node:util'
import { clients } from './clients.ts'
import { lineOf, type Row, tableOf } from './report.ts'
import { played } from './scene.ts'
import { scenarios } from './scenarios.ts'

/** Longer than the least a broker allows: a crowded machine stands still for seconds. */
const sessionTimeoutMs = 10_000

const values = parsed()
const chosenClients = chosen('client', clients, values.clients)
const chosenScenarios = chosen('scenario', scenarios, values.scenarios)
// Whoever ends this ends the brokers and members with it.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
const rows: Row[] = []
for (let round = 0; round < Number(values.rounds); round++) {
  for (const client of chosenClients) {
    for (const scenario of chosenScenarios) {
      const row = { client: client.name, scenario: scenario.name }
      const because = client.missing() || scenario.notFor(client) || notAgainstKafka(scenario.server)
      const began = performance.now()
      const server = values.against === 'kafka' ? 'kafka' : scenario.server
      const outcome = because || (await played({ client, server, sessionTimeoutMs, keep: values.keep }, scenario))
      rows.push({ ...row, tookMs: performance.now() - began, outcome })
      console.log(lineOf(rows.at(-1)!))
    }
  }
}
console.log(`\n${tableOf(rows)}`)
const wrong = rows.some(({ outcome }) => typeof outcome !== 'string' && outcome.problem !== null)
process.exit(wrong ? 1 : 0)

function notAgainstKafka(server: string): string | false {
  return (
    values.against === 'kafka' && server === 'cluster' && 'one broker of Apache Kafka is what there is to compare with'
  )
}

function chosen<T extends { readonly name: string }>(what: string, all: readonly T[], names?: string): readonly T[] {
  if (names === undefined) return all
  return names.split(',').flatMap((name) => {
    const found = all.filter((one) => one.name.startsWith(name))
    if (found.length > 0) return found
    console.error(`there is no ${what} ${name}; there are ${all.map((one) => one.name).join(', ')}`)
    return process.exit(2)
  })
}

function parsed() {
  try {
    return parseArgs({
      options: {
        clients: { type: 'string' },
        scenarios: { type: 'string' },
        rounds: { type: 'string', default: '1' },
        against: { type: 'string', default: 'odradek' },
        keep: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    console.error(
      'npm run groups -- [--clients NAME,NAME] [--scenarios NAME,NAME] [--rounds N] [--against odradek|kafka] [--keep]',
    )
    process.exit(2)
  }
}
