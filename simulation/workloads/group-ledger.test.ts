import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GroupLedger } from './group-ledger.ts'

function resume(ledger: GroupLedger, committed: number): void {
  ledger.resumes(0, committed, ledger.asking(0))
}

test('one partition belongs to one member in each generation', () => {
  const ledger = new GroupLedger('g')
  ledger.assigned('one', 1, [0, 1])
  ledger.assigned('other', 1, [2])
  ledger.assigned('one', 1, [0, 1])
  ledger.assigned('other', 2, [0, 1, 2])
  assert.throws(() => ledger.assigned('one', 2, [1]), { rule: 'a partition has one owner in a generation' })
})

test('a committed offset that was confirmed is not taken back', () => {
  const ledger = new GroupLedger('g')
  resume(ledger, -1)
  ledger.read(0, 0, 10)
  ledger.commits(0, 8)('committed')
  resume(ledger, 8)
  assert.throws(() => resume(ledger, 7), { rule: 'committed offsets are kept' })
  assert.throws(() => resume(ledger, -1), { rule: 'committed offsets are kept' })
})

test('a commit that was never answered may come into force late, one that was refused may not', () => {
  const ledger = new GroupLedger('g')
  ledger.read(0, 0, 10)
  ledger.commits(0, 5)('unknown')
  ledger.commits(0, 6)('refused')
  ledger.commits(0, 8)('committed')
  resume(ledger, 5)
  assert.throws(() => resume(ledger, 6), { rule: 'committed offsets are kept' })
})

test('a commit confirmed while the offsets were on their way need not be among them', () => {
  const ledger = new GroupLedger('g')
  ledger.read(0, 0, 10)
  const asked = ledger.asking(0)
  ledger.commits(0, 8)('committed')
  ledger.resumes(0, -1, asked)
})

test('a group that leaves records out, or is told of a commit that nobody made, breaks the rule', () => {
  const ledger = new GroupLedger('g')
  ledger.read(0, 0, 4)
  ledger.read(0, 2, 6)
  assert.throws(() => ledger.read(0, 7, 9), { rule: 'a group leaves nothing out' })
  assert.throws(() => resume(ledger, 7), { rule: 'committed offsets are those that were committed' })
})
