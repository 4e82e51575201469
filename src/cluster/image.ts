// The cluster as every broker sees it: one immutable value, replaced whole when the metadata store changes.

export interface EndpointImage {
  readonly listener: string
  readonly host: string
  readonly port: number
}

export interface BrokerImage {
  readonly id: number
  /** Revision that created the broker's registration: grows with every incarnation. */
  readonly epoch: number
  readonly endpoints: readonly EndpointImage[]
  readonly rack: string | null
  /** Of its data folder. */
  readonly directoryId: string
  /** Asked to go (controlled shutdown): it gets no leadership and joins no ISR any more. */
  readonly leaving: boolean
}

/** A broker that has been part of the cluster, whether it is there or not. */
export interface KnownBrokerImage {
  readonly id: number
  /** Of its last registration. */
  readonly lastEpoch: number
  readonly incarnation: string
  readonly directoryId: string
  readonly endpoints: readonly EndpointImage[]
  readonly rack: string | null
}

export interface PartitionImage {
  readonly index: number
  /** Revision of the metadata store that wrote it: what a change must be guarded by. */
  readonly revision: number
  /** While a reassignment runs: those it leads to, then those it removes. The first is the preferred leader. */
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  /** Broker id, or -1 when nobody leads. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  /** Of `replicas`, those that a reassignment adds; empty when none. */
  readonly adding: readonly number[]
  /** Of `replicas`, those that go when the reassignment is complete; empty when none. */
  readonly removing: readonly number[]
  /** Of `replicas`, those whose broker lives without their log: its disk failed. */
  readonly failed: readonly number[]
}

export interface TopicImage {
  readonly name: string
  /** base64url, 22 characters. */
  readonly id: string
  readonly internal: boolean
  /** By index, without holes. */
  readonly partitions: readonly PartitionImage[]
  /** Only what was set on the topic itself. */
  readonly configs: ReadonlyMap<string, string>
}

export interface ClusterImage {
  /** Revision of the metadata store this image shows. */
  readonly revision: number
  readonly clusterId: string
  /** Broker id of the controller, or -1. */
  readonly controllerId: number
  /** Those that are there. */
  readonly brokers: ReadonlyMap<number, BrokerImage>
  /** All that have ever been there, the living too. */
  readonly knownBrokers: ReadonlyMap<number, KnownBrokerImage>
  readonly topicsByName: ReadonlyMap<string, TopicImage>
  readonly topicsById: ReadonlyMap<string, TopicImage>
  /** Dynamic configs by resource: `broker/1`, `broker/` (default of all), `group/<id>`. Topics carry their own. */
  readonly configs: ReadonlyMap<string, ReadonlyMap<string, string>>
}

/** What changed between two images, so that a listener need not compare them. */
export interface ImageChange {
  readonly before: ClusterImage
  readonly after: ClusterImage
  /** Topics created, changed (partitions or configs) or deleted, by id. */
  readonly topicIds: ReadonlySet<string>
}

/** Holds the newest image; listeners run synchronously, in order of subscription, for each change. */
export interface ClusterView {
  readonly image: ClusterImage
  subscribe(listener: (change: ImageChange) => void): () => void
  /** Resolves once `image.revision >= revision`. */
  reached(revision: number): Promise<void>
  /** Resolves once the image shows all that was written before the call. Rejects with the store's faults. */
  upToDate(): Promise<void>
}
