// The clients of a usual run.

import type { Workload, World } from '../contracts.ts'
import { GroupReading } from './group-reading.ts'
import { ProduceAndRead } from './produce-and-read.ts'
import { Reassigning } from './reassigning.ts'
import { TopicChurn } from './topic-churn.ts'

export function defaultWorkloads(world: World): Workload[] {
  const common = { world, recordsMax: 2000 }
  return [
    new ProduceAndRead({
      ...common,
      topic: 'idempotent',
      promised: 'idempotent',
      partitions: 3,
      producers: 2,
      readers: 2,
    }),
    new ProduceAndRead({ ...common, topic: 'all', promised: 'all', partitions: 2, producers: 1, readers: 2 }),
    new ProduceAndRead({ ...common, topic: 'one', promised: 'one', partitions: 1, producers: 1, readers: 1 }),
    new ProduceAndRead({ ...common, topic: 'zero', promised: 'zero', partitions: 1, producers: 1, readers: 1 }),
    new GroupReading({ world, group: 'group', topic: 'idempotent', members: 3 }),
    new TopicChurn({ world, name: 'churn', topicsMax: 4 }),
    new Reassigning({ world, topics: ['idempotent', 'all', 'one', 'zero'], pauseMsMax: 4000 }),
  ]
}
