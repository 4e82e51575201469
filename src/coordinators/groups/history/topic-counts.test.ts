import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedTopics } from '../topics-view.sim.ts'
import { type Happening, noted } from './group-note.ts'
import { withTopicCounts } from './topic-counts.ts'

const topics = new SimulatedTopics()
topics.set('orders', 12)

test('of topics that changed it is told how many partitions they have now, none of those that are gone', () => {
  const what: Happening = { kind: 'topicsChanged', topics: ['orders', 'old'] }
  const counts = [
    { topic: 'orders', before: null, after: 12 },
    { topic: 'old', before: null, after: 0 },
  ]
  assert.deepEqual(withTopicCounts([noted('g', what)], topics), [noted('g', { ...what, counts })])
})

test('a machine that can tell better is believed', () => {
  const counts = [{ topic: 'orders', before: 6, after: 12 }]
  const effects = [noted('g', { kind: 'topicsChanged', topics: ['orders'], counts })]
  assert.deepEqual(withTopicCounts(effects, topics), effects)
})

test('all other effects are handed on as they are', () => {
  const effects = [noted('g', { kind: 'rebalanceStarted', reason: null })]
  assert.equal(withTopicCounts(effects, topics), effects)
})
