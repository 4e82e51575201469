import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Workload, World } from '../contracts.ts'
import { runSeed } from '../run.ts'
import { type GroupProtocol, GroupSettling } from './group-settling.ts'

const schedule = { durationMs: 6000, items: [] }

function run(protocol: GroupProtocol) {
  const workloads = (world: World): Workload[] => {
    const sizes = { members: 5, partitions: 3, partitionsMax: 5, calmMsMax: 4000 }
    return [new GroupSettling({ world, group: 'g', protocol, ...sizes })]
  }
  return runSeed({ seed: 3, schedule, workloads })
}

for (const protocol of ['eager', 'cooperative', 'consumer', 'mixed'] as const) {
  test(`members of a group (${protocol}) come and go, and it settles`, async () => {
    const { violation, trace } = await run(protocol)
    assert.equal(violation, null, violation?.message)
    const said = trace.lines.filter((line) => line.includes('settled in')).join('\n')
    assert.match(said, /[1-9]\d* handovers, [1-9]\d* commits/)
    assert.match(trace.lines.join('\n'), /g-\d-1: (is killed|loses power|leaves|freezes)/)
  })
}

test('what becomes of a group is the same each time, to the byte', async () => {
  const [one, other] = [await run('mixed'), await run('mixed')]
  assert.equal(one.trace.digest(), other.trace.digest())
})
