// A cluster under load, and the questions that are asked of it after each fault.

import { pause } from '../support/wait-for.ts'
import type { Place, FaultCluster } from './cluster.ts'
import type { Load } from './loads.ts'
import type { Reader } from './readers.ts'
import { batchesBelow, differenceOf, problemsOf, valuesOf } from './replicas.ts'

/** However loaded the machine is: what takes longer does not come. */
const patienceMs = 90_000
/** Before a fault. */
const calmMs = 1000

export interface Outcome {
  /** Records acknowledged so far, of all loads. */
  readonly acknowledged: number
  /** The longest time in which one of the loads was acknowledged nothing in one of its partitions, by load. */
  readonly gapsMs: ReadonlyMap<string, number>
  readonly settledMs: number
}

export class World {
  readonly cluster: FaultCluster
  readonly loads: readonly Load[]
  readonly readers: readonly Reader[]

  constructor(cluster: FaultCluster, loads: readonly Load[], readers: readonly Reader[]) {
    this.cluster = cluster
    this.loads = loads
    this.readers = readers
  }

  /** The leader of a partition under load, another one in each round. */
  async someLeader(
    round: number,
  ): Promise<{ readonly topic: string; readonly partition: number; readonly leader: number }> {
    const { topic } = this.loads[round % this.loads.length]!
    const leader = await this.cluster.leaderOf(topic, 0)
    return { topic, partition: 0, leader }
  }

  /** Resolves when every load is acknowledged new records in all of its partitions. */
  async flowing(timeoutMs = patienceMs, loads: readonly Load[] = this.loads): Promise<void> {
    await Promise.all(loads.map((load) => load.flowing(timeoutMs)))
  }

  /** A round: everything is well, the fault happens and ends, everything is well again, and nothing was lost. */
  async round(fault: () => Promise<void>): Promise<Outcome> {
    await this.flowing()
    await pause(calmMs)
    for (const load of this.loads) load.watchGaps()
    await fault()
    await this.flowing()
    const settledMs = await this.cluster.settled(patienceMs)
    const gapsMs = new Map(this.loads.map((load) => [load.name, load.longestGapMs]))
    await this.check()
    return {
      acknowledged: this.loads.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0),
      gapsMs,
      settledMs,
    }
  }

  /** Rejects with everything that is wrong. */
  async check(): Promise<void> {
    const problems: string[] = [...this.cluster.unexpectedEnds]
    const told = new Map(this.loads.map((load) => [load, [...load.acknowledged]]))
    for (const { name, errors } of this.loads) {
      if (errors.length > 0) problems.push(`${name} gave up ${errors.length} records: ${errors[0]}`)
    }
    await this.#readersHaveSeen(told, problems)
    for (const place of await this.cluster.places()) {
      const end = await this.#highWatermark(place)
      const folders = new Map(place.replicas.map((id) => [id, this.cluster.dataOf(id)]))
      const difference = await differenceOf(folders, place.topic, place.partition, end)
      if (difference !== null) problems.push(difference)
      const load = this.loads.find(({ topic }) => topic === place.topic)
      if (load === undefined) continue
      // All acknowledged before the high watermark was asked lie below it.
      const values = valuesOf(await batchesBelow(this.cluster.dataOf(place.leader), place.topic, place.partition, end))
      problems.push(...problemsOf(load, told.get(load)!, place.partition, values))
    }
    if (problems.length > 0) throw new Error(problems.join('\n'))
  }

  async #highWatermark({ topic, partition }: Place): Promise<number> {
    const offsets = await (await this.cluster.admin()).fetchTopicOffsets(topic)
    return Number(offsets.find((one) => one.partition === partition)!.high)
  }

  async #readersHaveSeen(told: ReadonlyMap<Load, Load['acknowledged']>, problems: string[]): Promise<void> {
    const questions: Promise<void>[] = []
    for (const reader of this.readers) {
      for (const [{ topic }, acknowledged] of told) {
        if (reader.reads(topic)) questions.push(reader.hasSeen(topic, acknowledged, patienceMs))
      }
    }
    for (const answer of await Promise.allSettled(questions)) {
      if (answer.status === 'rejected') problems.push((answer.reason as Error).message)
    }
  }
}
