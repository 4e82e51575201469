import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { seededRandom } from '../io/random.sim.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { placeReplicas, type PlaceableBroker } from './replica-placement.ts'

function place(
  brokers: readonly PlaceableBroker[],
  partitions: number,
  factor: number,
  seed = 1,
): readonly (readonly number[])[] {
  const placed = placeReplicas({ brokers, partitions, factor, random: seededRandom(seed) })
  assert.ok(placed.ok)
  return placed.replicas
}

/** Brokers 10, 11, ... in turn in `racks` racks. */
function brokersIn(racks: number, each: number, rackless = false): PlaceableBroker[] {
  return Array.from({ length: racks * each }, (_, i) => ({
    id: 10 + i,
    rack: rackless ? null : `rack-${i % racks}`,
    active: true,
  }))
}

function leadsOf(placed: readonly (readonly number[])[], brokers: readonly PlaceableBroker[]): number[] {
  return brokers.map(({ id }) => placed.filter((replicas) => replicas[0] === id).length)
}

test('replicas are on different brokers, and leaders are spread evenly', () => {
  const cases = fc.record({
    racks: fc.integer({ min: 1, max: 4 }),
    each: fc.integer({ min: 1, max: 4 }),
    rackless: fc.boolean(),
    factor: fc.integer({ min: 1, max: 5 }),
    partitions: fc.integer({ min: 1, max: 60 }),
    seed: fc.nat(1000),
  })
  fc.assert(
    fc.property(cases, ({ racks, each, rackless, factor, partitions, seed }) => {
      const brokers = brokersIn(racks, each, rackless)
      fc.pre(factor <= brokers.length)
      const placed = place(brokers, partitions, factor, seed)
      assert.equal(placed.length, partitions)
      const known = new Set(brokers.map(({ id }) => id))
      for (const replicas of placed) {
        assert.equal(new Set(replicas).size, factor)
        assert.ok(replicas.every((id) => known.has(id)))
      }
      const leads = leadsOf(placed, brokers)
      assert.ok(Math.max(...leads) - Math.min(...leads) <= 1, `leads ${leads.join(',')}`)
    }),
    { numRuns: 150 },
  )
})

test('no rack has two replicas of a partition as long as another has none', () => {
  const cases = fc.record({
    racks: fc.integer({ min: 1, max: 5 }),
    each: fc.integer({ min: 1, max: 4 }),
    factor: fc.integer({ min: 1, max: 8 }),
    seed: fc.nat(1000),
  })
  fc.assert(
    fc.property(cases, ({ racks, each, factor, seed }) => {
      const brokers = brokersIn(racks, each)
      fc.pre(factor <= brokers.length)
      const rackOf = new Map(brokers.map(({ id, rack }) => [id, rack]))
      for (const replicas of place(brokers, 20, factor, seed)) {
        const used = new Set(replicas.map((id) => rackOf.get(id)))
        assert.equal(used.size, Math.min(factor, racks))
      }
    }),
    { numRuns: 100 },
  )
})

test('replicas are spread as leaders are, and the followers of one broker over the others', () => {
  const brokers = brokersIn(1, 6, true)
  const placed = place(brokers, 600, 3)
  for (const { id } of brokers) {
    const own = placed.filter((replicas) => replicas.includes(id))
    assert.equal(own.length, 300)
    const second = new Set(placed.filter(([leader]) => leader === id).map(([, follower]) => follower))
    assert.equal(second.size, 5)
  }
})

test('brokers that are not there never lead, and are taken only when the others do not suffice', () => {
  const brokers = brokersIn(1, 4, true).map((broker) => ({ ...broker, active: broker.id < 12 }))
  for (const replicas of place(brokers, 20, 2))
    assert.deepEqual(
      [...replicas].sort((a, b) => a - b),
      [10, 11],
    )
  for (const replicas of place(brokers, 20, 3)) {
    assert.ok(replicas[0]! < 12 && replicas[1]! < 12 && replicas[2]! >= 12)
  }
})

test('a rack without living brokers is passed over by leaders', () => {
  const brokers = brokersIn(2, 2).map((broker) => ({ ...broker, active: broker.rack === 'rack-0' }))
  const placed = place(brokers, 12, 2)
  for (const [leader, follower] of placed) {
    assert.ok(leader! % 2 === 0 && follower! % 2 === 1)
  }
})

test('new partitions go on where those before them ended', () => {
  const brokers = brokersIn(1, 4, true)
  const existing = [[12, 13]]
  for (let seed = 0; seed < 10; seed++) {
    const placed = placeReplicas({ brokers, partitions: 2, factor: 2, random: seededRandom(seed), existing })
    assert.deepEqual(placed, {
      ok: true,
      replicas: [
        [13, 10],
        [10, 11],
      ],
    })
  }
})

for (const { what, brokers, factor, message } of [
  {
    what: 'more replicas than brokers',
    brokers: brokersIn(1, 2),
    factor: 3,
    message: /of 3 cannot be reached because only 2/,
  },
  { what: 'no replica', brokers: brokersIn(1, 2), factor: 0, message: /must be positive/ },
  {
    what: 'brokers that are all away',
    brokers: brokersIn(1, 2).map((broker) => ({ ...broker, active: false })),
    factor: 1,
    message: /All brokers are currently fenced/,
  },
]) {
  test(`placing with ${what} is refused`, () => {
    const placed = placeReplicas({ brokers, partitions: 1, factor, random: seededRandom(1) })
    assert.ok(!placed.ok)
    assert.equal(placed.error, ErrorCode.INVALID_REPLICATION_FACTOR)
    assert.match(placed.message, message)
  })
}
