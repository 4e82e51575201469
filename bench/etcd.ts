// `node bench/etcd.ts`: the metadata store on a real etcd of three members on this machine, a table of what came out.
// Client and members share the cores and the disk: read ratios, not figures.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { EtcdMetaStore } from '../src/cluster/etcd/etcd-store.ts'
import type { CasItem } from '../src/cluster/meta-store.ts'
import { systemClock } from '../src/io/clock.ts'
import { realEtcd } from '../src/io/etcd.real.ts'
import { silentLogger } from '../src/lib/logger.ts'
import { EtcdUnderTest } from '../test/support/etcd.ts'

const value = Buffer.alloc(200, 'x')
const cleanUps: (() => Promise<void>)[] = []

async function connect(etcd: EtcdUnderTest): Promise<EtcdMetaStore> {
  const leader = await etcd.leader()
  const endpoints = [...etcd.endpoints.slice(leader), ...etcd.endpoints.slice(0, leader)]
  return EtcdMetaStore.connect({ door: realEtcd(), endpoints, clock: systemClock, logger: silentLogger })
}

function percentiles(values: number[]): string {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number): string => sorted[Math.floor(part * (sorted.length - 1))]!.toFixed(1)
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`
}

/** Each worker changes a key of its own, again and again. */
async function changes(store: EtcdMetaStore, workers: number, total: number): Promise<void> {
  const took: number[] = []
  const cpu = process.cpuUsage()
  const begun = performance.now()
  const work = async (worker: number): Promise<void> => {
    const key = `cas/${workers}/${worker}`
    let modRevision = 0
    for (let i = 0; i < total / workers; i++) {
      const sent = performance.now()
      const result = await store.transact([{ key, modRevision }], [{ kind: 'put', key, value }])
      took.push(performance.now() - sent)
      modRevision = result.revision
    }
  }
  await Promise.all(Array.from({ length: workers }, (_, worker) => work(worker)))
  const perSecond = (1000 * took.length) / (performance.now() - begun)
  const cpuMicros = (process.cpuUsage(cpu).user + process.cpuUsage(cpu).system) / took.length
  console.log(
    `changes, ${workers} in flight: ${perSecond.toFixed(0)}/s, ${percentiles(took)}, ${cpuMicros.toFixed(0)} µs of CPU each`,
  )
}

/** From the answer of a write's sending to the event at another connection. */
async function watchLatency(store: EtcdMetaStore, watcher: EtcdMetaStore, total: number): Promise<void> {
  const took: number[] = []
  let sent = 0
  let told = (): void => {}
  watcher.watch('watched/', (await watcher.list('watched/')).revision + 1, {
    events() {
      took.push(performance.now() - sent)
      told()
    },
    reset() {},
    stale() {},
  })
  const key = 'watched/key'
  let modRevision = 0
  for (let i = 0; i < total; i++) {
    const event = new Promise<void>((resolve) => (told = resolve))
    sent = performance.now()
    const result = await store.transact([{ key, modRevision }], [{ kind: 'put', key, value }])
    modRevision = result.revision
    await event
  }
  console.log(`from sending a write to its event: ${percentiles(took)}`)
}

async function many(store: EtcdMetaStore, count: number): Promise<void> {
  const revisions = Array.from({ length: count }, () => 0)
  for (const what of ['creating', 'changing']) {
    const items = revisions.map((modRevision, i): CasItem => {
      const key = `part/${String(i).padStart(6, '0')}`
      return { guards: [{ key, modRevision }], writes: [{ kind: 'put', key, value: value.subarray(0, 82) }] }
    })
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    const begun = performance.now()
    const results = await store.compareAndSwapMany([], items)
    const tookMs = performance.now() - begun
    delay.disable()
    if (results === 'fenced' || !results.every((result) => result.ok)) throw new Error('some failed')
    for (const [i, result] of results.entries()) revisions[i] = result.revision
    console.log(
      `${what} ${count} keys in one call: ${tookMs.toFixed(0)} ms, ${((1000 * count) / tookMs).toFixed(0)}/s, longest turn ${(delay.max / 1e6).toFixed(0)} ms`,
    )
  }
}

async function list(store: EtcdMetaStore): Promise<void> {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  delay.enable()
  const begun = performance.now()
  const { entries } = await store.list('part/')
  const tookMs = performance.now() - begun
  delay.disable()
  console.log(
    `listing ${entries.length} keys: ${tookMs.toFixed(0)} ms, longest turn ${(delay.max / 1e6).toFixed(0)} ms`,
  )
}

const etcd = await EtcdUnderTest.start(
  { after: (done: () => Promise<void>) => void cleanUps.push(done) },
  { members: 3 },
)
try {
  const store = await connect(etcd)
  const watcher = await connect(etcd)
  console.log(`memory after connecting: ${(process.memoryUsage().rss / 1e6).toFixed(0)} MB`)
  await changes(store, 16, 500) // warm
  for (const workers of [1, 16, 64]) await changes(store, workers === 1 ? 2 : workers, workers === 1 ? 10 : 500)
  for (const workers of [1, 16, 64]) await changes(store, workers, workers === 1 ? 1000 : 6000)
  await watchLatency(store, watcher, 1000)
  await many(store, 100_000)
  await list(store)
  await list(store)
  await watcher.close()
  await store.close()
} finally {
  for (const cleanUp of cleanUps) await cleanUp()
}
