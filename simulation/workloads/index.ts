// The clients of a usual run: some of these, as the seed has it, and always an idempotent producer.

import type { Workload, World } from '../contracts.ts'
import { GroupSettling } from '../groups/group-settling.ts'
import { GroupReading } from './group-reading.ts'
import { ProduceAndRead } from './produce-and-read.ts'
import type { Promised } from './ledger.ts'
import { Reassigning } from './reassigning.ts'
import { Recreating } from './recreating.ts'
import { ReplicasAlike } from './replicas-alike.ts'
import { TopicChurn } from './topic-churn.ts'
import { Trimming } from './trimming.ts'

/** What each topic is for: its name says what its producers are promised. */
const topics: readonly {
  readonly promised: Promised
  readonly partitionsMax: number
  readonly producersMax: number
}[] = [
  { promised: 'idempotent', partitionsMax: 3, producersMax: 2 },
  { promised: 'all', partitionsMax: 2, producersMax: 2 },
  { promised: 'one', partitionsMax: 1, producersMax: 1 },
  { promised: 'zero', partitionsMax: 1, producersMax: 1 },
]

export function defaultWorkloads(world: World): Workload[] {
  const random = world.random('workloads')
  const chosen = topics.filter(({ promised }) => promised === 'idempotent' || random.chance(0.6))
  const workloads: Workload[] = chosen.map(({ promised, partitionsMax, producersMax }) => {
    // Small segments, so that logs roll.
    const segmentBytes = random.pick([8000, 40_000, 1_048_576])
    const minInsync = random.pick([1, 2, 2])
    return new ProduceAndRead({
      world,
      topic: promised,
      promised,
      partitions: 1 + random.below(partitionsMax),
      producers: 1 + random.below(producersMax),
      readers: 1 + random.below(2),
      configs: { 'internal.segment.bytes': String(segmentBytes), 'min.insync.replicas': String(minInsync) },
      recordsMax: 5000,
    })
  })
  if (random.chance(0.7)) {
    const members = 1 + random.below(3)
    workloads.push(new GroupReading({ world, group: 'group', topic: 'idempotent', members }))
  }
  if (random.chance(0.5)) workloads.push(new TopicChurn({ world, name: 'churn', topicsMax: 4 }))
  if (random.chance(0.6)) {
    const moved = chosen.map(({ promised }) => promised)
    workloads.push(new Reassigning({ world, topics: moved, pauseMsMax: 1000 + random.below(5000) }))
  }
  if (random.chance(0.4)) workloads.push(new Recreating({ world, topic: 'again' }))
  if (random.chance(0.4)) workloads.push(new Trimming({ world, topic: 'trimmed' }))
  if (random.chance(0.4)) {
    const protocol = random.pick(['eager', 'cooperative', 'consumer', 'mixed'] as const)
    const members = 2 + random.below(5)
    const sizes = { members, partitions: 3, partitionsMax: 6, calmMsMax: 10_000 }
    workloads.push(new GroupSettling({ world, group: 'settling', protocol, ...sizes }))
  }
  workloads.push(new ReplicasAlike(world))
  return workloads
}
