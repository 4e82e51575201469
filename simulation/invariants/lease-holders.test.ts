import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyImage } from '../../src/cluster/cluster-view.ts'
import type { Machine, World } from '../contracts.ts'
import { LeaseHolders } from './lease-holders.ts'

interface Seen {
  readonly state?: Machine['state']
  readonly believes: boolean
  readonly registered: boolean
  readonly lines?: string[]
}

function worldWith({
  state = 'up',
  believes,
  registered,
  lines = [],
}: Seen): Pick<World, 'trace' | 'machines' | 'image'> {
  const inside = { valid: () => believes } as Machine['inside']
  const brokers = new Map(registered ? [[1, {} as never]] : [])
  return {
    trace: { lines, add() {}, digest: () => '' },
    machines: [{ id: 1, host: 'broker-1', state, inside } as World['machines'][number]],
    image: { ...emptyImage, brokers },
  }
}

test('a broker may believe in its lease as long as it is registered', () => {
  const rule = new LeaseHolders()
  rule.check(worldWith({ believes: true, registered: true }))
  rule.check(worldWith({ believes: false, registered: false }))
  assert.throws(() => rule.check(worldWith({ believes: true, registered: false })), /believes that its lease holds/)
})

test('a frozen broker does nothing, whatever it believes', () => {
  new LeaseHolders().check(worldWith({ state: 'frozen', believes: true, registered: false }))
})

test('a lease that is ended before its time may be believed in until that is heard, and not again', () => {
  const rule = new LeaseHolders()
  const lines = ['7 1.2000 schedule: leaseLost {"machine":1} begins']
  rule.check(worldWith({ believes: true, registered: false, lines }))
  rule.check(worldWith({ believes: false, registered: false, lines }))
  assert.throws(() => rule.check(worldWith({ believes: true, registered: false, lines })), /believes/)
})

test('a broker that is frozen when its lease is ended early hears of it when it thaws', () => {
  const rule = new LeaseHolders()
  const lines = ['7 1.2000 schedule: leaseLost {"machine":1} begins']
  rule.check(worldWith({ state: 'frozen', believes: true, registered: false, lines }))
  rule.check(worldWith({ believes: true, registered: false, lines }))
})
