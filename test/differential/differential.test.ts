// Odradek's answers beside Apache Kafka's. The scenarios ask for every served API in every version, well and badly; what Kafka
// 4.3.1 answered is in apache-kafka-4.3.1.json, renewed by record.ts. Ids, times and messages are normalized away (normalize.ts);
// what else differs is listed with its reason in accepted.ts, and nothing may be listed there that does not differ.
//
// With ODRADEK_TEST_BOOTSTRAP=host:port the same questions go to whatever listens there: Kafka itself must agree with its recording.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { onlyOdradek, startTarget, type Target } from '../support/target.ts'
import { accepted } from './accepted.ts'
import { Dialogue } from './dialogue.ts'
import { type Difference, differencesOf } from './differences.ts'
import { readRecording } from './recording.ts'
import { scenarios } from './scenarios/index.ts'

const recording = readRecording()
const used = new Set<(typeof accepted)[number]>()
let target: Target

before(async () => {
  target = await startTarget({ 'node.id': '1' })
})
after(() => target.stop())

for (const [name, scenario] of Object.entries(scenarios)) {
  test(`${name}: every answer is Kafka's`, async () => {
    const dialogue = new Dialogue(target.bootstrap)
    await scenario(dialogue).finally(() => dialogue.end())
    const differences: Difference[] = []
    for (const [step, expected] of recording) {
      if (!step.startsWith(`${name}: `)) continue
      const answers = dialogue.notes.get(step.slice(name.length + 2))
      for (const [version, answer] of expected) {
        differences.push(...differencesOf({ step, version }, answer, answers?.get(version)))
      }
    }
    for (const step of dialogue.notes.keys()) assert.ok(recording.has(`${name}: ${step}`), `not recorded: ${step}`)
    assert.deepEqual(
      differences.filter((difference) => !isAccepted(difference)),
      [],
    )
  })
}

test('every accepted difference is one', { skip: onlyOdradek }, () => {
  assert.deepEqual(
    accepted.filter((one) => !used.has(one)),
    [],
  )
})

function isAccepted({ step, version, path, kafka, odradek }: Difference): boolean {
  if (onlyOdradek !== false) return false
  const match = accepted.find(
    (one) =>
      one.step.test(step) &&
      (one.versions === undefined || (version >= one.versions[0] && version <= one.versions[1])) &&
      (one.path === undefined || one.path.test(path)) &&
      (!('kafka' in one) || JSON.stringify(one.kafka) === JSON.stringify(kafka)) &&
      (!('odradek' in one) || JSON.stringify(one.odradek) === JSON.stringify(odradek)),
  )
  if (match !== undefined) used.add(match)
  return match !== undefined
}
