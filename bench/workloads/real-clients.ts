// Clients that people use, with their defaults and acks=all: whether what the load generator shows of a broker holds for them. Where the
// client is the limit, throughput is its own, and what the broker pays is what differs.

import type { Client, ClientResult } from '../clients/client.ts'
import { clients } from '../clients/index.ts'
import type { Durability } from '../peers/peer.ts'
import type { Sample } from '../report/result.ts'
import { realClientGoals } from './goals.ts'
import { createTopic, deleteTopic } from './measured-load.ts'
import { durabilityTitle } from './shape-names.ts'
import type { Row, SharedRound } from './workload.ts'

const recordBytes = 1000
const partitions = 4

function recordsOf({ quick }: SharedRound): number {
  return quick ? 20_000 : 200_000
}

function producing(client: Client, durability: Durability): Row {
  return {
    id: `real-clients/${client.name}/produce/${durability}`,
    section: 'real clients',
    title: `${client.title}, produce, ${durabilityTitle(durability)}`,
    goals: realClientGoals,
    fullOnly: durability === 'fsync',
    roundsMax: 3,
    brokers: 'shared',
    prepare: (round) => createTopic(round, { topic: round.name, partitions, durability }),
    measure: (round) => measureClient(round, client, 'produce'),
    clear: (round) => deleteTopic(round, round.name),
  }
}

function consuming(client: Client): Row {
  return {
    id: `real-clients/${client.name}/consume`,
    section: 'real clients',
    title: `${client.title}, consume`,
    goals: realClientGoals,
    roundsMax: 3,
    brokers: 'shared',
    async prepare(round) {
      await createTopic(round, { topic: round.name, partitions, durability: 'page-cache' })
      const shape = { topic: round.name, partitions, recordBytes, batchBytes: 16_384 }
      // A little more than is read: of the last batch a client reads what it wants.
      const bytes = recordsOf(round) * recordBytes * 1.1
      await round.load.run({ kind: 'fill', bootstrap: round.broker.bootstrap, ...shape, bytes })
    },
    measure: (round) => measureClient(round, client, 'consume'),
    clear: (round) => deleteTopic(round, round.name),
  }
}

/** Processor time is that of the broker from the start of the client's process to its end, with metadata and group. */
async function measureClient(round: SharedRound, client: Client, work: 'produce' | 'consume'): Promise<Sample> {
  const missing = client.missing()
  if (missing !== undefined) throw new Error(`${client.title} cannot run here without ${missing}`)
  const { broker, name } = round
  const job = { bootstrap: broker.bootstrap, topic: name, records: recordsOf(round), recordBytes }
  const before = broker.usage()
  const result: ClientResult = await client[work](job)
  const cpuSeconds = broker.usage().cpuSeconds - before.cpuSeconds
  const bytes = result.records * recordBytes
  return {
    recordsPerSecond: result.records / result.seconds,
    megabytesPerSecond: bytes / 1e6 / result.seconds,
    cpuSecondsPerGigabyte: cpuSeconds / (bytes / 1e9),
  }
}

export const realClientRows: readonly Row[] = clients.flatMap((client) => [
  producing(client, 'page-cache'),
  producing(client, 'fsync'),
  consuming(client),
])
