// How long a broker takes to load the groups of a partition of __consumer_offsets that it has just begun to lead, and how long it keeps
// everybody else waiting meanwhile: `node bench/groups/loading.ts [--groups 1000] [--offsets 100] [--rewrites 1] [--codec none]`. The log is in memory:
// what is measured is decoding, applying, and the pauses in between.

import { parseArgs } from 'node:util'
import { groupConfigsDefault } from '../../src/coordinators/groups/group-config.ts'
import { GroupCoordinator } from '../../src/coordinators/groups/group-coordinator.ts'
import type { GroupRecord } from '../../src/coordinators/groups/group-record.ts'
import { groupRecordCodec } from '../../src/coordinators/groups/group-record-codec.ts'
import { groupSettingsDefault } from '../../src/coordinators/groups/group-settings.ts'
import { SimulatedCoordinatorPartition } from '../../src/coordinators/coordinator-partition.sim.ts'
import { SimulatedTopics } from '../../src/coordinators/groups/topics-view.sim.ts'
import { type Clock, systemClock } from '../../src/io/clock.ts'
import { systemRandom } from '../../src/io/random.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { ZERO_UUID } from '../../src/lib/uuid.ts'
import { buildBatch } from '../../src/records/batch-builder.ts'
import type { Codec } from '../../src/records/codec.ts'
import { percentile, printMachine } from '../measured.ts'

const { values } = parseArgs({
  options: {
    groups: { type: 'string', default: '1000' },
    offsets: { type: 'string', default: '100' },
    rewrites: { type: 'string', default: '1' },
    codec: { type: 'string', default: 'none' },
  },
})
const groups = Number(values.groups)
const offsets = Number(values.offsets)
const now = Date.now()

function* records(): Generator<GroupRecord> {
  const members = Array.from({ length: 5 }, (_, index) => ({
    memberId: `consumer-app-${index}-a7f5e8c2-3b1d-4e6f-9a0b-1c2d3e4f5a6b`,
    groupInstanceId: null,
    clientId: `consumer-app-${index}`,
    clientHost: '/10.0.0.1',
    rebalanceTimeoutMs: 300_000,
    sessionTimeoutMs: 45_000,
    subscription: Buffer.alloc(40),
    assignment: Buffer.alloc(120),
  }))
  for (let group = 0; group < groups; group++) {
    const groupId = `application-group-${group}`
    const leader = members[0]!.memberId
    const value = {
      protocolType: 'consumer',
      generation: 7,
      protocol: 'range',
      leader,
      currentStateTimestamp: now,
      members,
    }
    yield { kind: 'generation', groupId, value }
  }
  for (let rewrite = 0; rewrite < Number(values.rewrites); rewrite++) {
    for (let group = 0; group < groups; group++) {
      for (let partition = 0; partition < offsets; partition++) {
        const value = {
          offset: 1_000_000 + rewrite,
          leaderEpoch: 3,
          metadata: '',
          commitTimestamp: now,
          expireTimestamp: -1,
          topicId: ZERO_UUID,
        }
        yield { kind: 'offset', groupId: `application-group-${group}`, topic: 'orders', partition, value }
      }
    }
  }
}

const perBatch = 5_000
const partition = new SimulatedCoordinatorPartition()
let batch: { key: Uint8Array; value: Uint8Array | null }[] = []
let written = 0
const flush = (): void => {
  if (batch.length > 0) partition.append(buildBatch(batch, { timestamp: now, codec: values.codec as Codec }))
  batch = []
}
for (const record of records()) {
  written++
  if (batch.push(groupRecordCodec.encode(record)) === perBatch) flush()
}
flush()
const bytes = partition.batches.reduce((sum, { length }) => sum + length, 0)

/** Processor time of this thread in each turn of the event loop, as far as the load goes: wall time says little on a busy machine. */
const turnsMs: number[] = []
const cpuMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}
let turnBegan = 0
const clock: Clock = {
  ...systemClock,
  defer: (callback) => {
    turnsMs.push(cpuMs() - turnBegan)
    systemClock.defer(() => {
      turnBegan = cpuMs()
      callback()
    })
  },
}

const coordinator = new GroupCoordinator({
  clock,
  random: systemRandom,
  logger: silentLogger,
  settings: groupSettingsDefault,
  topic: { serves: () => true, partitionCount: () => 1, ensure: async () => 1, leaderOf: () => 1 },
  topics: new SimulatedTopics(),
  configs: groupConfigsDefault,
})
printMachine()
const heapBefore = process.memoryUsage().heapUsed
turnBegan = cpuMs()
const started = performance.now()
await coordinator.elected(0, partition)
const tookMs = performance.now() - started
turnsMs.push(cpuMs() - turnBegan)
const heapMb = (process.memoryUsage().heapUsed - heapBefore) / 1e6
console.log(`${written} records, ${(bytes / 1e6).toFixed(1)} MB in batches of ${perBatch}, ${values.codec}`)
console.log(`loaded in ${tookMs.toFixed(0)} ms, ${((tookMs * 1_000) / written).toFixed(1)} us a record`)
const [p99, longest] = [percentile(turnsMs, 0.99), percentile(turnsMs, 1)].map((value) => value.toFixed(1))
console.log(`in ${turnsMs.length} turns: p99 ${p99} ms of processor time, longest ${longest} ms`)
console.log(`heap grew by ${heapMb.toFixed(0)} MB`)
coordinator.close()
