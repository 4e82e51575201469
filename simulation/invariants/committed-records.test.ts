import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BatchSight, CommittedRecords, type LogsOnDisks } from './committed-records.ts'
import { sight } from './sights.sim.ts'

/** Disks whose logs a test writes down. */
class WrittenLogs implements LogsOnDisks {
  readonly logs = new Map<number, { batches: BatchSight[]; durable: number; found: number }>()

  constructor(...machines: number[]) {
    for (const machine of machines) this.logs.set(machine, { batches: [], durable: 0, found: 1 })
  }

  /** One record each; `crc` by default the same for all machines. */
  append(machine: number, { leaderEpoch = 0, crc = 1 } = {}): void {
    const { batches } = this.logs.get(machine)!
    const baseOffset = batches.length
    batches.push({ baseOffset, nextOffset: baseOffset + 1, leaderEpoch, crc })
  }

  batches(machine: number, _: string, from: number, to: number) {
    return this.logs.get(machine)!.batches.slice(from, to)
  }

  durableTo(machine: number, _: string, from: number, to: number): number {
    return Math.max(from, Math.min(to, this.logs.get(machine)!.durable))
  }

  disks() {
    return [...this.logs].map(([machine, { found }]) => ({ machine, found }))
  }
}

function setUp({ isr = [1, 2] } = {}) {
  const logs = new WrittenLogs(1, 2, 3)
  const members = { isr }
  const rule = new CommittedRecords(logs, () => members.isr)
  const commits = (machine: number, to: number, from = 0) => {
    const before = from === 0 ? null : sight({ machine, highWatermark: from })
    rule.replicaChanged(sight({ machine, highWatermark: to, logEndOffset: to }), before)
  }
  return { logs, members, rule, commits }
}

test('batches that are the same everywhere, on enough disks, keep the rules', () => {
  const { logs, rule, commits } = setUp()
  for (const machine of [1, 2]) {
    logs.append(machine)
    logs.append(machine)
    logs.logs.get(machine)!.durable = 2
  }
  commits(1, 1)
  commits(1, 2, 1)
  commits(2, 2)
  assert.equal(rule.endOf('id', 'orders-0'), 2)
})

for (const { what, other } of [
  { what: 'other bytes', other: { crc: 2 } },
  { what: 'another epoch', other: { leaderEpoch: 1 } },
]) {
  test(`a replica with ${what} below its high watermark breaks the rule`, () => {
    const { logs, commits } = setUp({ isr: [1] })
    for (const machine of [1, 3]) {
      logs.append(machine)
      logs.logs.get(machine)!.durable = 1
    }
    logs.append(2, other)
    commits(1, 1)
    assert.throws(() => commits(2, 1), { rule: 'logs agree below the high watermark' })
  })
}

test('a high watermark above what the disk shows breaks the rule', () => {
  const { commits } = setUp()
  assert.throws(() => commits(1, 1), { rule: 'what is committed is kept' })
})

test('a high watermark above what enough disks would keep in a crash breaks the rule', () => {
  const { logs, commits } = setUp({ isr: [1] })
  for (const machine of [1, 2, 3]) logs.append(machine)
  logs.logs.get(1)!.durable = 1
  assert.throws(() => commits(1, 1), { rule: 'what is committed is on enough disks' })
})

test('a member of the ISR that has not all on its disk breaks the rule, when it is committed or when the member joins', () => {
  const { logs, members, rule, commits } = setUp({ isr: [1, 2, 3] })
  for (const machine of [1, 2]) {
    logs.append(machine)
    logs.logs.get(machine)!.durable = 1
  }
  const broken = { rule: 'who is in the ISR has all that is committed' }
  assert.throws(() => commits(1, 1), broken)
  members.isr = [1, 2]
  rule.isrChanged('id', 'orders-0')
  members.isr = [1, 2, 3]
  assert.throws(() => rule.isrChanged('id', 'orders-0'), broken)
})

test('what a disk is found without after a crash is noticed, although it was there before', () => {
  const { logs, rule, commits } = setUp()
  for (const machine of [1, 2]) {
    logs.append(machine)
    logs.logs.get(machine)!.durable = 1
  }
  commits(1, 1)
  Object.assign(logs.logs.get(2)!, { durable: 0, found: 2 })
  assert.throws(() => rule.isrChanged('id', 'orders-0'), { rule: 'who is in the ISR has all that is committed' })
})

test('a broker may have committed records before it was seen to lead', () => {
  const { logs, rule, commits } = setUp({ isr: [1] })
  for (const machine of [1, 2]) {
    logs.append(machine)
    logs.append(machine)
    logs.logs.get(machine)!.durable = 2
  }
  commits(1, 1)
  const idle = sight({ machine: 1, life: 2, state: 'idle', highWatermark: 2 })
  rule.replicaChanged(idle, null)
  rule.replicaChanged(sight({ machine: 1, life: 2, highWatermark: 2 }), idle)
  assert.equal(rule.endOf('id', 'orders-0'), 2)
})

test('a compacted log keeps records, not bytes: nothing is compared', () => {
  const { rule } = setUp()
  rule.replicaChanged(sight({ keepsBytes: false, highWatermark: 3, logEndOffset: 3 }), null)
  assert.equal(rule.endOf('id', 'orders-0'), 0)
})
