import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OffsetsInOrder } from './offsets-in-order.ts'
import type { ReplicaSight } from './replica-sight.ts'
import { sight } from './sights.sim.ts'

const rule = new OffsetsInOrder()
const full = { highWatermark: 5, logEndOffset: 8 }

const cases: { name: string; now: Partial<ReplicaSight>; before?: Partial<ReplicaSight>; holds: boolean }[] = [
  { name: 'a log that grows', now: full, before: { highWatermark: 4, logEndOffset: 7 }, holds: true },
  { name: 'a high watermark above the end', now: { highWatermark: 9, logEndOffset: 8 }, holds: false },
  { name: 'a start above the high watermark', now: { ...full, logStartOffset: 6 }, holds: false },
  { name: 'a high watermark above what the disk holds', now: { ...full, durableOffset: 4 }, holds: false },
  { name: 'the same without fsync', now: { ...full, durableOffset: 4, isFsynced: false }, holds: true },
  {
    name: 'a high watermark that falls in one leadership',
    now: full,
    before: { ...full, highWatermark: 6 },
    holds: false,
  },
  { name: 'a start that falls in one leadership', now: full, before: { ...full, logStartOffset: 1 }, holds: false },
  {
    name: 'a high watermark that falls as a follower is cut',
    now: { ...full, state: 'following' },
    before: { ...full, state: 'following', highWatermark: 6 },
    holds: true,
  },
  {
    name: 'nothing is asked of a log that is opened',
    now: { ...full, state: 'opening', durableOffset: 0 },
    holds: true,
  },
]

for (const { name, now, before, holds } of cases) {
  test(`${name} ${holds ? 'keeps' : 'breaks'} the rule`, () => {
    const check = () => rule.replicaChanged(sight(now), before === undefined ? null : sight(before))
    if (holds) check()
    else assert.throws(check, { rule: rule.name })
  })
}
