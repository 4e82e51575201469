// What three replicas cost beside one, with acks=all: the same load on a topic of each kind, over and over in turn. Brokers, etcd and load
// generators share the cores, and each byte of three replicas is written three times: the ratio is the worst case of one machine.

import type { BatchShape, LoadResult } from '../load/load.ts'
import { LoadProcess } from '../load/load-process.ts'
import { median } from '../measured.ts'
import { ClusterUnderBench } from './brokers.ts'

const KIB = 1024
const rounds = 3

interface Shape extends BatchShape {
  readonly name: string
  readonly partitions: number
  readonly inFlight: number
}

const records = { recordBytes: KIB, inFlight: 5 }
const shapes: readonly Shape[] = [
  { ...records, name: '1 KiB alone, one at a time', partitions: 1, batchBytes: KIB, inFlight: 1 },
  { ...records, name: '16 KiB batches, 1 partition', partitions: 1, batchBytes: 16 * KIB },
  { ...records, name: '16 KiB batches, 12 partitions', partitions: 12, batchBytes: 16 * KIB },
  { ...records, name: '1 MiB batches, 3 partitions', partitions: 3, batchBytes: 1024 * KIB },
]

interface Measured {
  readonly megabytesPerSecond: number
  readonly cpuSecondsPerGigabyte: number
  /** How long one request took: `inFlight` of them are under way on each connection. */
  readonly requestMs: number
}

export async function measureThroughput(seconds: number): Promise<void> {
  const load = await LoadProcess.start()
  try {
    await ClusterUnderBench.with({ brokers: 3 }, async (cluster) => {
      console.log('acks=all'.padEnd(34) + 'replicas   MB/s   CPU s/GB   ms a request')
      for (const [i, shape] of shapes.entries()) await compare(cluster, load, { shape, topic: `load-${i}`, seconds })
    })
  } finally {
    await load.stop()
  }
}

async function compare(
  cluster: ClusterUnderBench,
  load: LoadProcess,
  { shape, topic, seconds }: { readonly shape: Shape; readonly topic: string; readonly seconds: number },
): Promise<void> {
  const { name, partitions, inFlight, recordBytes, batchBytes } = shape
  const bootstrap = cluster.addressOf(1)
  const results = new Map<number, Measured[]>([
    [1, []],
    [3, []],
  ])
  for (const replicas of results.keys())
    await cluster.createTopic({ name: `${topic}-${replicas}`, partitions, replicas })
  // The first round is for warming up.
  for (let round = 0; round <= rounds; round++) {
    for (const [replicas, measured] of results) {
      const cpu = { begin: 0, end: 0 }
      const result = await load.run(
        {
          kind: 'produce',
          bootstrap,
          topic: `${topic}-${replicas}`,
          partitions,
          recordBytes,
          batchBytes,
          inFlight,
          connections: partitions,
          partitionsPerRequest: 1,
          acks: -1,
          warmSeconds: 0.5,
          seconds,
        },
        { onBegin: () => (cpu.begin = cpuSecondsOf(cluster)), onEnd: () => (cpu.end = cpuSecondsOf(cluster)) },
      )
      if (round > 0)
        measured.push(figuresOf(result, { cpuSeconds: cpu.end - cpu.begin, underWay: inFlight * partitions }))
    }
  }
  const speeds: number[] = []
  for (const [replicas, measured] of results) {
    const of = (figure: keyof Measured): number => median(measured.map((each) => each[figure]))
    const speed = of('megabytesPerSecond')
    speeds.push(speed)
    const cells = [
      speed.toFixed(speed < 10 ? 2 : 0).padStart(7),
      of('cpuSecondsPerGigabyte').toFixed(1).padStart(11),
      of('requestMs').toFixed(2).padStart(15),
    ]
    console.log(name.padEnd(34) + String(replicas).padStart(8) + cells.join(''))
  }
  console.log(`${name.padEnd(34)}   ratio${(speeds[1]! / speeds[0]!).toFixed(2).padStart(7)}`)
}

function figuresOf(
  { produced, seconds }: LoadResult,
  { cpuSeconds, underWay }: { readonly cpuSeconds: number; readonly underWay: number },
): Measured {
  return {
    megabytesPerSecond: produced.bytes / 1e6 / seconds,
    cpuSecondsPerGigabyte: cpuSeconds / (produced.bytes / 1e9),
    requestMs: (seconds * 1000 * underWay) / produced.requests,
  }
}

function cpuSecondsOf(cluster: ClusterUnderBench): number {
  return [...cluster.brokers.values()].reduce((sum, broker) => sum + broker.cpuSeconds(), 0)
}
