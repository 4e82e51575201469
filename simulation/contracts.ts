// What the rooms of the simulator know of one another. A run is one seed: a world of machines on simulated doors, workloads that
// use it as clients do, faults by a schedule, and rules that are held against what is seen after every event.

import type { SimulatedClock } from '../src/io/clock.sim.ts'
import type { Millis } from '../src/io/clock.ts'
import type { SimulatedDisk } from '../src/io/disk.sim.ts'
import type { SimulatedNetwork } from '../src/io/network.sim.ts'
import type { SeededRandom } from '../src/io/random.sim.ts'
import type { ClusterImage } from '../src/cluster/image.ts'
import type { ReplicaSet } from '../src/replication/replica-set.ts'

/** One line per event; the same seed gives the same lines to the byte. */
export interface Trace {
  /** `who`: `broker-1`, `producer-2`, `schedule`. Time and number are added. */
  add(who: string, what: string): void
  readonly lines: readonly string[]
  /** SHA-256 of all lines. */
  digest(): string
}

/** What the rules may look at inside a broker that runs. Nobody changes anything through it. */
export interface BrokerInside {
  readonly image: ClusterImage
  readonly replicas: ReplicaSet
  /** Whether its lease holds at this moment. */
  valid(): boolean
}

export type MachineState = 'down' | 'starting' | 'up' | 'frozen'

/** A machine with a disk and, while it is up, a broker: `runBroker` of production, on this machine's doors. */
export interface Machine {
  readonly id: number
  readonly host: string
  readonly state: MachineState
  /** Null while the broker is down or has not finished its start. */
  readonly inside: BrokerInside | null
  /** As it is now: another one after every crash. */
  readonly disk: SimulatedDisk
}

export interface World {
  readonly seed: number
  readonly clock: SimulatedClock
  readonly network: SimulatedNetwork
  readonly trace: Trace
  readonly machines: readonly Machine[]
  /** A stream of its own for each name: what one draws changes nothing for another. */
  random(name: string): SeededRandom
  /** The metadata as it is kept now, read past all faults: at once. */
  readonly image: ClusterImage
  /** The same. */
  truth(): Promise<ClusterImage>
  /** Clients connect as hosts of these names' network: `network.host('producer-1')`; brokers listen on `machine.host`:9092. */
  readonly portOfBrokers: number
  /** Ends the run: the rule is broken. */
  violated(violation: Violation): void
}

/** A rule is broken. */
export class Violation extends Error {
  readonly rule: string

  constructor(rule: string, what: string) {
    super(`${rule}: ${what}`)
    this.rule = rule
  }
}

/** Clients of one kind. They go on through every fault, note what they were told, and never throw for what a cluster may answer. */
export interface Workload {
  readonly name: string
  /** Begins; resolves when its topics are there or will be tried for again. */
  start(): Promise<void>
  /** Ends what is under way; the faults are over, so all of it comes to an end. */
  stop(): Promise<void>
  /** After `stop`, in a cluster that has settled: reads back everything and holds it against what was promised. */
  verify(): Promise<void>
}

/** Held against the world after every event. Throws a `Violation`. */
export interface Invariant {
  readonly name: string
  check(world: World): void
}

/** Settles within this much simulated time once all faults are over. */
export const settleMsMax: Millis = 120_000
