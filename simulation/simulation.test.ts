import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { runSeed } from './run.ts'
import { invariants, workloads } from './suite.ts'

const seedOfTwins = 4
const seeds = [1, 3, 4]

const run = (seed: number) => runSeed({ seed, invariants, workloads: (world) => workloads(world) })

test('the same seed gives the same trace to the byte, in this process and in another', async () => {
  const here = await run(seedOfTwins)
  const again = await run(seedOfTwins)
  assert.equal(again.trace.digest(), here.trace.digest())
  const main = fileURLToPath(new URL('./main.ts', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [main, '--seed', String(seedOfTwins), '--digest'])
  assert.ok(stdout.includes(here.trace.digest()), stdout)
})

for (const seed of seeds) {
  test(`no rule is broken whatever befalls three brokers, seed ${seed}`, async () => {
    const { violation, trace } = await run(seed)
    assert.equal(violation, null, trace.lines.slice(-20).join('\n'))
  })
}
