// One registration of a broker: the keys `live/<id>`, bound to a lease, and `broker/<id>`, which stays. Every registration is a new
// incarnation and a new broker epoch; an old one is never taken up again. Before it, the partitions learn what the broker's folder
// can still be trusted with (returning-broker.ts).

import type { Clock, Millis } from '../io/clock.ts'
import type { Random } from '../io/random.ts'
import type { Logger } from '../lib/logger.ts'
import { decodeDocument, encodeDocument, type LiveDocument } from './documents.ts'
import { electedOnStart } from './elections.ts'
import type { FolderMemory } from './folder-memory.ts'
import type { ClusterImage, ClusterView, EndpointImage } from './image.ts'
import { brokerKey, controllerKey, liveKey, partitionKey } from './keys.ts'
import { knownOutcome, pause } from './known-outcome.ts'
import type { Lease, MetaEntry, MetaStore, Revision } from './meta-store.ts'
import { beforeReturn, isOf, type Trust, trustIn } from './returning-broker.ts'
import { settlePartitions } from './settled-partitions.ts'
import type { BrokerSettings } from './settings/broker-settings.ts'
import { topicSettings } from './settings/topic-config.ts'

export interface RegistrationOptions {
  readonly store: MetaStore
  readonly view: ClusterView
  readonly settings: BrokerSettings
  readonly brokerId: number
  readonly rack: string | null
  readonly folder: FolderMemory
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** How long the cluster waits for a broker that says nothing. */
  readonly leaseTtlMs: Millis
}

export interface Registration {
  /** The broker epoch: create revision of `live/<id>`. */
  readonly epoch: Revision
  readonly lease: Lease
  readonly document: LiveDocument
  /** Partitions that wait for it to lead them, under their leader epoch of before: by key. Nobody else elected it yet. */
  readonly waiting: ReadonlyMap<string, number>
}

/** Another broker with this id is there. */
export class BrokerIdTaken extends Error {
  override readonly name = 'BrokerIdTaken'
}

const pauseMs: Millis = 100

/**
 * Registers the broker. When it resolves, the view shows the registration. A registration of this folder's earlier life in this place is
 * removed; for another's it waits until that must have run out, then rejects with `BrokerIdTaken`: this may be a copy of a folder in use.
 * `trust`: what the folder holds, when the caller knows better than its clean mark: a process that never ended.
 */
export async function register(
  options: RegistrationOptions,
  endpoints: readonly EndpointImage[],
  { uninterrupted }: { uninterrupted: boolean },
): Promise<Registration> {
  for (;;) {
    const registered = await attempt(options, endpoints, uninterrupted)
    if (registered === null) continue
    await options.view.reached(registered.epoch)
    return registered
  }
}

/** Null: something came in between. */
async function attempt(
  options: RegistrationOptions,
  endpoints: readonly EndpointImage[],
  uninterrupted: boolean,
): Promise<Registration | null> {
  const { store, view, brokerId, rack, folder, random, logger, leaseTtlMs } = options
  const live = liveKey(brokerId)
  await clearPlace(options)
  const { entry: before, revision } = await store.get(brokerKey(brokerId))
  await view.reached(revision)
  const known = before === null ? undefined : decodeDocument('broker', before.value)
  const given = trustIn(known, folder)
  const trust: Trust = given === 'durable' && uninterrupted ? 'everything' : given
  if (trust === 'nothing') {
    logger.warn(
      { brokerId },
      'the data folder is not the one this broker last used: none of its replicas counts as in sync',
    )
  }
  if (!(await prepare(options, trust))) return null
  const waiting = waitingPartitions(view.image, brokerId)

  const incarnation = random.uuid()
  // Before the cluster hears of it: a crash in between must not make the folder look like another.
  await folder.remember([...(trust === 'nothing' ? [] : stillOurs(folder, known?.incarnation)), incarnation])
  const { directoryId, place } = folder
  const document: LiveDocument = { incarnation, endpoints, rack, directoryId, place, leaving: false }
  const lease = await store.lease(leaseTtlMs)
  try {
    for (;;) {
      const result = await knownOutcome(
        store.transact(
          [
            { key: live, modRevision: 0 },
            { key: brokerKey(brokerId), modRevision: before?.modRevision ?? 0 },
          ],
          [
            { kind: 'put', key: live, value: encodeDocument(document), lease },
            {
              kind: 'put',
              key: brokerKey(brokerId),
              value: encodeDocument({ incarnation, directoryId, endpoints, rack }),
            },
          ],
        ),
      )
      if (result?.ok === true) return { epoch: result.revision, lease, document, waiting }
      const { entry } = await store.get(live)
      if (entry !== null && decodeDocument('live', entry.value).incarnation === incarnation) {
        return { epoch: entry.createRevision, lease, document, waiting }
      }
      if (result !== null || !lease.valid()) {
        await lease.revoke()
        return null
      }
      await pause(options.clock, pauseMs)
    }
  } catch (error) {
    // If it was registered after all, that runs out.
    lease.revoke().catch(() => {})
    throw error
  }
}

/** Registrations whose outcome was never known, beside the last one that was. */
const unknownMax = 8

function stillOurs({ incarnations }: FolderMemory, last: string | undefined): string[] {
  const unknown = incarnations.filter((incarnation) => incarnation !== last).slice(-unknownMax)
  return last === undefined ? unknown : [last, ...unknown]
}

/** Waits until nobody is registered under the id. */
async function clearPlace(options: RegistrationOptions): Promise<void> {
  const { store, brokerId, folder, clock, leaseTtlMs } = options
  // A new etcd leader starts every lease anew, which may happen once while one runs out.
  const until = clock.monotonic() + 2 * leaseTtlMs + 4000
  for (;;) {
    const { entry } = await store.get(liveKey(brokerId))
    if (entry === null) return
    const there = decodeDocument('live', entry.value)
    if (isOf(there, folder) && there.place === folder.place) {
      await knownOutcome(removeOwn(store, entry))
      continue
    }
    if (clock.monotonic() >= until) {
      throw new BrokerIdTaken(`broker ${brokerId} is already registered in this cluster`)
    }
    await pause(clock, pauseMs)
  }
}

function waitingPartitions({ topicsById }: ClusterImage, brokerId: number): ReadonlyMap<string, number> {
  const waiting = new Map<string, number>()
  for (const { id, partitions } of topicsById.values()) {
    for (const partition of partitions) {
      if (electedOnStart(partition, brokerId) === null) continue
      waiting.set(partitionKey(id, partition.index), partition.leaderEpoch)
    }
  }
  return waiting
}

/** With the office that hangs on it, if it holds that. */
async function removeOwn(store: MetaStore, { key, createRevision }: MetaEntry): Promise<unknown> {
  const office = (await store.get(controllerKey)).entry
  const inOffice = office !== null && decodeDocument('controller', office.value).brokerEpoch === createRevision
  return store.transact(
    [{ key, createRevision }, ...(inOffice ? [{ key: controllerKey, modRevision: office.modRevision }] : [])],
    [{ kind: 'delete', key }, ...(inOffice ? [{ kind: 'delete' as const, key: controllerKey }] : [])],
  )
}

/** Partitions that may not count on this broker any more stop doing so. False when somebody registered under the id meanwhile. */
async function prepare(options: RegistrationOptions, trust: Trust): Promise<boolean> {
  const { store, view, brokerId, clock, settings } = options
  const { outcome } = await settlePartitions({
    store,
    view,
    clock,
    fence: [{ key: liveKey(brokerId), modRevision: 0 }],
    topics: () => view.image.topicsById.values(),
    rule: (partition, topic) => {
      if (!partition.replicas.includes(brokerId)) return null
      const { brokers } = view.image
      const synced = topicSettings(topic, settings).flushPolicy === 'fsync'
      return beforeReturn(partition, { id: brokerId, trust, brokers, synced })
    },
    mayGoOn: () => true,
  })
  return outcome === 'settled'
}
