import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommitHistory } from './commit-history.ts'

const broken = { rule: 'committed offsets go back only when a client says so' }

function tell(history: CommitHistory, offset: number): void {
  history.told('t-0', offset, history.asking('t-0'))
}

test('a group is told what it committed last', () => {
  const history = new CommitHistory('g')
  tell(history, -1)
  history.commits('one', 't-0', 5)('committed')
  tell(history, 5)
  assert.throws(() => tell(history, 4), broken)
  assert.throws(() => tell(history, 6), broken)
  assert.throws(() => tell(history, -1), broken)
})

test('a commit whose fate is unknown may be in force, one that was refused may not', () => {
  const history = new CommitHistory('g')
  history.commits('one', 't-0', 5)('unknown')
  history.commits('one', 't-0', 6)('refused')
  tell(history, -1)
  tell(history, 5)
  assert.throws(() => tell(history, 6), broken)
})

test('a late commit of an earlier owner changes nothing', () => {
  const history = new CommitHistory('g')
  history.commits('one', 't-0', 5)('unknown')
  history.commits('other', 't-0', 8)('committed')
  tell(history, 8)
  assert.throws(() => tell(history, 5), broken)
})

test('a late commit of the same owner may be in force after a later one', () => {
  const history = new CommitHistory('g')
  history.commits('one', 't-0', 5)('unknown')
  history.commits('one', 't-0', 8)('committed')
  tell(history, 5)
})

test('what was committed while the answer was on its way need not be in it', () => {
  const history = new CommitHistory('g')
  history.commits('one', 't-0', 5)('committed')
  const asked = history.asking('t-0')
  history.commits('one', 't-0', 7)('committed')
  history.commits('one', 't-0', 9)('committed')
  for (const offset of [5, 7, 9]) history.told('t-0', offset, asked)
  assert.throws(() => history.told('t-0', 4, asked), broken)
})

test('who commits less than another has committed before was no longer the owner', () => {
  const history = new CommitHistory('g')
  history.commits('one', 't-0', 8)('committed')
  const late = history.commits('other', 't-0', 5)
  assert.throws(() => late('committed'), broken)
})

test('what was found to be in force is what the next owner goes on from', () => {
  const history = new CommitHistory('g')
  history.commits('one', 't-0', 5)('unknown')
  history.commits('one', 't-0', 8)('committed')
  tell(history, 5)
  history.commits('other', 't-0', 7)('committed')
  tell(history, 7)
})
