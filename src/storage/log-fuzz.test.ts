// Logs under random operations, crashes and faults. A failing seed is printed with the command that replays it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runSteps, scenarios } from './log-scenarios.sim.ts'
import { Workload, World } from './log-workload.sim.ts'

const firstSeed = Number(process.env['ODRADEK_SEED'] ?? 1)
const runs = process.env['ODRADEK_RUNS'] === undefined ? null : Number(process.env['ODRADEK_RUNS'])

for (const { title, seeds, run } of scenarios) {
  test(title, async () => {
    for (let seed = firstSeed; seed < firstSeed + (runs ?? seeds); seed++) {
      try {
        await run(new World(seed))
      } catch (error) {
        const command = `node --test --test-name-pattern='${title}' src/storage/log-fuzz.test.ts`
        throw new Error(`seed ${seed}, again with: ODRADEK_SEED=${seed} ODRADEK_RUNS=1 ${command}`, { cause: error })
      }
    }
  })
}

test('a run is repeatable', async () => {
  const operations = []
  for (let i = 0; i < 2; i++) {
    const world = new World(7)
    const workload = await Workload.open(world)
    await runSteps(world, workload, 60)
    await workload.close()
    operations.push(world.disk.operations)
  }
  assert.equal(operations[0], operations[1])
})
