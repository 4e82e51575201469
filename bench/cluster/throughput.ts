// What three replicas cost beside one, with acks=all: the same load on a topic of each kind, over and over in turn. Brokers, etcd and load
// generators share the cores, and each byte of three replicas is written three times: the ratio is the worst case of one machine.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Load, LoadResult } from '../load.ts'
import { median } from '../measured.ts'
import { ClusterUnderBench } from './brokers.ts'

const KIB = 1024
const rounds = 3

interface Shape extends Pick<Load, 'partitions' | 'recordBytes' | 'batchBytes' | 'inFlight'> {
  readonly name: string
  /** Of the bytes of the measurement. */
  readonly share: number
}

const shapes: readonly Shape[] = [
  { name: '1 KiB alone, one at a time', partitions: 1, recordBytes: KIB, batchBytes: KIB, inFlight: 1, share: 1 / 100 },
  { name: '16 KiB batches, 1 partition', partitions: 1, recordBytes: KIB, batchBytes: 16 * KIB, inFlight: 5, share: 1 },
  {
    name: '16 KiB batches, 12 partitions',
    partitions: 12,
    recordBytes: KIB,
    batchBytes: 16 * KIB,
    inFlight: 5,
    share: 1,
  },
  {
    name: '1 MiB batches, 3 partitions',
    partitions: 3,
    recordBytes: KIB,
    batchBytes: 1024 * KIB,
    inFlight: 5,
    share: 1,
  },
]

export async function measureThroughput(megabytes: number): Promise<void> {
  await ClusterUnderBench.with({ brokers: 3 }, async (cluster) => {
    const bootstrap = cluster.addressOf(1)
    console.log('acks=all'.padEnd(34) + 'replicas   MB/s   CPU s/GB   p50 ms   p99 ms')
    for (const [i, shape] of shapes.entries()) {
      const results = new Map<number, { result: LoadResult; cpuSeconds: number }[]>([
        [1, []],
        [3, []],
      ])
      for (const replicas of [1, 3])
        await cluster.createTopic({ name: `load-${i}-${replicas}`, partitions: shape.partitions, replicas })
      for (let round = 0; round <= rounds; round++) {
        for (const replicas of [1, 3]) {
          const cpuBefore = cpuSecondsOf(cluster)
          const totalBytes = megabytes * 1_000_000 * shape.share
          const { partitions, recordBytes, batchBytes, inFlight } = shape
          const load = { partitions, recordBytes, batchBytes, inFlight, bootstrap, totalBytes, acks: -1 }
          const result = await run({ ...load, kind: 'produce', topic: `load-${i}-${replicas}` })
          // The first is for warming up.
          if (round > 0) results.get(replicas)!.push({ result, cpuSeconds: cpuSecondsOf(cluster) - cpuBefore })
        }
      }
      const speeds: number[] = []
      for (const [replicas, runs] of results) {
        const speed = median(runs.map(({ result }) => result.bytes / 1e6 / result.seconds))
        speeds.push(speed)
        const cells = [
          speed.toFixed(speed < 10 ? 2 : 0).padStart(7),
          median(runs.map(({ result, cpuSeconds }) => cpuSeconds / (result.bytes / 1e9)))
            .toFixed(1)
            .padStart(11),
          median(runs.map(({ result }) => result.latencyP50Ms))
            .toFixed(2)
            .padStart(9),
          median(runs.map(({ result }) => result.latencyP99Ms))
            .toFixed(2)
            .padStart(9),
        ]
        console.log(shape.name.padEnd(34) + String(replicas).padStart(8) + cells.join(''))
      }
      console.log(`${shape.name.padEnd(34)}   ratio${(speeds[1]! / speeds[0]!).toFixed(2).padStart(7)}`)
    }
  })
}

function cpuSecondsOf(cluster: ClusterUnderBench): number {
  return [...cluster.brokers.values()].reduce((sum, broker) => sum + broker.cpuSeconds(), 0)
}

async function run(load: Load): Promise<LoadResult> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../load.ts'), JSON.stringify(load)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (text: Buffer) => (output += text.toString()))
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`the load generator ended with ${code}`)
  return JSON.parse(output) as LoadResult
}
