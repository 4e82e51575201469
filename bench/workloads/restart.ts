// After kill -9 with 2 GB of log: until every partition answers. The folder of the broker that was killed is copied for each round, as the
// first start mends it. The copies are on the disk, and in the page cache, for every peer.

import { cp, lstat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Durability } from '../peers/peer.ts'
import { untilAllAnswer } from './answering-partitions.ts'
import { restartGoals } from './goals.ts'
import { createTopic } from './measured-load.ts'
import { removeFolder } from './own-broker.ts'
import { writeBack } from './page-cache.ts'
import type { OwnRound, Row } from './workload.ts'

const partitions = 4

/** `default`: as each broker comes; Odradek has then written to the disk what it has confirmed, Kafka has not. */
function row(durability: Durability | 'default'): Row {
  /** Where the logs of each peer ended when it was killed. */
  const ends = new Map<string, number>()
  return {
    id: `restart/2gb/${durability}`,
    section: 'start and restart',
    title: `restart after kill -9 with 2 GB of log, ${durability === 'default' ? 'default durability' : durability}`,
    goals: restartGoals,
    fullOnly: durability === 'fsync',
    roundsMax: 2,
    warmsUp: false,
    brokers: 'own',
    async prepare(round) {
      const { peer, load, name, quick } = round
      const broker = await peer.start({ data: killedFolder(round) })
      try {
        const confirmed = durability === 'default' ? {} : { durability }
        await createTopic({ ...round, broker }, { topic: name, partitions, ...confirmed })
        const shape = { topic: name, partitions, recordBytes: 1000, batchBytes: 1_048_576 }
        await load.run({ kind: 'fill', bootstrap: broker.bootstrap, ...shape, bytes: quick ? 200e6 : 2e9 })
        ends.set(name, await untilAllAnswer(broker.bootstrap, [{ topic: name, partitions }]))
      } finally {
        await broker.kill()
      }
    },
    async measure(round) {
      const data = join(round.data, `round-${round.index}`)
      await cp(killedFolder(round), data, { recursive: true, filter: isFileOrFolder })
      await writeBack()
      const broker = await round.peer.start({ data })
      try {
        const ready = performance.now()
        const end = await untilAllAnswer(broker.bootstrap, [{ topic: round.name, partitions }])
        const milliseconds = broker.readyMs + performance.now() - ready
        const before = ends.get(round.name)
        if (end !== before) throw new Error(`of ${before} confirmed records ${end} are there after kill -9`)
        return { milliseconds }
      } finally {
        await broker.kill()
        await removeFolder(data)
      }
    },
  }
}

/** A socket that locks the folder cannot be copied; nobody holds it any more. */
async function isFileOrFolder(path: string): Promise<boolean> {
  return !(await lstat(path)).isSocket()
}

const killedFolder = ({ data }: OwnRound): string => join(data, 'killed')

export const restartRows: readonly Row[] = (['default', 'page-cache', 'fsync'] as const).map(row)
