import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ownership } from './ownership.ts'

const one = { name: 'one' }
const other = { name: 'other' }
const broken = { rule: 'a partition has one owner' }

function twoOwners(): Ownership {
  const ownership = new Ownership('g')
  ownership.took(one, 't-0')
  ownership.took(other, 't-0')
  return ownership
}

test('two owners that the coordinator both takes for members break the rule', () => {
  const ownership = twoOwners()
  ownership.confirmed(one, ownership.asking())
  assert.throws(() => ownership.confirmed(other, ownership.asking()), broken)
})

test('who gives a partition up after another has got it was stopped too late', () => {
  const ownership = twoOwners()
  ownership.gaveUp(one, 't-0')
  ownership.confirmed(one, ownership.asking())
  assert.throws(() => ownership.confirmed(other, ownership.asking()), broken)
})

test('what was asked before the second had the partition proves nothing', () => {
  const ownership = new Ownership('g')
  ownership.took(one, 't-0')
  const asked = ownership.asking()
  ownership.took(other, 't-0')
  ownership.confirmed(one, asked)
  ownership.confirmed(other, ownership.asking())
  assert.match(ownership.doubt!, /t-0 is believed in by one and other/)
})

test('who turns out to be gone owned nothing', () => {
  const ownership = twoOwners()
  ownership.confirmed(other, ownership.asking())
  ownership.gone(one)
  ownership.confirmed(other, ownership.asking())
  assert.equal(ownership.doubt, null)
  assert.equal(ownership.endsOf('t-0'), 1)
})

test('a partition that is given up first goes to the next owner', () => {
  const ownership = new Ownership('g')
  ownership.took(one, 't-0')
  ownership.gaveUp(one, 't-0')
  ownership.took(other, 't-0')
  ownership.confirmed(one, ownership.asking())
  ownership.confirmed(other, ownership.asking())
  assert.deepEqual([ownership.handovers, ownership.endsOf('t-0'), ownership.doubt], [2, 1, null])
})

test('who was not in the generation in which another got its partition did not own it then', () => {
  const ownership = twoOwners()
  ownership.confirmed(other, ownership.asking())
  ownership.missed(one)
  ownership.confirmed(one, ownership.asking())
  assert.equal(ownership.doubt, null)
})

test('who was dropped and let in again is not blamed for what it believed meanwhile, and has given up', () => {
  const ownership = twoOwners()
  ownership.confirmed(other, ownership.asking())
  ownership.gaveUp(one, 't-0')
  ownership.readmitted(one)
  ownership.confirmed(one, ownership.asking())
  assert.equal(ownership.doubt, null)
})

test('who was let in again and has been given what another has breaks the rule once both are answered anew', () => {
  const ownership = twoOwners()
  const asked = ownership.asking()
  ownership.confirmed(other, asked)
  ownership.readmitted(one)
  ownership.confirmed(one, ownership.asking())
  ownership.confirmed(other, asked)
  assert.match(ownership.doubt!, /t-0 is believed in by other and one/)
  assert.throws(() => ownership.confirmed(other, ownership.asking()), broken)
})

test('that one was let in again excuses nobody else', () => {
  const ownership = twoOwners()
  const third = { name: 'third' }
  ownership.took(third, 't-0')
  ownership.readmitted(one)
  ownership.confirmed(other, ownership.asking())
  assert.throws(() => ownership.confirmed(third, ownership.asking()), broken)
})
