import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { imageOf } from './image.sim.ts'
import { LeaderReplicas } from './leader-replicas.ts'

const lagTimeMaxMs = 100
const everyone = () => true
const nobody = () => false

/** Broker 1 leads; the log ends at `leaderEnd` when that begins, at time 1000. */
function leading(sketch: { replicas?: number[]; isr?: number[]; leaderEnd?: number } = {}) {
  const { replicas = [1, 2, 3], isr = replicas, leaderEnd = 50 } = sketch
  const image = imageOf([{ name: 'orders', replicas, isr }], 1).topicsByName.get('orders')!.partitions[0]!
  const leader = new LeaderReplicas({ brokerId: 1, image, lagTimeMaxMs, leaderEnd, now: 1000 })
  const fetched = (brokerId: number, fetchOffset: number, at: { now: number; leaderEnd: number; epoch?: number }) =>
    leader.fetched(
      { brokerId, brokerEpoch: at.epoch ?? brokerId, fetchOffset, logStartOffset: 0 },
      at.leaderEnd,
      at.now,
    )
  return { leader, image, fetched }
}

const at = (now: number, leaderEnd: number) => ({ now, leaderEnd })

describe('the committed offset', () => {
  const cases: { what: string; isr?: number[]; ends: [number, number][]; durable: number; committed: number }[] = [
    { what: 'is what the slowest has', ends: [[2, 60], [3, 55]], durable: 70, committed: 55 }, // prettier-ignore
    { what: 'is not beyond the own disk', ends: [[2, 60], [3, 70]], durable: 52, committed: 52 }, // prettier-ignore
    { what: 'is not known while one in the ISR has not fetched', ends: [[2, 60]], durable: 70, committed: -1 },
    { what: 'does not mind who is out of sync', isr: [1, 2], ends: [[2, 60], [3, 10]], durable: 70, committed: 60 }, // prettier-ignore
    { what: 'is the own disk where the leader is alone', isr: [1], ends: [], durable: 70, committed: 70 },
  ]
  for (const { what, isr, ends, durable, committed } of cases) {
    test(what, () => {
      const { leader, fetched } = leading(isr === undefined ? {} : { isr })
      for (const [id, end] of ends) fetched(id, end, at(1000, 80))
      assert.equal(leader.committedOffset(durable, 80, 1001, nobody), committed)
    })
  }

  test('waits for a follower that is caught up and may join, so that it can', () => {
    const { leader, fetched } = leading({ replicas: [1, 2], isr: [1] })
    fetched(2, 50, at(1000, 50))
    assert.equal(leader.committedOffset(60, 60, 1050, everyone), 50)
    assert.equal(leader.committedOffset(60, 60, 1050, nobody), 60, 'it is leaving, or of another life')
    assert.equal(leader.committedOffset(60, 60, 1101, everyone), 60, 'it fell behind')
  })

  test('counts whoever is in the ISR as it was and in every proposal, until the cluster says what became of them', () => {
    const { leader, fetched, image } = leading({ replicas: [1, 2, 3], isr: [1, 2] })
    fetched(2, 60, at(1000, 60))
    fetched(3, 40, at(1000, 60))
    leader.propose([1])
    leader.propose([1, 3])
    assert.equal(leader.committedOffset(60, 60, 1000, nobody), 40)
    leader.withdraw()
    fetched(2, 20, at(1000, 60))
    assert.equal(leader.committedOffset(60, 60, 1000, nobody), 20, 'the shrink may not have happened')
    leader.follow({ ...image, isr: [1], revision: image.revision + 1 }, 60, 1000)
    assert.equal(leader.isUnsettled, false)
    assert.equal(leader.committedOffset(60, 60, 1000, nobody), 60)
  })

  test('keeps its proposals through news of the partition that are none', () => {
    const { leader, image } = leading()
    leader.propose([1, 2])
    leader.follow({ ...image }, 60, 1000)
    assert.equal(leader.isUnsettled, true)
  })
})

describe('the wanted ISR', () => {
  test('is without who has not been caught up for the lag time', () => {
    const { leader, fetched } = leading()
    assert.deepEqual(leader.wantedIsr(0, 60, 1100, everyone), [1, 2, 3], 'a new leader gives everybody the lag time')
    fetched(2, 60, at(1080, 60))
    assert.deepEqual(leader.wantedIsr(0, 60, 1101, everyone), [1, 2])
    assert.deepEqual(leader.wantedIsr(0, 60, 9999, everyone), [1, 2], 'it has all there is')
    assert.deepEqual(leader.wantedIsr(0, 61, 9999, everyone), [1])
  })

  test('keeps who follows a log under steady load, though it never reaches its end', () => {
    const { leader, fetched } = leading({ replicas: [1, 2] })
    for (let now = 1000, end = 50; now < 3000; now += 50, end += 10) {
      fetched(2, end, at(now, end + 10))
      assert.deepEqual(leader.wantedIsr(0, end + 10, now, everyone), [1, 2])
    }
  })

  test('is without who fetches often and gets further behind', () => {
    const { leader, fetched } = leading({ replicas: [1, 2] })
    for (let now = 1000, end = 50; now <= 1200; now += 50, end += 10) fetched(2, 40 + (end - 50) / 2, at(now, end))
    assert.deepEqual(leader.wantedIsr(0, 100, 1200, everyone), [1])
  })

  test('has who came to where joining begins, is there, and is not about to leave', () => {
    const { leader, fetched } = leading({ isr: [1] })
    fetched(2, 55, at(1000, 60))
    fetched(3, 60, at(1000, 60))
    assert.deepEqual(leader.wantedIsr(56, 60, 1000, everyone), [1, 3])
    assert.equal(leader.canGrow(56, everyone), true)
    assert.equal(leader.canGrow(61, everyone), false)
    assert.deepEqual(
      leader.wantedIsr(56, 60, 1000, (id, epoch) => epoch === id + 1),
      [1],
    )
    assert.deepEqual([...leader.epochsOfJoining([1, 3])], [[3, 3]])
    leader.propose([1, 3])
    assert.equal(leader.canGrow(56, everyone), false, 'it is proposed already')
  })

  test('is in the order of the replicas', () => {
    const { leader, fetched } = leading({ replicas: [3, 1, 2], isr: [2, 1] })
    fetched(2, 60, at(1000, 60))
    fetched(3, 60, at(1000, 60))
    assert.deepEqual(leader.wantedIsr(0, 60, 1000, everyone), [3, 1, 2])
  })
})

describe('a follower', () => {
  test('that is no replica, or speaks from an earlier life, does not count', () => {
    const { leader, fetched } = leading({ replicas: [1, 2] })
    assert.equal(fetched(4, 60, at(1000, 60)), 'notReplica')
    assert.equal(fetched(2, 50, { ...at(1000, 60), epoch: 9 }), 'follower')
    assert.equal(fetched(2, 60, { ...at(1001, 60), epoch: 8 }), 'stale')
    assert.equal(leader.committedOffset(60, 60, 1001, nobody), 50)
  })

  test('that came back in another life is not caught up by what it had before', () => {
    const { leader, fetched } = leading({ replicas: [1, 2], isr: [1] })
    fetched(2, 60, { ...at(1000, 60), epoch: 5 })
    fetched(2, 10, { ...at(1010, 70), epoch: 6 })
    assert.equal(leader.committedOffset(70, 70, 1010, everyone), 70)
  })

  test('that is no replica any more is forgotten, and a new one is unknown', () => {
    const { leader, fetched, image } = leading({ replicas: [1, 2] })
    fetched(2, 60, at(1000, 60))
    leader.follow({ ...image, replicas: [1, 3], isr: [1], revision: 2 }, 60, 1000)
    assert.deepEqual([...leader.followers].map(({ brokerId, endOffset }) => [brokerId, endOffset]), [[3, -1]]) // prettier-ignore
    assert.deepEqual(leader.wantedIsr(0, 60, 1000, everyone), [1])
  })

  test('tells where its log starts; the low watermark is the lowest of those that are there', () => {
    const { leader } = leading()
    const said = (brokerId: number, logStartOffset: number) =>
      leader.fetched({ brokerId, brokerEpoch: 1, fetchOffset: 60, logStartOffset }, 60, 1000)
    assert.equal(leader.lowWatermark(20, everyone), -1)
    said(2, 15)
    said(3, 18)
    assert.equal(leader.lowWatermark(20, everyone), 15)
    assert.equal(leader.lowWatermark(16, everyone), 15)
    assert.equal(leader.lowWatermark(20, (id) => id === 3), 18) // prettier-ignore
  })
})

type Step =
  | { kind: 'fetch'; id: number; behind: number; epoch: number }
  | { kind: 'append'; count: number }
  | { kind: 'sync' }
  | { kind: 'wait'; ms: number }
  | { kind: 'propose' | 'withdraw' | 'decide' | 'other' }

const steps = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant('fetch' as const),
      id: fc.integer({ min: 2, max: 4 }),
      behind: fc.nat(15),
      epoch: fc.nat(2),
    }),
    fc.record({ kind: fc.constant('append' as const), count: fc.nat(5) }),
    fc.record({ kind: fc.constant('sync' as const) }),
    fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(80) }),
    fc.record({ kind: fc.constantFrom('propose' as const, 'withdraw' as const, 'decide' as const, 'other' as const) }),
  ),
  { maxLength: 60 },
)

test('nothing is committed that a member of the ISR, or of one that may be in force, has not said to have', () => {
  fc.assert(
    fc.property(steps, (run: Step[]) => {
      const start = leading({ replicas: [1, 2, 3, 4], isr: [1, 2] })
      const { leader } = start
      let { image } = start
      const said = new Map<number, number>()
      const epochs = new Map<number, number>()
      let open: (readonly number[])[] = []
      let [now, end, durable] = [1000, 50, 50]
      for (const step of run) {
        if (step.kind === 'append') end += step.count
        else if (step.kind === 'sync') durable = end
        else if (step.kind === 'wait') now += step.ms
        else if (step.kind === 'fetch') {
          const fetchOffset = Math.max(0, end - step.behind)
          const fetch = { brokerId: step.id, brokerEpoch: step.epoch, fetchOffset, logStartOffset: 0 }
          const standing = leader.fetched(fetch, end, now)
          assert.equal(standing, step.epoch < (epochs.get(step.id) ?? 0) ? 'stale' : 'follower')
          if (standing === 'follower') {
            said.set(step.id, fetchOffset)
            epochs.set(step.id, step.epoch)
          }
        } else if (step.kind === 'propose') {
          const wanted = leader.wantedIsr(0, end, now, everyone)
          assert.ok(wanted.includes(1) && wanted.every((id) => image.replicas.includes(id)))
          leader.propose(wanted)
          open.push(wanted)
        } else if (step.kind === 'withdraw') {
          leader.withdraw()
          open.pop()
        } else if (step.kind === 'decide' && open.length > 0) {
          image = { ...image, isr: open[0]!, revision: image.revision + 1 }
          leader.follow(image, end, now)
          open = []
        }
        const counted = new Set([...image.isr, ...open.flat()])
        counted.delete(1)
        const most = Math.min(durable, ...[...counted].map((id) => said.get(id) ?? -1))
        assert.ok(leader.committedOffset(durable, end, now, everyone) <= most)
        assert.equal(leader.committedOffset(durable, end, now, nobody), most)
      }
    }),
    { numRuns: 300 },
  )
})
