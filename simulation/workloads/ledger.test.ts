import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ledger, type Promised } from './ledger.ts'

const lost = { rule: 'no acknowledged record is lost' }

function records(from: number, values: readonly string[], leaderEpoch = 0) {
  return values.map((value, i) => ({ offset: from + i, value, leaderEpoch }))
}

function ledgerOf(promised: Promised) {
  const ledger = new Ledger('orders-0', promised)
  return {
    ledger,
    acknowledge: (baseOffset: number, ...values: string[]) =>
      ledger.noteAcknowledged({ baseOffset, values, leaderEpoch: 0 }),
    read: (from: number, ...values: string[]) => ledger.noteRead('reader', from, records(from, values)),
  }
}

test('what was acknowledged, and is read where it was said to be, is as promised', () => {
  const { ledger, acknowledge, read } = ledgerOf('idempotent')
  acknowledge(0, 'p/0', 'p/1')
  read(0, 'p/0', 'p/1', 'q/0')
  read(0, 'p/0', 'p/1')
  acknowledge(2, 'q/0')
  ledger.verify()
  assert.deepEqual([ledger.acknowledged, ledger.seen], [3, 3])
})

test('an acknowledged record that is not there at the end is lost', () => {
  const { ledger, acknowledge, read } = ledgerOf('all')
  read(0, 'p/0')
  acknowledge(1, 'p/1')
  assert.throws(() => ledger.verify(), lost)
})

test('an acknowledged record is lost when another is read in its place, whichever is known first', () => {
  const first = ledgerOf('all')
  first.acknowledge(0, 'p/0')
  assert.throws(() => first.read(0, 'q/0'), lost)
  const second = ledgerOf('all')
  second.read(0, 'q/0')
  assert.throws(() => second.acknowledge(0, 'p/0'), lost)
})

test('two acknowledged records at one offset: one of them is lost', () => {
  const { acknowledge } = ledgerOf('all')
  acknowledge(0, 'p/0')
  assert.throws(() => acknowledge(0, 'q/0'), lost)
})

test('two consumers that read differently break the rule', () => {
  const { ledger, read } = ledgerOf('one')
  read(0, 'p/0', 'p/1')
  assert.throws(() => read(1, 'p/2'), { rule: 'what consumers have read stays' })
  assert.throws(() => ledger.noteRead('reader', 0, records(0, ['p/0'], 1)), { rule: 'what consumers have read stays' })
})

test('a consumer that misses an offset breaks the rule', () => {
  const { ledger } = ledgerOf('zero')
  assert.throws(() => ledger.noteRead('reader', 0, records(1, ['p/0'])), { rule: 'consumers miss nothing' })
})

test('an idempotent producer is neither doubled nor reordered; a plain one may be', () => {
  assert.throws(() => ledgerOf('idempotent').read(0, 'p/0', 'p/0'), { rule: 'nothing idempotent is doubled' })
  assert.throws(() => ledgerOf('idempotent').read(0, 'p/1'), { rule: 'nothing idempotent is reordered or left out' })
  ledgerOf('all').read(0, 'p/1', 'p/0', 'p/0')
})

test('acks=0 is never doubled, for nobody sends it again', () => {
  assert.throws(() => ledgerOf('zero').read(0, 'p/0', 'p/0'), { rule: 'nothing is doubled' })
})

test('acks=1 may be lost with the leadership that acknowledged it, and with nothing else', () => {
  const kept = ledgerOf('one')
  kept.acknowledge(0, 'p/0')
  kept.ledger.noteRead('reader', 0, records(0, ['q/0'], 1))
  kept.ledger.verify()
  const lostInIt = ledgerOf('one')
  lostInIt.acknowledge(0, 'p/0')
  lostInIt.read(0, 'q/0')
  assert.throws(() => lostInIt.ledger.verify(), { rule: 'acks=1 is lost with its leadership only' })
  const older = ledgerOf('one')
  older.ledger.noteAcknowledged({ baseOffset: 0, values: ['p/0'], leaderEpoch: 4 })
  older.ledger.noteRead('reader', 0, records(0, ['q/0'], 3))
  older.ledger.endsIn(4)
  assert.throws(() => older.ledger.verify(), { rule: 'acks=1 is lost with its leadership only' })
  older.ledger.endsIn(5)
  older.ledger.verify()
  const ended = ledgerOf('one')
  ended.acknowledge(0, 'p/0')
  ended.ledger.endsIn(0)
  assert.throws(() => ended.ledger.verify(), { rule: 'acks=1 is lost with its leadership only' })
  ended.ledger.endsIn(1)
  ended.ledger.verify()
})
