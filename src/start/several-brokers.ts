// `--brokers N`: what each of several brokers on one machine is told, from what the operator said once.

import { FileJournal } from '../cluster/file-journal.ts'
import { EmbeddedMetaStore } from '../cluster/meta-store.embedded.ts'
import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import type { Clock } from '../io/clock.ts'
import type { Disk } from '../io/disk.ts'
import { metaPropertiesName } from '../storage/directory-start.ts'
import { FolderInUse } from '../storage/log-directory.ts'
import { metadataFolder } from './metadata.ts'
import { StartRefused } from './start-refused.ts'
import type { BoundListener } from './supervision.ts'

/** Of the supervisor's metadata, beside the folders of its brokers. */
const sharedMetadataFolder = 'metadata'
const brokerFolder = (brokerId: number): string => `broker-${brokerId}`

/** What the operator may not say when there are several. */
export function problemsOfSeveral(given: ReadonlyMap<string, string>): string[] {
  const problems: string[] = []
  for (const name of ['node.id', 'broker.id']) {
    if (given.has(name)) problems.push(`--brokers numbers its brokers from 1 itself: leave out --broker-id and ${name}`)
  }
  if (given.has('etcd.endpoints')) {
    problems.push(
      '--brokers keeps the metadata itself: start each broker with --broker-id and --etcd, or leave out etcd',
    )
  }
  return problems
}

/** Kafka's names; `common` as `settings` was read from. `bound`: where the broker listened before, with the ports it got. */
export function settingsOfOne(
  { settings, common, count }: { settings: BrokerSettings; common: ReadonlyMap<string, string>; count: number },
  brokerId: number,
  bound: readonly BoundListener[] | null,
): ReadonlyMap<string, string> {
  const given = new Map(common)
  const index = brokerId - 1
  const replicas = Math.min(3, count)
  const unlessGiven = (name: string, value: number): void => {
    if (!given.has(name)) given.set(name, String(value))
  }
  given.set('node.id', String(brokerId))
  given.delete('log.dirs')
  given.set('log.dir', `${settings.dataFolder}/${brokerFolder(brokerId)}`)
  given.set(
    'listeners',
    listed(settings.listeners, (listener) => portOf(listener, index, bound)),
  )
  const { advertisedListeners } = settings
  if (advertisedListeners !== null) {
    given.set(
      'advertised.listeners',
      listed(advertisedListeners, (listener) => portOf(listener, index, bound)),
    )
  }
  unlessGiven('default.replication.factor', replicas)
  unlessGiven('min.insync.replicas', replicas === 3 ? 2 : 1)
  unlessGiven('offsets.topic.replication.factor', replicas)
  if (settings.diskBudget !== null) given.set('disk.budget', shareOf(settings.diskBudget, count))
  return given
}

interface Listener {
  readonly name: string
  readonly host: string
  readonly port: number
}

function portOf({ name, port }: Listener, index: number, bound: readonly BoundListener[] | null): number {
  if (port !== 0) return port + index
  return bound?.find((listener) => listener.name === name)?.port ?? 0
}

function listed(listeners: readonly Listener[], portOf: (listener: Listener) => number): string {
  return listeners
    .map((listener) => {
      const { name, host } = listener
      return `${name}://${host.includes(':') ? `[${host}]` : host}:${portOf(listener)}`
    })
    .join(',')
}

/** The budget is the operator's for all of them. */
function shareOf(budget: { readonly bytes: number } | { readonly percent: number }, count: number): string {
  return 'bytes' in budget ? String(Math.floor(budget.bytes / count)) : `${budget.percent / count}%`
}

export interface SharedFolder {
  readonly store: EmbeddedMetaStore
  /** Closes the store and gives the folder free. */
  close(): Promise<void>
}

/**
 * Takes the folder of several brokers, and opens the metadata in it. Rejects with `StartRefused` when it is of a single broker, with
 * `FolderInUse`, `JournalCorrupt`, and with the disk's faults.
 */
export async function openSharedFolder(disk: Disk, clock: Clock, path: string): Promise<SharedFolder> {
  await disk.makeFolder(path)
  const lock = await disk.lock(path)
  if (lock === null) throw new FolderInUse(path)
  try {
    const names = new Set((await disk.list(path)).map(({ name }) => name))
    if (names.has(metadataFolder) || names.has(metaPropertiesName)) {
      throw new StartRefused(
        `${path} is the data folder of a single broker; start it without --brokers, or give another folder`,
      )
    }
    const journal = new FileJournal(disk, `${path}/${sharedMetadataFolder}`)
    const store = await EmbeddedMetaStore.open({ journal, clock })
    const close = async (): Promise<void> => {
      await store.close()
      await lock.release()
    }
    return { store, close }
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** Rejects with `StartRefused` when the folder is of several brokers. */
export async function refuseSeveral(disk: Disk, path: string): Promise<void> {
  const names = new Set((await disk.list(path)).map(({ name }) => name))
  if (!names.has(sharedMetadataFolder) || !names.has(brokerFolder(1))) return
  const count = [...names].filter((name) => /^broker-\d+$/.test(name)).length
  throw new StartRefused(`${path} is the data folder of several brokers; start them with --brokers ${count}`)
}
