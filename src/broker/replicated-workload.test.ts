// Replicating brokers under random faults. A failing seed is printed with its story and the command that replays it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReplicatedWorkload } from './replicated-workload.sim.ts'

const firstSeed = Number(process.env['ODRADEK_SEED'] ?? 1)
const runs = Number(process.env['ODRADEK_RUNS'] ?? 40)

async function run(seed: number): Promise<string> {
  const workload = await ReplicatedWorkload.start(seed)
  try {
    for (let i = 0; i < 60; i++) await workload.step()
    await workload.settle()
  } catch (error) {
    const command = `ODRADEK_SEED=${seed} ODRADEK_RUNS=1 node --test src/broker/replicated-workload.test.ts`
    throw new Error(`seed ${seed}, again with: ${command}\n${workload.story}`, { cause: error })
  }
  return workload.story
}

test('whatever fails, nothing acknowledged is lost, nothing seen changes, and all settles in the end', async () => {
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) await run(seed)
})

test('a run is repeatable', async () => {
  assert.equal(await run(3), await run(3))
})
