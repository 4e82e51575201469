import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultInvariants } from '../invariants/index.ts'
import type { Workload, World } from '../contracts.ts'
import { runSeed } from '../run.ts'
import { GroupReading } from './group-reading.ts'
import { ProduceAndRead } from './produce-and-read.ts'
import { Reassigning } from './reassigning.ts'
import { ReplicasAlike } from './replicas-alike.ts'
import { TopicChurn } from './topic-churn.ts'

test('where nothing fails, every client gets what it was promised, and gets something done', async () => {
  const made: { world: World | null; producing: ProduceAndRead[] } = { world: null, producing: [] }
  const workloads = (world: World): Workload[] => {
    const common = { world, partitions: 2, producers: 1, readers: 2, recordsMax: 200 }
    made.world = world
    made.producing = (['idempotent', 'all', 'one', 'zero'] as const).map(
      (promised) => new ProduceAndRead({ ...common, topic: promised, promised }),
    )
    return [
      ...made.producing,
      new GroupReading({ world, group: 'group', topic: 'idempotent', members: 2 }),
      new TopicChurn({ world, name: 'churn', topicsMax: 3 }),
      new Reassigning({ world, topics: ['idempotent', 'one'], pauseMsMax: 500 }),
      new ReplicasAlike(world),
    ]
  }
  const schedule = { durationMs: 4000, items: [] }
  const { violation, trace } = await runSeed({ seed: 1, schedule, workloads, invariants: defaultInvariants })
  assert.equal(violation, null, violation?.message)
  for (const { name, ledgers } of made.producing) {
    const read = ledgers.reduce((sum, { seen }) => sum + seen, 0)
    assert.ok(read > 50, `${read} records of ${name} were read`)
  }
  const said = trace.lines.filter((line) => line.includes(' and all ')).join('\n')
  for (const name of ['group', 'replicas']) assert.match(said, new RegExp(`${name}: [1-9]`))
})
