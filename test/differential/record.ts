// Records what the broker at ODRADEK_TEST_BOOTSTRAP answers: `node test/differential/record.ts` against Apache Kafka (scripts/kafka/start),
// new and with its settings as they come, renews apache-kafka-4.3.1.json. See differential.test.ts.

import { scenarios } from './scenarios/index.ts'
import { type Notes, Dialogue } from './dialogue.ts'
import { writeRecording } from './recording.ts'

const bootstrap = process.env['ODRADEK_TEST_BOOTSTRAP']
if (bootstrap === undefined) throw new Error('ODRADEK_TEST_BOOTSTRAP=host:port says which broker to record')
const all: Notes = new Map()
for (const [name, scenario] of Object.entries(scenarios)) {
  const dialogue = new Dialogue(bootstrap)
  await scenario(dialogue).finally(() => dialogue.end())
  for (const [step, answers] of dialogue.notes) all.set(`${name}: ${step}`, answers)
}
writeRecording(all)
