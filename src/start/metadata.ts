// The metadata of a broker on its own: a file log in the data folder, which must be of the same cluster as the logs beside it.

import { claimClusterId, readClusterId } from '../cluster/cluster-identity.ts'
import { FileJournal } from '../cluster/file-journal.ts'
import { EmbeddedMetaStore } from '../cluster/meta-store.embedded.ts'
import type { Clock } from '../io/clock.ts'
import type { Disk } from '../io/disk.ts'
import type { LogDirectory } from '../storage/log-directory.ts'
import { StartRefused } from './start-refused.ts'

/** Of the broker's own metadata, in its data folder. */
export const metadataFolder = '__cluster_metadata-0'

export interface Metadata {
  readonly store: EmbeddedMetaStore
  readonly clusterId: string
}

/** Rejects with `StartRefused` when it is gone, or another cluster's, and with `JournalCorrupt` when it is damaged. */
export async function openMetadata(options: { directory: LogDirectory; disk: Disk; clock: Clock }): Promise<Metadata> {
  const { directory, disk, clock } = options
  const journal = new FileJournal(disk, `${directory.path}/${metadataFolder}`)
  const store = await EmbeddedMetaStore.open({ journal, clock })
  try {
    return { store, clusterId: await clusterIdOf(store, directory) }
  } catch (error) {
    await store.close()
    throw error
  }
}

async function clusterIdOf(store: EmbeddedMetaStore, directory: LogDirectory): Promise<string> {
  const { path, meta } = directory
  if (directory.existing().length > 0 && (await readClusterId(store)) === null) {
    throw new StartRefused(
      `${path} holds logs, but the metadata that names their topics is gone; restore ${path}/${metadataFolder} from a backup`,
    )
  }
  const clusterId = await claimClusterId(store, meta.clusterId)
  if (clusterId !== meta.clusterId) {
    throw new StartRefused(`the logs in ${path} are of cluster ${meta.clusterId}, its metadata is of ${clusterId}`)
  }
  return clusterId
}
