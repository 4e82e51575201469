// The composition root: the one place that builds a broker and wires its parts. Everything it is made of comes as a parameter,
// so that the same code runs on real doors, in a test's memory, and in a simulation.

import { resolve } from 'node:path'
import { apiTable } from './broker/api-table.ts'
import { FetchSessions } from './broker/fetch-sessions.ts'
import { RequestDispatcher } from './broker/request-dispatcher.ts'
import { BrokerServer, type ListenerAddress } from './broker/server.ts'
import type { Services } from './broker/services.ts'
import { WaitingFetches } from './broker/waiting-fetches.ts'
import { ClusterViewOfStore, initialChange } from './cluster/cluster-view.ts'
import type { ImageChange } from './cluster/image.ts'
import { offsetsTopic } from './cluster/internal-topics.ts'
import { Membership } from './cluster/membership.ts'
import { ProducerIds } from './cluster/producer-ids.ts'
import type { BrokerSettings } from './cluster/settings/broker-settings.ts'
import { TopicAdmin } from './cluster/topic-admin.ts'
import { TopicConfigs } from './cluster/topic-configs.ts'
import { GroupCoordinator } from './coordinators/groups/group-coordinator.ts'
import type { Clock } from './io/clock.ts'
import type { Disk } from './io/disk.ts'
import type { Network } from './io/network.ts'
import type { Random } from './io/random.ts'
import type { Logger } from './lib/logger.ts'
import { ReplicaSet } from './replication/replica-set.ts'
import { LogDirectory } from './storage/log-directory.ts'
import { refuseUnadopted } from './start/adopt/unadopted.ts'
import { coordinatorTopic, followLeaderships } from './start/coordinator-topic.ts'
import { DiskSpace } from './start/disk-space.ts'
import { endpointLookup, registeredEndpoints } from './start/endpoints.ts'
import { groupSettingsOf } from './start/group-settings.ts'
import { openListeners } from './start/listeners.ts'
import { startMaintenance } from './start/maintenance.ts'
import { openMetadata } from './start/metadata.ts'
import { asRefusal } from './start/start-refused.ts'
import { setStraysAside } from './start/stray-logs.ts'

export { StartRefused } from './start/start-refused.ts'

export interface BrokerOptions {
  readonly settings: BrokerSettings
  /** For development and tests: a group's member is gone as soon as its socket closes. */
  readonly removeMembersOnDisconnect: boolean
  readonly disk: Disk
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** What the broker cannot outlive: its metadata cannot be written, or its place in the cluster is lost. Stop the process. */
  readonly onFault: (error: unknown) => void
}

export interface RunningBroker {
  readonly brokerId: number
  readonly clusterId: string
  /** Where it really listens, with the ports it got. */
  readonly listeners: readonly ListenerAddress[]
  /** Answers what is answered, closes every connection and log, and leaves the folder clean. Safe to call twice. */
  stop(): Promise<void>
}

/** Kafka's queue has no such bound. A reply that nobody reads is memory that nobody gets back. */
const UNSENT_RESPONSE_BYTES_MAX = 536_870_912

/**
 * Starts a broker. When it resolves, every partition it leads is served, or offline with the reason in the log.
 * Rejects with `StartRefused` when the operator must change something: the folder is in use, the port is taken.
 */
export async function runBroker(options: BrokerOptions): Promise<RunningBroker> {
  const faulted = Promise.withResolvers<never>()
  const life: Life = { undo: [], stage: 'starting', onFault: faulted.reject }
  try {
    const broker = await Promise.race([build(options, life), faulted.promise])
    life.stage = 'serving'
    life.onFault = options.onFault
    return broker
  } catch (error) {
    life.stage = 'ending'
    await unwind(life.undo, options.logger)
    throw asRefusal(error, options.settings.dataFolder)
  }
}

/** One broker's, from the start to the end. */
interface Life {
  /** What was opened, as steps that close it. */
  readonly undo: (() => Promise<void>)[]
  /** After the first fault, and when it ends, what else fails is no news. */
  stage: 'starting' | 'serving' | 'failed' | 'ending'
  onFault: (error: unknown) => void
}

async function build(options: BrokerOptions, life: Life): Promise<RunningBroker> {
  const { settings, network, clock, random, logger } = options
  const { brokerId } = settings
  const { undo } = life
  const fault = (error: unknown): void => {
    if (life.stage !== 'starting' && life.stage !== 'serving') return
    life.stage = 'failed'
    life.onFault(error)
  }

  await refuseUnadopted(options.disk, settings.dataFolder)
  const space = await DiskSpace.open(options)
  undo.push(() => space.stop())
  const { disk, room } = space
  const directory = await LogDirectory.open({
    disk,
    room,
    path: settings.dataFolder,
    clock,
    random,
    logger,
    nodeId: brokerId,
  })
  undo.push(() => directory.close())
  const { store, clusterId } = await openMetadata({ directory, disk, clock })
  undo.push(() => store.close())
  void store.failed.then(fault)
  const cluster = await ClusterViewOfStore.open({ store, onFault: fault })
  undo.push(async () => cluster.close())

  const replicas = new ReplicaSet({ brokerId, logs: directory, settings, logger })
  directory.useHighWatermarks(() => replicas.highWatermarks())
  const topics = new TopicAdmin({ store, view: cluster, settings, brokerId, random, served: () => replicas.ready() })
  const groups = new GroupCoordinator({
    clock,
    random,
    logger,
    settings: groupSettingsOf(settings, options.removeMembersOnDisconnect),
    topic: coordinatorTopic(offsetsTopic, cluster, topics),
    topics: knownTopics(cluster),
  })
  followLeaderships(replicas, offsetsTopic, groups)
  const services: Services = {
    brokerId,
    clock,
    logger,
    settings,
    cluster,
    topics,
    topicConfigs: new TopicConfigs({ store, view: cluster, brokerId }),
    producerIds: new ProducerIds(store),
    replicas,
    logFolder: { path: resolve(directory.path), volume: () => disk.volume(directory.path) },
    fetchSessions: new FetchSessions({ clock, random, slotsMax: settings.maxIncrementalFetchSessionCacheSlots }),
    waitingFetches: new WaitingFetches({ clock }),
    groups,
    endpointFor: endpointLookup(brokerId, settings, cluster),
  }
  const server = new BrokerServer({
    network,
    clock,
    logger,
    dispatcher: new RequestDispatcher(apiTable, services),
    limits: {
      requestBytesMax: settings.socketRequestMaxBytes,
      queuedRequestBytesMax: settings.queuedMaxRequestBytes,
      unsentResponseBytesMax: UNSENT_RESPONSE_BYTES_MAX,
      idleMsMax: settings.connectionsMaxIdleMs < 0 ? Infinity : settings.connectionsMaxIdleMs,
    },
    onDisconnected: (id) => groups.connectionClosed(id),
  })
  undo.push(async () => {
    await server.close()
    await server.socketsClosed()
  })
  const listeners = await openListeners(server, settings)

  await setStraysAside({ directory, image: cluster.image, brokerId, logger })
  replicas.apply(initialChange(cluster.image))
  cluster.subscribe((change) => {
    replicas.apply(change)
    const deleted = deletedTopics(change)
    if (deleted.length > 0) groups.topicsDeleted(deleted)
  })
  undo.push(() => replicas.stop())
  undo.push(async () => groups.close())
  const membership = new Membership({ store, view: cluster, brokerId, rack: settings.brokerRack, random, logger })
  undo.push(() => membership.stop())
  await membership.start(registeredEndpoints(settings, listeners))
  // A store that fails takes its leases along: what it has to say comes first.
  void membership.lost.then(() =>
    clock.defer(() => fault(new Error('this broker lost its registration in the cluster'))),
  )
  await replicas.ready()
  await space.keep(directory)
  undo.push(() => space.stop())
  server.open()
  undo.push(startMaintenance({ directory, settings, disk: options.disk, clock, random, logger }))

  let stopped: Promise<void> | null = null
  return {
    brokerId,
    clusterId,
    listeners,
    stop() {
      life.stage = 'ending'
      // Clients go first, before anything they could ask is taken apart.
      stopped ??= unwind([...undo, () => server.close()], logger)
      return stopped
    },
  }
}

function knownTopics(cluster: ClusterViewOfStore) {
  const known = (topic: { name: string; id: string; partitions: readonly unknown[] } | undefined) =>
    topic === undefined ? null : { name: topic.name, id: topic.id, partitionCount: topic.partitions.length }
  return {
    byName: (name: string) => known(cluster.image.topicsByName.get(name)),
    byId: (id: string) => known(cluster.image.topicsById.get(id)),
  }
}

function deletedTopics({ before, after, topicIds }: ImageChange): string[] {
  const names: string[] = []
  for (const id of topicIds) {
    const name = before.topicsById.get(id)?.name
    if (name !== undefined && !after.topicsById.has(id)) names.push(name)
  }
  return names
}

/** The last that was opened closes first; what fails to close is said, and does not keep the rest open. */
async function unwind(undo: readonly (() => Promise<void>)[], logger: Logger): Promise<void> {
  for (const step of undo.toReversed()) {
    try {
      await step()
    } catch (error) {
      logger.error({ err: error }, 'a part of the broker did not close')
    }
  }
}
