// What the values of the metadata store say: JSON with a version, one shape per kind of key (keys.ts).

import type { EndpointImage } from './image.ts'

export interface ClusterDocument {
  readonly id: string
}

export interface ControllerDocument {
  readonly brokerId: number
  readonly brokerEpoch: number
}

export interface LiveDocument {
  /** Of this run of the broker's process. */
  readonly incarnation: string
  readonly endpoints: readonly EndpointImage[]
  readonly rack: string | null
  /** Of the broker's data folder: the id in its meta.properties. */
  readonly directoryId: string
  /** Where that is; nobody knows when absent. */
  readonly place?: string
  /** Asked to go (controlled shutdown): it gets no leadership and joins no ISR any more. */
  readonly leaving: boolean
}

/**
 * What stays of a broker when its registration is gone. Written in one transaction with each registration, so that the revision
 * that wrote it is the broker's last epoch. It says whether the next start has the data of the last one.
 */
export interface BrokerDocument {
  readonly incarnation: string
  readonly directoryId: string
  readonly endpoints: readonly EndpointImage[]
  readonly rack: string | null
}

export interface TopicDocument {
  readonly id: string
  readonly partitionCount: number
}

export interface PartitionDocument {
  /** While a reassignment runs: those it leads to, then those it removes (as Kafka). The first is the preferred leader. */
  readonly replicas: readonly number[]
  /** Never empty, unless the only member came back with an old or empty disk: then all that was acknowledged may be lost. */
  readonly isr: readonly number[]
  /** -1: nobody. */
  readonly leader: number
  /** Grows with every election. */
  readonly leaderEpoch: number
  /** Grows with every change. */
  readonly partitionEpoch: number
  /** Of `replicas`, those that a reassignment adds; absent when none. */
  readonly adding?: readonly number[]
  /** Of `replicas`, those that go when the reassignment is complete; absent when none. */
  readonly removing?: readonly number[]
  /** Of `replicas`, those whose broker lives without their log: its disk failed; absent when none. */
  readonly failed?: readonly number[]
}

export interface ConfigDocument {
  readonly entries: Readonly<Record<string, string>>
}

export interface CreationDocument {
  readonly brokerId: number
  readonly brokerEpoch: number
}

/** A topic that was deleted while some of its brokers were away. */
export interface DeletionDocument {
  readonly topicName: string
  /** Those that still have a folder of it. */
  readonly brokerIds: readonly number[]
}

export interface ProducerIdBlockDocument {
  readonly next: number
}

/** By kind of key. */
export interface Documents {
  readonly cluster: ClusterDocument
  readonly controller: ControllerDocument
  readonly live: LiveDocument
  readonly broker: BrokerDocument
  readonly topic: TopicDocument
  readonly partition: PartitionDocument
  readonly config: ConfigDocument
  readonly creation: CreationDocument
  readonly deletion: DeletionDocument
  readonly producerIdBlock: ProducerIdBlockDocument
}

const version = 1
const utf8 = new TextEncoder()
const text = new TextDecoder()

export function encodeDocument(document: Documents[keyof Documents]): Uint8Array {
  return utf8.encode(JSON.stringify({ v: version, ...document }))
}

/** Written by a version of this program that knows more than this one; nothing can be done with it here. */
class UnknownDocumentVersion extends Error {
  override readonly name = 'UnknownDocumentVersion'
}

/** `kind` is known from the key. Throws `UnknownDocumentVersion`. */
export function decodeDocument<Kind extends keyof Documents>(kind: Kind, value: Uint8Array): Documents[Kind] {
  const document = JSON.parse(text.decode(value)) as Documents[Kind] & { readonly v: number }
  if (document.v !== version) {
    throw new UnknownDocumentVersion(
      `the metadata holds a ${kind} document of version ${document.v}; this program knows version ${version}`,
    )
  }
  return document
}
