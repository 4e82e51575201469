// Where the metadata of a broker is. On its own: a file log in its data folder. One of several in a process, or under one supervisor: a
// store that is handed to it. In a cluster of machines: etcd. The folder of the logs is opened here too, for the two must be of the
// same cluster, and which of them says so first depends on where the metadata is.

import { claimClusterId, readClusterId } from '../cluster/cluster-identity.ts'
import { FileJournal } from '../cluster/file-journal.ts'
import { EmbeddedMetaStore } from '../cluster/meta-store.embedded.ts'
import type { MetaStore } from '../cluster/meta-store.ts'
import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import type { Clock } from '../io/clock.ts'
import type { Disk } from '../io/disk.ts'
import type { Random } from '../io/random.ts'
import type { Logger } from '../lib/logger.ts'
import type { LogDirectory } from '../storage/log-directory.ts'
import { readMetaProperties } from '../storage/directory-start.ts'
import { StartRefused } from './start-refused.ts'

/** Of the broker's own metadata, in its data folder. */
export const metadataFolder = '__cluster_metadata-0'

/** A store that somebody else keeps. The broker closes its way to it, and nothing more. */
export interface SharedMetadata {
  readonly store: MetaStore
  /** Resolves when the store is gone for good: the broker must stop. Never rejects. */
  readonly failed: Promise<Error>
}

export interface Metadata extends SharedMetadata {
  readonly clusterId: string
  /** The folder of the logs. */
  readonly directory: LogDirectory
}

export interface MetadataOptions {
  readonly settings: BrokerSettings
  /** When left out: as the settings say. */
  readonly shared: SharedMetadata | undefined
  readonly disk: Disk
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Opens the folder of the logs, for this cluster if one is named. Whoever calls closes it. */
  readonly openDirectory: (clusterId?: string) => Promise<LogDirectory>
}

/** Whether others can have the same metadata. */
export function isShared({ settings, shared }: Pick<MetadataOptions, 'settings' | 'shared'>): boolean {
  return shared !== undefined || settings.etcdEndpoints !== null
}

/** Rejects with `StartRefused` when it is gone, or another cluster's, and with `JournalCorrupt` when it is damaged. */
export async function openMetadata(options: MetadataOptions): Promise<Metadata> {
  if (!isShared(options)) return openOwn(options)
  const shared = options.shared ?? (await openEtcd(options))
  try {
    const clusterId = await sharedClusterId(shared.store, options)
    return { ...shared, clusterId, directory: await options.openDirectory(clusterId) }
  } catch (error) {
    await shared.store.close()
    throw error
  }
}

/** What speaks to etcd is loaded by those who have one. */
async function openEtcd(options: MetadataOptions): Promise<SharedMetadata> {
  const { openEtcdMetadata } = await import('./etcd-metadata.ts')
  return openEtcdMetadata(options)
}

async function openOwn({ disk, clock, openDirectory }: MetadataOptions): Promise<Metadata> {
  const directory = await openDirectory()
  const journal = new FileJournal(disk, `${directory.path}/${metadataFolder}`)
  const store = await EmbeddedMetaStore.open({ journal, clock })
  try {
    return { store, failed: store.failed, clusterId: await ownClusterId(store, directory), directory }
  } catch (error) {
    await store.close()
    throw error
  }
}

async function ownClusterId(store: MetaStore, directory: LogDirectory): Promise<string> {
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

/** The first broker that ever starts names the cluster, unless it has been part of one: then its metadata is gone. */
async function sharedClusterId(store: MetaStore, { settings, disk, random }: MetadataOptions): Promise<string> {
  const known = await readClusterId(store)
  if (known !== null) return known
  const { dataFolder } = settings
  const before = (await readMetaProperties(disk, dataFolder))?.clusterId ?? null
  if (before !== null) {
    throw new StartRefused(
      `${dataFolder} is of cluster ${before}, and the metadata knows no cluster; is this the right one? If it was lost, restore it from a backup`,
    )
  }
  return claimClusterId(store, random.uuid())
}
