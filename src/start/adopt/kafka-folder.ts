// One of Apache Kafka's data folders (a `log.dir`) as it lies there: whose it is, the logs in it, and what is no log of any topic.
// Only read here.

import type { DirectoryEntry, Disk } from '../../io/disk.ts'
import { CheckpointFormatError, decodeOffsetCheckpoint, type OffsetCheckpoint } from '../../storage/checkpoint-file.ts'
import { parseLogFolderName } from '../../storage/log-folder-name.ts'
import { decodeMetaProperties } from '../../storage/meta-properties.ts'
import { decodePartitionMetadata } from '../../storage/partition-metadata.ts'
import { partitionMetadataFileName } from '../../storage/segment-names.ts'
import { metadataFolder } from '../metadata.ts'
import { whoseMetadata } from './whose-metadata.ts'

export { whoseMetadata } from './whose-metadata.ts'

/** Odradek's metadata while an adoption is under way; that it is there says so. */
export const adoptingFolder = `${metadataFolder}.adopting`
/** What Kafka's own files are called once Odradek has files of those names. */
export const asideSuffix = '.kafka'
export const metaPropertiesFile = 'meta.properties'
export const cleanShutdownFile = '.kafka_cleanshutdown'
export const lockFile = '.lock'

export const checkpointFiles = [
  'recovery-point-offset-checkpoint',
  'log-start-offset-checkpoint',
  'replication-offset-checkpoint',
  'cleaner-offset-checkpoint',
] as const
export type CheckpointFile = (typeof checkpointFiles)[number]

export interface KafkaLog {
  /** Whole path. */
  readonly folder: string
  /** `orders-0` */
  readonly name: string
  readonly topicName: string
  readonly partition: number
  /** Null: Kafka older than 2.8 wrote none. */
  readonly topicId: string | null
  readonly files: readonly DirectoryEntry[]
  readonly sizeBytes: number
}

export interface KafkaFolder {
  readonly path: string
  readonly clusterId: string
  readonly nodeId: number
  /** Null: written by a Kafka that had no ids for folders. */
  readonly directoryId: string | null
  readonly wasClean: boolean
  /** An adoption of this folder in place was begun and interrupted. */
  readonly isBeingAdopted: boolean
  readonly logs: readonly KafkaLog[]
  /** Folders that belong to no partition, and why. */
  readonly aside: readonly { readonly name: string; readonly why: string }[]
  /** Path of KRaft's metadata log, when this folder has it. */
  readonly metadataFolder: string | null
  readonly checkpoints: ReadonlyMap<CheckpointFile, OffsetCheckpoint>
  /** Checkpoints whose bytes make no sense. */
  readonly unreadable: readonly string[]
}

export type FolderRead =
  | { readonly ok: true; readonly folder: KafkaFolder }
  | { readonly ok: false; readonly problem: string }

/** Refuses what is no folder of Kafka, and what is Odradek's already. Rejects with the disk's faults. */
export async function readKafkaFolder(disk: Disk, path: string): Promise<FolderRead> {
  const refuse = (problem: string): FolderRead => ({ ok: false, problem: `${path} ${problem}` })
  const entries = await disk.list(path)
  if (entries.length === 0) return refuse('is empty, or not there')
  const names = new Set(entries.map(({ name }) => name))
  const isBeingAdopted = names.has(adoptingFolder)
  const aside = names.has(metadataFolder + asideSuffix)
  const own = names.has(metadataFolder) ? await whoseMetadata(disk, `${path}/${metadataFolder}`) : null
  if (own === 'odradek') {
    return refuse(
      aside
        ? `was adopted already: start it with odradek start --data ${path}`
        : `is a data folder of Odradek: start it with odradek start --data ${path}`,
    )
  }
  if (own === 'kafka' && aside) {
    return refuse(
      `has both ${metadataFolder} and ${metadataFolder}${asideSuffix} of Kafka: move the older one elsewhere`,
    )
  }
  // Of an adoption that was interrupted, what was set aside is Kafka's; what has its name is ours.
  const kafkas = (name: string) => (isBeingAdopted && names.has(name + asideSuffix) ? name + asideSuffix : name)
  const properties = await disk.readFile(`${path}/${kafkas(metaPropertiesFile)}`)
  if (properties === null) return refuse(`is not a folder of Kafka's log.dirs: there is no ${metaPropertiesFile} in it`)
  const meta = decodeMetaProperties(properties)
  if (meta.clusterId === null || meta.nodeId === null) {
    return refuse(`has a ${metaPropertiesFile} that does not say of which cluster and node it is`)
  }
  const { logs, others } = await readLogs(disk, path, entries)
  const { checkpoints, unreadable } = await readCheckpoints(disk, path, kafkas)
  return {
    ok: true,
    folder: {
      path,
      clusterId: meta.clusterId,
      nodeId: meta.nodeId,
      directoryId: meta.directoryId,
      wasClean: names.has(cleanShutdownFile),
      isBeingAdopted,
      logs,
      aside: others,
      metadataFolder:
        own === 'kafka' ? `${path}/${metadataFolder}` : aside ? `${path}/${metadataFolder}${asideSuffix}` : null,
      checkpoints,
      unreadable,
    },
  }
}

async function readLogs(disk: Disk, path: string, entries: readonly DirectoryEntry[]) {
  const logs: KafkaLog[] = []
  const others: { name: string; why: string }[] = []
  for (const { name, kind } of entries) {
    if (kind !== 'folder' || name.startsWith(metadataFolder)) continue
    const parsed = parseLogFolderName(name)
    if (parsed === null) {
      const why = reasons.find(([suffix]) => name.endsWith(suffix))?.[1]
      others.push({ name, why: why ?? "is not called as Kafka's logs are" })
      continue
    }
    const folder = `${path}/${name}`
    const files = (await disk.list(folder)).filter((entry) => entry.kind === 'file')
    const metadata = await disk.readFile(`${folder}/${partitionMetadataFileName}`)
    logs.push({
      ...parsed,
      folder,
      name,
      topicId: metadata === null ? null : decodePartitionMetadata(metadata),
      files,
      sizeBytes: files.reduce((sum, file) => sum + (file.name.endsWith('.log') ? file.sizeBytes : 0), 0),
    })
  }
  return { logs, others }
}

const reasons: readonly (readonly [suffix: string, why: string])[] = [
  ['-delete', 'its topic was deleted'],
  ['-future', 'a copy that Kafka had not finished moving between its folders'],
  ['-stray', 'Kafka had set it aside'],
]

async function readCheckpoints(disk: Disk, path: string, kafkas: (name: string) => string) {
  const checkpoints = new Map<CheckpointFile, OffsetCheckpoint>()
  const unreadable: string[] = []
  for (const name of checkpointFiles) {
    const bytes = await disk.readFile(`${path}/${kafkas(name)}`)
    // Kafka makes the file before it has anything to say.
    if (bytes === null || bytes.length === 0) continue
    try {
      checkpoints.set(name, decodeOffsetCheckpoint(bytes))
    } catch (error) {
      if (!(error instanceof CheckpointFormatError)) throw error
      unreadable.push(`${path}/${name}`)
    }
  }
  return { checkpoints, unreadable }
}
