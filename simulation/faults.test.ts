import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runSeed } from './run.ts'
import type { Fault, Schedule } from './schedule.ts'

function scheduleOf(...faults: readonly (readonly [atMs: number, untilMs: number, fault: Fault])[]): Schedule {
  const items = faults.map(([atMs, untilMs, fault]) => ({ atMs, untilMs, fault }))
  return { durationMs: Math.max(...items.map(({ untilMs }) => untilMs)) + 1000, items }
}

/** What is said of broker 1 and by the schedule. */
async function lines(schedule: Schedule): Promise<string[]> {
  const { trace, violation } = await runSeed({ seed: 1, schedule })
  assert.equal(violation, null)
  return trace.lines.map((line) => line.replace(/^\d+ [\d.]+ /, ''))
}

const cases: readonly { fault: Fault; shows: RegExp }[] = [
  { fault: { kind: 'crash', machine: 1 }, shows: /^broker-1: the power fails/ },
  { fault: { kind: 'kill', machine: 1 }, shows: /^broker-1: killed/ },
  { fault: { kind: 'stop', machine: 1 }, shows: /^broker-1: has stopped/ },
  { fault: { kind: 'freeze', machine: 1, thaw: 'ioFirst' }, shows: /^etcd: live\/1 is gone/ },
  { fault: { kind: 'slowBroker', machine: 1, everyMs: 100, forMs: 50 }, shows: /^broker-1: thaws/ },
  { fault: { kind: 'etcdCut', machine: 1 }, shows: /^etcd: live\/1 is gone/ },
  { fault: { kind: 'leaseLost', machine: 1 }, shows: /^broker-1: warn this broker is fenced/ },
  { fault: { kind: 'emptyDisk', machine: 1 }, shows: /^broker-1: starts, life 2/ },
  { fault: { kind: 'oldDisk', machine: 1 }, shows: /^broker-1: starts, life 2/ },
  { fault: { kind: 'diskFails', machine: 1, operation: 'write', times: 1 }, shows: /^broker-1: starts, life 2/ },
]
for (const { fault, shows } of cases) {
  test(`${fault.kind} shows, and is over at its end`, async () => {
    const said = await lines(scheduleOf([1000, 9000, fault]))
    assert.ok(
      said.some((line) => shows.test(line)),
      said.join('\n'),
    )
  })
}

test('without two members of etcd nobody has a lease for long, and all come back', async () => {
  const said = await lines(
    scheduleOf([1000, 12_000, { kind: 'etcdFreeze', member: 1 }], [1000, 12_000, { kind: 'etcdKill', member: 2 }]),
  )
  assert.ok(said.at(-1)!.startsWith('run: all rules held'))
})

test('a disk is not lost while another machine is away', async () => {
  const said = await lines(
    scheduleOf([1000, 9000, { kind: 'crash', machine: 2 }], [4000, 5000, { kind: 'emptyDisk', machine: 1 }]),
  )
  assert.ok(said.some((line) => line.startsWith('schedule: broker-1 keeps its disk')))
  assert.ok(!said.some((line) => line.startsWith('broker-1: starts, life 2')))
})

test('a link is whole again when the last of its cuts ends', async () => {
  const cut = (from: number, to: number) => ({ kind: 'cut', from, to, ways: 'both' }) as const
  const said = await lines(scheduleOf([1000, 3000, cut(1, 2)], [2000, 6000, cut(2, 1)], [2500, 4000, cut(1, 0)]))
  assert.ok(said.at(-1)!.startsWith('run: all rules held'))
})
