// How long the controller takes when a broker dies: from the end of its registration until every partition has its leader and
// its ISR, as the image shows. One process: the store in memory, one controller, one view.
//
//   node bench/failover.ts [partitions] [brokers] [partitions of a topic]

import { ClusterViewOfStore } from '../src/cluster/cluster-view.ts'
import { Controller } from '../src/cluster/controller/controller.ts'
import { encodeDocument } from '../src/cluster/documents.ts'
import { FileJournal } from '../src/cluster/file-journal.ts'
import { liveKey, partitionKey, topicKey } from '../src/cluster/keys.ts'
import { EmbeddedMetaStore } from '../src/cluster/meta-store.embedded.ts'
import type { MetaWrite } from '../src/cluster/meta-store.ts'
import { placeReplicas } from '../src/cluster/replica-placement.ts'
import { brokerSettings } from '../src/cluster/settings/broker-settings.ts'
import { systemClock } from '../src/io/clock.ts'
import { MemoryDisk } from '../src/io/disk.memory.ts'
import { seededRandom } from '../src/io/random.sim.ts'
import { silentLogger } from '../src/lib/logger.ts'

const [partitionCount = 3000, brokerCount = 3, perTopic = 10] = process.argv.slice(2).map(Number)
const ids = Array.from({ length: brokerCount }, (_, i) => i + 1)
const clock = systemClock
const random = seededRandom(1)
const store = await EmbeddedMetaStore.open({ journal: new FileJournal(new MemoryDisk(), '/metadata'), clock })

async function write(writes: readonly MetaWrite[]): Promise<number> {
  const result = await store.transact([{ key: 'never', modRevision: 0 }], writes)
  return result.revision
}

const lease = await store.lease(9000)
const epochs = new Map<number, number>()
for (const id of ids) {
  const live = { incarnation: `${id}`, endpoints: [], rack: null, directoryId: `${id}`, leaving: false }
  epochs.set(id, await write([{ kind: 'put', key: liveKey(id), value: encodeDocument(live), lease }]))
}
const placed = placeReplicas({
  brokers: ids.map((id) => ({ id, rack: null, active: true })),
  partitions: partitionCount,
  factor: Math.min(3, brokerCount),
  random,
})
if (!placed.ok) throw new Error(placed.message)
for (let topic = 0; topic * perTopic < partitionCount; topic++) {
  const id = `topic-${topic}`
  const replicas = placed.replicas.slice(topic * perTopic, (topic + 1) * perTopic)
  await write([
    { kind: 'put', key: topicKey(id), value: encodeDocument({ id, partitionCount: replicas.length }) },
    ...replicas.map((brokerIds, index) => ({
      kind: 'put' as const,
      key: partitionKey(id, index),
      value: encodeDocument({
        replicas: brokerIds,
        isr: brokerIds,
        leader: brokerIds[0]!,
        leaderEpoch: 0,
        partitionEpoch: 0,
      }),
    })),
  ])
}

const listed = performance.now()
const view = await ClusterViewOfStore.open({
  store,
  onFault: (error) => {
    throw error
  },
})
const opened = performance.now()
const settings = brokerSettings({})
const controller = new Controller({ store, view, brokerId: 1, settings, clock, logger: silentLogger })
await controller.join({ brokerId: 1, epoch: epochs.get(1)!, lease })
const inOffice = performance.now()

const dead = 2
let counts = { led: 0, shrunk: 0 }
for (const replicas of placed.replicas) {
  if (replicas[0] === dead) counts = { ...counts, led: counts.led + 1 }
  else if (replicas.includes(dead)) counts = { ...counts, shrunk: counts.shrunk + 1 }
}
let longestTurnMs = 0
let turn = performance.now()
const watchTurns = () => {
  const now = performance.now()
  longestTurnMs = Math.max(longestTurnMs, now - turn)
  turn = now
  setImmediate(watchTurns).unref()
}
watchTurns()
let ledAt = 0
const died = performance.now()
const settled = new Promise<void>((resolve) => {
  let led = counts.led
  let counted = counts.led + counts.shrunk
  view.subscribe(({ before, after, topicIds }) => {
    for (const id of topicIds) {
      for (const [index, { leader, isr }] of after.topicsById.get(id)!.partitions.entries()) {
        const old = before.topicsById.get(id)!.partitions[index]!
        if (old.leader === dead && leader !== dead) led--
        if (old.isr.includes(dead) && !isr.includes(dead)) counted--
      }
    }
    if (led === 0 && ledAt === 0) ledAt = performance.now()
    if (counted === 0) resolve()
  })
})
await store.transact(
  [{ key: liveKey(dead), createRevision: epochs.get(dead)! }],
  [{ kind: 'delete', key: liveKey(dead) }],
)
await settled
const over = performance.now()
console.log({
  partitions: partitionCount,
  brokers: brokerCount,
  leadersMoved: counts.led,
  isrsShrunk: counts.shrunk,
  viewOpenedMs: Math.round(opened - listed),
  officeTakenMs: Math.round(inOffice - opened),
  leadersMovedMs: Math.round(ledAt - died),
  allDoneMs: Math.round(over - died),
  longestTurnMs: Math.round(longestTurnMs),
})
controller.leave()
view.close()
await store.close()
