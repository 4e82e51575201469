// Groups of real clients, short: for each client what `npm run groups` plays at length, with more assignors and more that befalls them.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clients } from './groups/clients.ts'
import { lineOf } from './groups/report.ts'
import { played } from './groups/scene.ts'
import { scenarios } from './groups/scenarios.ts'
import { onlyOdradek } from './support/target.ts'

/** The least that a broker allows by default, where a session has to run out; longer where none may. */
const sessionMs = { short: 6000, long: 12_000 }

const cases: readonly {
  readonly scenario: string
  readonly sessionTimeoutMs: number
  readonly clients: readonly string[]
  readonly title: (client: string) => string
}[] = [
  {
    scenario: 'everything',
    sessionTimeoutMs: sessionMs.short,
    clients: [
      'kafkajs/range',
      'platformatic/round-robin',
      'platformatic/consumer-uniform',
      'librdkafka/cooperative-sticky',
      'librdkafka/consumer-range',
      'java/cooperative-sticky',
      'java/consumer-uniform',
      'franz-go/cooperative-sticky',
      'franz-go/consumer-uniform',
    ],
    title: (client) => `a group of ${client} reads everything while members and the broker come, go and are killed`,
  },
  {
    scenario: 'static-restarted',
    sessionTimeoutMs: sessionMs.long,
    clients: ['java/range', 'librdkafka/consumer-uniform'],
    title: (client) => `a static member of ${client} comes back in time, and the others notice nothing`,
  },
  {
    scenario: 'coordinator-killed',
    sessionTimeoutMs: sessionMs.long,
    clients: ['franz-go/range', 'librdkafka/consumer-uniform'],
    title: (client) => `a group of ${client} goes on when one of three brokers, its coordinator, is killed`,
  },
]

for (const { scenario: name, sessionTimeoutMs, clients: names, title } of cases) {
  const scenario = scenarios.find((one) => one.name === name)!
  for (const clientName of names) {
    const client = clients.find((one) => one.name === clientName)!
    test(title(clientName), { skip: onlyOdradek || client.missing(), timeout: 600_000 }, async (t) => {
      const began = performance.now()
      const outcome = await played({ client, server: scenario.server, sessionTimeoutMs }, scenario)
      t.diagnostic(lineOf({ client: clientName, scenario: name, tookMs: performance.now() - began, outcome }))
      assert.equal(outcome.problem, null)
    })
  }
}
