import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BrokerImage, PartitionImage } from '../image.ts'
import { partitionImage } from '../partition-image.ts'
import { attendedPartition } from './attended-partition.ts'

/** `1 2 -3`: brokers 1 and 2 are there, 3 is about to leave. */
function brokers(sketch: string): Map<number, BrokerImage> {
  const ids = sketch === '' ? [] : sketch.split(' ').map(Number)
  return new Map(
    ids.map((id) => [
      Math.abs(id),
      { id: Math.abs(id), epoch: 1, endpoints: [], rack: null, directoryId: '', leaving: id < 0 },
    ]),
  )
}

const partition: PartitionImage = {
  index: 0,
  revision: 7,
  replicas: [1, 2, 3],
  isr: [1, 2, 3],
  leader: 1,
  leaderEpoch: 4,
  partitionEpoch: 9,
  adding: [],
  removing: [],
  failed: [],
}

interface Case {
  readonly what: string
  readonly before?: Partial<PartitionImage>
  readonly live: string
  readonly unclean?: boolean
  /** Null: nothing is done. */
  readonly after: Partial<PartitionImage> | null
}

const elected = { leaderEpoch: 5, partitionEpoch: 10 }
const shrunk = { partitionEpoch: 10 }

const cases: Case[] = [
  { what: 'all is well', live: '1 2 3', after: null },
  { what: 'a replica outside the ISR is dead', before: { isr: [1, 2] }, live: '1 2', after: null },
  { what: 'the leader is dead', live: '2 3', after: { isr: [2, 3], leader: 2, ...elected } },
  { what: 'a follower is dead', live: '1 2', after: { isr: [1, 2], ...shrunk } },
  {
    what: 'the order of replicas decides who follows the leader',
    before: { replicas: [1, 3, 2] },
    live: '2 3',
    after: { isr: [2, 3], leader: 3, ...elected },
  },
  {
    what: 'a dead replica outside the ISR is never elected',
    before: { isr: [1] },
    live: '2 3',
    after: leaderless([1]),
  },
  { what: 'all members of the ISR are dead at once', live: '', after: leaderless([1, 2, 3]) },
  { what: 'nobody leads and nobody can', before: { leader: -1, isr: [1] }, live: '2 3', after: null },
  {
    what: 'a member of the ISR of a partition without a leader comes back',
    before: { leader: -1, isr: [1, 2] },
    live: '2 3',
    after: { isr: [2], leader: 2, ...elected },
  },
  {
    what: 'only one out of sync lives, and unclean election is on',
    before: { isr: [1] },
    live: '3',
    unclean: true,
    after: { isr: [3], leader: 3, ...elected },
  },
  {
    what: 'nobody has what was acknowledged any more',
    before: { isr: [], leader: -1 },
    live: '1 2 3',
    after: null,
  },
  {
    what: 'nobody has what was acknowledged any more, and unclean election is on',
    before: { isr: [], leader: -1 },
    live: '1 2 3',
    unclean: true,
    after: { isr: [1], leader: 1, ...elected },
  },
  { what: 'the leader is about to leave', live: '-1 2 3', after: { isr: [2, 3], leader: 2, ...elected } },
  { what: 'a follower is about to leave', live: '1 -2 3', after: { isr: [1, 3], ...shrunk } },
  { what: 'the leader is about to leave and is alone in sync', before: { isr: [1] }, live: '-1 2 3', after: null },
  {
    what: 'the leader is about to leave and is alone in sync, whatever may be done uncleanly',
    before: { isr: [1] },
    live: '-1 2 3',
    unclean: true,
    after: null,
  },
  { what: 'the leader is about to leave and the others die', live: '-1', after: { isr: [1], ...shrunk } },
  {
    what: 'the others die, and a follower that is about to leave is all there is',
    live: '-2',
    after: { isr: [2], leader: 2, ...elected },
  },
  {
    what: 'one that is about to leave is in sync, another is not, and unclean election is on',
    before: { isr: [1, 2] },
    live: '-2 3',
    unclean: true,
    after: { isr: [2], leader: 2, ...elected },
  },
  {
    what: 'the log of the leader has failed',
    before: { failed: [1] },
    live: '1 2 3',
    after: { isr: [2, 3], leader: 2, ...elected },
  },
  {
    what: 'the log of the only one in sync has failed',
    before: { failed: [1], isr: [1] },
    live: '1 2 3',
    after: leaderless([1]),
  },
  {
    what: 'the target of a reassignment is in sync',
    before: { replicas: [4, 2, 3, 1], isr: [1, 2, 3, 4], adding: [4], removing: [1] },
    live: '1 2 3 4',
    after: { replicas: [4, 2, 3], isr: [2, 3, 4], leader: 4, adding: [], removing: [], ...elected },
  },
  {
    what: 'the target of a reassignment is not yet in sync',
    before: { replicas: [4, 2, 3, 1], adding: [4], removing: [1] },
    live: '1 2 3 4',
    after: null,
  },
  {
    what: 'the target of a reassignment is in sync without one that dies',
    before: { replicas: [4, 2, 3, 1], isr: [1, 2, 3, 4], adding: [4], removing: [1] },
    live: '1 2 4',
    after: { isr: [1, 2, 4], ...shrunk },
  },
  {
    what: 'a reassignment that only adds has what it waits for',
    before: { isr: [1, 2, 3], adding: [3] },
    live: '1 2 3',
    after: { adding: [], ...shrunk },
  },
]

function leaderless(isr: number[]): Partial<PartitionImage> {
  return { isr, leader: -1, ...elected }
}

for (const { what, before, live, unclean = false, after } of cases) {
  test(`attended: ${what}`, () => {
    const from = { ...partition, ...before }
    const document = attendedPartition(from, { brokers: brokers(live), unclean })
    const found = document === null ? null : partitionImage(document, 0, 7)
    assert.deepEqual(found, after === null ? null : { ...from, ...after })
    // What is attended needs no more attention.
    if (found !== null) assert.equal(attendedPartition(found, { brokers: brokers(live), unclean }), null)
  })
}
