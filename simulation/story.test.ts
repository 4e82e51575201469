import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Happening, type StoryParts, storyOf } from './story.ts'

function happenings(count: number, what: string): Happening[] {
  return Array.from({ length: count }, (_, i) => ({ atMs: i * 1500, who: 'broker-1', what: `${what} ${i}` }))
}

const parts: StoryParts = {
  seed: 42,
  cluster: '3 brokers, 3 members of etcd',
  rule: 'no acknowledged record is lost',
  contradiction: ['producer-1 was told that "a7" is at offset 12 of orders-0', 'the leader, broker 2, ends at 11'],
  failedAtMs: 12_345,
  faults: [{ atMs: 2000, who: 'schedule', what: 'the power of broker 1 fails' }],
  faultsBefore: 31,
  partition: 'orders-0',
  partitionHistory: [{ atMs: 2500, who: 'broker-2', what: 'leads under epoch 3' }],
  clientHistory: [{ atMs: 1900, who: 'producer-1', what: '"a7" is at offset 12' }],
  command: 'npm run simulate -- --seed 42',
}

test('a story says what broke, what befell, what became of the partition, and how to see it again', () => {
  assert.deepEqual(storyOf(parts), [
    'Seed 42 breaks a rule after 12.345 s: no acknowledged record is lost',
    '  producer-1 was told that "a7" is at offset 12 of orders-0',
    '  the leader, broker 2, ends at 11',
    '',
    'The cluster: 3 brokers, 3 members of etcd',
    '',
    'What befell it (1 fault, 31 before it was made smaller):',
    '     2.000  schedule: the power of broker 1 fails',
    '',
    'What became of orders-0:',
    '     2.500  broker-2: leads under epoch 3',
    '',
    'What clients were told:',
    '     1.900  producer-1: "a7" is at offset 12',
    '',
    'Again: npm run simulate -- --seed 42',
  ])
})

test('a story is never longer than a screen, and keeps what was last', () => {
  const story = storyOf({
    ...parts,
    faults: happenings(90, 'fault'),
    faultsBefore: 90,
    partitionHistory: happenings(500, 'change'),
    clientHistory: happenings(5, 'word'),
  })
  assert.ok(story.length <= 60 && story.length > 50, `${story.length} lines`)
  assert.ok(story.some((line) => line.includes('change 499')))
  assert.ok(story.some((line) => line.includes('fault 0')))
  assert.equal(story.filter((line) => line.includes('word')).length, 5)
  assert.equal(story.filter((line) => line.includes('more)')).length, 2)
})

test('a failure without faults says so', () => {
  const story = storyOf({ ...parts, faults: [], faultsBefore: 0, partitionHistory: [], clientHistory: [] })
  assert.ok(story.includes('No fault is needed for it.'))
})
