// What the bench measures: a row of the report, and how one round of it goes on one peer. A row says nothing of rounds, their order or
// warming up; that is bench/main.ts's, alike for all.

import type { LoadProcess } from '../load/load-process.ts'
import type { Peer, PeerName, RunningPeer } from '../peers/peer.ts'
import type { Goal, Sample, Section } from '../report/result.ts'

export interface RowHead {
  /** Unique and stable, as `produce/1kb/16kib/16p/acks-all/none/page-cache`: `--only` chooses by it, two runs are compared by it. */
  readonly id: string
  readonly section: Section
  /** For people; unique within the section. */
  readonly title: string
  readonly goals: readonly Goal[]
  /** Who can be measured. Default Odradek and Kafka, and the probe when a goal is against it. */
  readonly peers?: readonly PeerName[]
  /** Not of the default run, but of `--full`. Default false. */
  readonly fullOnly?: boolean
  /** For what takes long: at most so many rounds are counted. Default as many as the run has. */
  readonly roundsMax?: number
  /** For what varies much from round to round: so many times the rounds of the run. Default once. */
  readonly roundsTimes?: number
  /** False where each round starts brokers of its own and takes long: every one is counted. Default true: the first is not. */
  readonly warmsUp?: boolean
}

/** What a round has at hand. */
export interface Round {
  readonly peer: Peer
  readonly load: LoadProcess
  /** Unique to the row and peer, the same in `prepare`, every round and `clear`: a name for topics and groups. */
  readonly name: string
  /** 0 warms up and is not counted; in `prepare` and `clear` 0 too. */
  readonly index: number
  /** How long steady work is measured. */
  readonly warmSeconds: number
  readonly seconds: number
  /** The bench is only tried: amounts (bytes, partitions, members) may be a tenth. */
  readonly quick: boolean
}

/** On the brokers that stay up for the whole run, one of each peer. What a row makes there, it deletes. */
export interface SharedRound extends Round {
  readonly broker: RunningPeer
}

/** On brokers that the row starts and stops itself. */
export interface OwnRound extends Round {
  /** A folder for this row and peer, empty before `prepare`, removed after `clear`. */
  readonly data: string
}

interface Steps<R extends Round> {
  /** Once for each peer, before the first round. */
  prepare?(round: R): Promise<void>
  /** Throws when it cannot be measured here: the report says why. */
  measure(round: R): Promise<Sample>
  /** Once for each peer, after the last round, also when one has failed. */
  clear?(round: R): Promise<void>
}

export interface SharedRow extends RowHead, Steps<SharedRound> {
  readonly brokers: 'shared'
  /** How many brokers of a peer; default one. Those of rows that say the same and follow each other are the same. */
  readonly brokerCounts?: Partial<Record<PeerName, number>>
}

export interface OwnRow extends RowHead, Steps<OwnRound> {
  readonly brokers: 'own'
}

export type Row = SharedRow | OwnRow
