// Records what the broker at ODRADEK_TEST_BOOTSTRAP answers: `node test/differential/record.ts [SCENARIO ...]` against Apache Kafka
// (scripts/kafka/start), with its settings as they come, renews apache-kafka-4.3.1.json; where scenarios are named, only what is
// recorded of those. All of them together want a broker that is new. See differential.test.ts.

import { scenarios } from './scenarios/index.ts'
import { Dialogue } from './dialogue.ts'
import { type Recording, readRecording, writeRecording } from './recording.ts'

const bootstrap = process.env['ODRADEK_TEST_BOOTSTRAP']
if (bootstrap === undefined) throw new Error('ODRADEK_TEST_BOOTSTRAP=host:port says which broker to record')
const named = new Set(process.argv.slice(2))
for (const name of named) if (scenarios[name] === undefined) throw new Error(`there is no scenario '${name}'`)
const before: Recording = named.size === 0 ? new Map() : readRecording()
const all = new Map<string, NonNullable<ReturnType<Recording['get']>>>()
for (const [name, scenario] of Object.entries(scenarios)) {
  if (named.size > 0 && !named.has(name)) {
    for (const [step, answers] of before) if (step.startsWith(`${name}: `)) all.set(step, answers)
    continue
  }
  const dialogue = new Dialogue(bootstrap)
  await scenario(dialogue).finally(() => dialogue.end())
  for (const [step, answers] of dialogue.notes) all.set(`${name}: ${step}`, answers)
}
writeRecording(all)
