// What the bench needs of a broker it measures, whoever made it. A peer is started on an empty or a used folder, watched through /proc,
// and stopped; all else is said in Kafka's protocol.

import type { Usage } from './usage.ts'

export type PeerName = 'odradek' | 'kafka' | 'probe'

/** Before a broker confirms a record: it is on the disk, or in the operating system's page cache. */
export type Durability = 'fsync' | 'page-cache'

export interface StartOptions {
  /** Made when absent; a peer that finds its own data there goes on with it. */
  readonly data: string
  /** Default 1. */
  readonly brokers?: number
  /** `name=value`, in the peer's own words. */
  readonly settings?: readonly string[]
  /** The broker writes a CPU profile into this folder when it stops, if it can. */
  readonly profile?: string
}

export interface Peer {
  readonly name: PeerName
  /** The version that is measured, as the report names it. */
  version(): Promise<string>
  /** Resolves when every broker has answered a Metadata request. */
  start(options: StartOptions): Promise<RunningPeer>
  /** What a topic is created with, so that `acks` means this. */
  topicConfigs(durability: Durability): Readonly<Record<string, string>>
}

export interface RunningPeer {
  readonly name: PeerName
  /** `host:port` of the first broker. */
  readonly bootstrap: string
  /** From the start of the processes until each broker had answered a Metadata request. */
  readonly readyMs: number
  /** Of all processes of this peer together. */
  usage(): Usage
  /** Ends the processes as an operator would. */
  stop(): Promise<void>
  /** kill -9 of all of them at once. */
  kill(): Promise<void>
}
