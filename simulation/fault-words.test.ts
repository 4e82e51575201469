import assert from 'node:assert/strict'
import { test } from 'node:test'
import { happeningOfFault } from './fault-words.ts'
import type { ScheduledFault } from './schedule.ts'

const cases: { item: ScheduledFault; told: string }[] = [
  {
    item: { atMs: 1000, untilMs: 1500, fault: { kind: 'crash', machine: 2 } },
    told: '11 broker-2: the power fails, for 0.500 s',
  },
  {
    item: { atMs: 1000, untilMs: 4000, fault: { kind: 'oldDisk', machine: 1 } },
    told: '14 broker-1: the power fails, and it comes back with an old copy of its disk, as it was at 11.000',
  },
  {
    item: { atMs: 0, untilMs: 250, fault: { kind: 'cut', from: 1, to: 0, ways: 'back' } },
    told: '10 broker-1: nothing passes from the clients, for 0.250 s',
  },
  {
    item: { atMs: 0, untilMs: 900, fault: { kind: 'leaseLost', machine: 3 } },
    told: '10 broker-3: etcd ends its lease',
  },
  {
    item: { atMs: 0, untilMs: 1000, fault: { kind: 'etcdKill', member: 3 } },
    told: '10 etcd: member 3 is killed, for 1.000 s',
  },
]

for (const { item, told } of cases) {
  test(`the fault ${item.fault.kind} is told in words`, () => {
    const { atMs, who, what } = happeningOfFault(item, 10_000)
    assert.equal(`${atMs / 1000} ${who}: ${what}`, told)
  })
}
