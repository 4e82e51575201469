// What `odradek verify` makes of the cluster's metadata in a data folder: whether a start could read it, and what it says of the topics.

import type { JournalEntry } from '../cluster/journal.ts'
import { JournalCorrupt } from '../cluster/journal.ts'
import { inspectJournal } from '../cluster/journal-reading.ts'
import { decodeDocument, type TopicDocument } from '../cluster/documents.ts'
import { isInternalTopic } from '../cluster/internal-topics.ts'
import { parseKey } from '../cluster/keys.ts'
import { brokerSettings } from '../cluster/settings/broker-settings.ts'
import { logConfigFor } from '../cluster/settings/topic-config.ts'
import type { Disk } from '../io/disk.ts'
import { whoseMetadata } from '../start/adopt/kafka-folder.ts'
import { metadataFolder } from '../start/metadata.ts'
import { Findings } from '../storage/verify/finding.ts'
import type { TopicFacts } from '../storage/verify/verify-log.ts'

export interface VerifiedMetadata {
  readonly findings: Findings
  /** Null: nothing could be read. */
  readonly topicOf: ((topicName: string, partition: number) => TopicFacts | null) | null
}

/** Broker-wide settings that say how logs are kept; the others are not needed here. */
const settingsOfLogs = ['log.flush.policy', 'log.cleanup.policy'] as const

/** Rejects with the disk's faults. */
export async function verifyMetadata(disk: Disk, path: string): Promise<VerifiedMetadata> {
  const findings = new Findings(`${metadataFolder}/`)
  const folder = `${path}/${metadataFolder}`
  const owner = await whoseMetadata(disk, folder)
  if (owner === 'kafka') {
    const meaning = 'it was not looked into; odradek adopt takes the folder over'
    findings.add('notice', '', 'the metadata is of Apache Kafka', meaning)
  }
  if (owner !== 'odradek') return { findings, topicOf: null }
  const kept = new Map<string, Uint8Array>()
  try {
    const journal = await inspectJournal(disk, folder, (entry) => apply(kept, entry))
    if (journal === null) return { findings, topicOf: null }
    const { file, sizeBytes, tornBytes, leftovers } = journal
    if (tornBytes > 0) {
      const meaning = `a change that nobody was told of; the next start cuts ${tornBytes} bytes`
      findings.add('tornTail', file, 'the last commit is cut short', meaning, { position: sizeBytes })
    }
    for (const name of leftovers) {
      findings.add('leftover', name, 'of a snapshot that a stop interrupted', 'the next start removes it')
    }
  } catch (error) {
    if (!(error instanceof JournalCorrupt)) throw error
    findings.add('damage', '', error.message, 'no broker starts on it')
    return { findings, topicOf: null }
  }
  return { findings, topicOf: factsOf(kept) }
}

function apply(kept: Map<string, Uint8Array>, { key, value }: JournalEntry): void {
  if (value === null) kept.delete(key)
  else kept.set(key, value)
}

function factsOf(kept: ReadonlyMap<string, Uint8Array>): (topicName: string, partition: number) => TopicFacts | null {
  const topics = new Map<string, TopicDocument>()
  const configs = new Map<string, ReadonlyMap<string, string>>()
  const ofAllBrokers: Record<string, string> = {}
  for (const [key, value] of kept) {
    const parsed = parseKey(key)
    if (parsed.kind === 'topic') topics.set(parsed.name, decodeDocument('topic', value))
    if (parsed.kind !== 'config') continue
    const entries = new Map(Object.entries(decodeDocument('config', value).entries))
    if (parsed.of === 'topic') configs.set(parsed.name, entries)
    if (parsed.of !== 'broker') continue
    for (const name of settingsOfLogs) if (entries.has(name)) ofAllBrokers[name] = entries.get(name)!
  }
  const broker = brokerSettings(ofAllBrokers)
  return (topicName, partition) => {
    const topic = topics.get(topicName)
    if (topic === undefined || partition >= topic.partitionCount) return null
    const internal = isInternalTopic(topicName)
    const { compacts, flushPolicy } = logConfigFor({ configs: configs.get(topicName) ?? new Map(), internal }, broker)
    return { topicId: topic.id, compacts, flushPolicy }
  }
}
