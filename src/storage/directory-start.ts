// Taking a data folder into use: whose it is, which logs it holds, and whether the last run ended cleanly.

import type { Disk } from '../io/disk.ts'
import type { Random } from '../io/random.ts'
import { Gate } from './gate.ts'
import { deleteSuffix, type FolderName, logFolderName, parseLogFolderName } from './log-folder-name.ts'
import {
  decodeMetaProperties,
  encodeMetaProperties,
  type FoundMetaProperties,
  type MetaProperties,
} from './meta-properties.ts'
import { decodePartitionMetadata } from './partition-metadata.ts'
import { partitionMetadataFileName } from './segment-names.ts'

export const metaPropertiesName = 'meta.properties'
export const cleanShutdownName = '.kafka_cleanshutdown'

/** Another broker uses the folder, in this process or another. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse'
  readonly folder: string

  constructor(folder: string) {
    super(`the data folder ${folder} is in use by another broker`)
    this.folder = folder
  }
}

/** The folder, or a log in it, belongs to someone else: another node, cluster, or another topic of the same name. */
export class ForeignFolder extends Error {
  override readonly name = 'ForeignFolder'
  readonly folder: string

  constructor(folder: string, what: string, found: string, expected: string) {
    super(`${folder} belongs to ${what} ${found}, not ${expected}`)
    this.folder = folder
  }
}

export interface ExistingLog extends FolderName {
  readonly folder: string
  /** From partition.metadata; null when that is missing. */
  readonly topicId: string | null
}

/** What the folder says of itself; null when it is nobody's. */
export async function readMetaProperties(disk: Disk, path: string): Promise<FoundMetaProperties | null> {
  const bytes = await disk.readFile(`${path}/${metaPropertiesName}`)
  return bytes === null ? null : decodeMetaProperties(bytes)
}

/** Reads meta.properties, or writes them into a new folder. Rejects with `ForeignFolder`. */
export async function takeOver(
  { disk, random }: { disk: Disk; random: Random },
  path: string,
  { nodeId, clusterId }: { nodeId: number; clusterId: string | undefined },
): Promise<MetaProperties> {
  const file = `${path}/${metaPropertiesName}`
  const found = await readMetaProperties(disk, path)
  if (found !== null && found.nodeId !== null && found.nodeId !== nodeId) {
    throw new ForeignFolder(path, 'node', String(found.nodeId), String(nodeId))
  }
  if (found !== null && found.clusterId !== null && clusterId !== undefined && found.clusterId !== clusterId) {
    throw new ForeignFolder(path, 'cluster', found.clusterId, clusterId)
  }
  const meta = {
    clusterId: found?.clusterId ?? clusterId ?? random.uuid(),
    nodeId,
    directoryId: found?.directoryId ?? random.uuid(),
  }
  if (found === null || found.clusterId === null || found.nodeId === null || found.directoryId === null) {
    await disk.replaceFile(file, encodeMetaProperties(meta))
  }
  return meta
}

/** Whether the last run ended cleanly. From here on it counts as unclean until `close`. */
export async function takeCleanMarker(disk: Disk, path: string): Promise<boolean> {
  const marker = `${path}/${cleanShutdownName}`
  if ((await disk.readFile(marker)) === null) return false
  await disk.remove(marker)
  await disk.syncFolder(path)
  return true
}

/** Kafka's mark, of which it only needs to be there; the epoch is of a cluster's broker registration. */
export async function putCleanMarker(disk: Disk, path: string): Promise<void> {
  const content = JSON.stringify({ version: 0, brokerEpoch: -1 })
  await disk.replaceFile(`${path}/${cleanShutdownName}`, Buffer.from(content))
}

/** The logs by name, and folders of logs whose deletion did not end. */
export async function listLogs(
  disk: Disk,
  path: string,
  gate: Gate,
): Promise<{ existing: Map<string, ExistingLog>; leftovers: string[] }> {
  const leftovers: string[] = []
  const logs: Promise<ExistingLog>[] = []
  for (const { name, kind } of await disk.list(path)) {
    if (kind !== 'folder') continue
    if (name.endsWith(deleteSuffix)) leftovers.push(name)
    const parsed = parseLogFolderName(name)
    if (parsed === null) continue
    const folder = `${path}/${name}`
    logs.push(
      gate.run(async () => {
        const bytes = await disk.readFile(`${folder}/${partitionMetadataFileName}`)
        return { ...parsed, folder, topicId: bytes === null ? null : decodePartitionMetadata(bytes) }
      }),
    )
  }
  const existing = await Promise.all(logs)
  return { existing: new Map(existing.map((log) => [logFolderName(log), log])), leftovers }
}
