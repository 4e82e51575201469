import assert from 'node:assert/strict'
import test from 'node:test'

import { consumerProtocolSubscription } from '../../../protocol/consumer-protocol.ts'
import { GroupTester, type JoinOptions } from '../group-tester.sim.ts'
import { groupSettingsDefault } from '../group-settings.ts'
import { ClassicGroup } from './classic-group.ts'

/** A group of two that reads `orders`, and what it takes to speak to it. */
function readingGroup(protocols: JoinOptions['protocols'], protocolType = 'consumer') {
  const speaker = new GroupTester()
  const group = new ClassicGroup('g', { ...groupSettingsDefault, initialRebalanceDelayMs: 0 })
  const perform = (effects: ReturnType<ClassicGroup['step']>) => {
    for (const effect of effects) {
      if (effect.kind !== 'append') continue
      for (const record of effect.records) if (record.kind === 'generation') group.apply(record.value)
    }
  }
  const join = (options: JoinOptions) => perform(group.step(speaker.joinEvent({ protocolType, ...options }), 0))
  for (const newMemberId of ['one', 'two']) join({ version: 3, newMemberId, protocols: protocols! })
  perform(group.step({ kind: 'initialDelayOver', groupId: 'g', delayMs: 0, remainingMs: 0 }, 0))
  assert.equal(group.generation, 1)
  return { group, join, perform }
}

const reading = (...topics: string[]): JoinOptions['protocols'] => [
  ['range', consumerProtocolSubscription.encode({ topics, userData: null, ownedPartitions: [] }, 1)],
]

test('what a member says it reads counts with the generation that it joins for', () => {
  const { group, join } = readingGroup(reading('orders'))
  const read = () => ['orders', 'returns'].filter((topic) => group.isSubscribedTo(topic))
  assert.deepEqual(read(), ['orders'])
  join({ memberId: 'one', protocols: reading('returns')! })
  assert.deepEqual(read(), ['orders'], 'the other one has yet to join')
  join({ memberId: 'two', protocols: reading('returns')! })
  assert.deepEqual(read(), ['returns'])
})

test('consumers that do not say what they read may read anything; others read nothing that is known', () => {
  assert.equal(readingGroup([['range', 'not a subscription']]).group.isSubscribedTo('orders'), true)
  assert.equal(readingGroup([['range', 'not a subscription']], 'connect').group.isSubscribedTo('orders'), false)
})

test('a group without members reads nothing', () => {
  const { group, perform } = readingGroup(reading('orders'))
  perform(group.step({ kind: 'syncOverdue', groupId: 'g', generation: 1 }, 0))
  assert.equal(group.state, 'Empty')
  assert.equal(group.isSubscribedTo('orders'), false)
})
