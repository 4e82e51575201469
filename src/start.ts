// The composition root: the one place that builds a broker and wires its parts. Everything it is made of comes as a parameter,
// so that the same code runs on real doors, in a test's memory, and in a simulation.

import { resolve } from 'node:path'
import { apiTable } from './broker/api-table.ts'
import { FetchSessions } from './broker/fetch-sessions.ts'
import { RequestDispatcher } from './broker/request-dispatcher.ts'
import { BrokerServer, type ListenerAddress } from './broker/server.ts'
import type { Services } from './broker/services.ts'
import { WaitingFetches } from './broker/waiting-fetches.ts'
import { BrokerAdmin } from './cluster/broker-admin.ts'
import { ClusterViewOfStore, initialChange } from './cluster/cluster-view.ts'
import { openFolderMemory } from './cluster/folder-memory.ts'
import type { ClusterImage } from './cluster/image.ts'
import { offsetsTopic } from './cluster/internal-topics.ts'
import { Membership } from './cluster/membership.ts'
import { PartitionAdmin } from './cluster/partition-admin.ts'
import { ProducerIds } from './cluster/producer-ids.ts'
import { ResourceConfigs } from './cluster/resource-configs.ts'
import type { BrokerSettings } from './cluster/settings/broker-settings.ts'
import { TopicAdmin } from './cluster/topic-admin.ts'
import { TopicConfigs } from './cluster/topic-configs.ts'
import { TopicGrowth } from './cluster/topic-growth.ts'
import { GroupCoordinator } from './coordinators/groups/group-coordinator.ts'
import type { Clock } from './io/clock.ts'
import type { Disk } from './io/disk.ts'
import type { Network } from './io/network.ts'
import type { Random } from './io/random.ts'
import { type Logger, silentLogger } from './lib/logger.ts'
import { ReplicaSet } from './replication/replica-set.ts'
import { LogDirectory } from './storage/log-directory.ts'
import { refuseUnadopted } from './start/adopt/unadopted.ts'
import { coordinatorTopic, followLeaderships } from './start/coordinator-topic.ts'
import { DiskSpace } from './start/disk-space.ts'
import { endpointLookup, registeredEndpoints } from './start/endpoints.ts'
import { configsForGroups } from './start/group-configs.ts'
import { groupSettingsOf } from './start/group-settings.ts'
import { topicsChangedForGroups, topicsForGroups } from './start/group-topics.ts'
import { openListeners } from './start/listeners.ts'
import { startMaintenance } from './start/maintenance.ts'
import { isShared, openMetadata, type SharedMetadata } from './start/metadata.ts'
import { placeOf } from './start/place.ts'
import { refuseSeveral } from './start/several-brokers.ts'
import { Replication } from './start/replication.ts'
import { asRefusal } from './start/start-refused.ts'
import { setStraysAside } from './start/stray-logs.ts'

export type { SharedMetadata } from './start/metadata.ts'
export { StartRefused } from './start/start-refused.ts'

export interface BrokerOptions {
  readonly settings: BrokerSettings
  /** For development and tests: a group's member is gone as soon as its socket closes. */
  readonly removeMembersOnDisconnect: boolean
  /** The metadata of the cluster, kept by somebody else. When left out: as the settings say, in etcd or in the data folder. */
  readonly metadata?: SharedMetadata
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
  /** To look at, for tests and simulations: nothing is changed through it. */
  readonly inside: BrokerInside
  /**
   * Hands its leaderships to others where there are any (controlled shutdown), answers what is answered, closes every connection and
   * log, and leaves the folder clean. Safe to call twice. `handOver`: false when all brokers stop together.
   */
  stop(options?: { readonly handOver?: boolean }): Promise<void>
}

export interface BrokerInside {
  /** The cluster as this broker sees it. */
  readonly image: ClusterImage
  readonly replicas: ReplicaSet
  /** Whether it is registered and its lease holds. */
  valid(): boolean
}

/** How long a broker that stops waits for others to take over what it leads. */
const LEAVING_MS_MAX = 10_000
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

  const shared = isShared({ settings, shared: options.metadata })
  await refuseSeveral(options.disk, settings.dataFolder)
  await refuseUnadopted(options.disk, settings.dataFolder, { shared })
  const space = await DiskSpace.open(options)
  undo.push(() => space.stop())
  const { disk, room } = space
  const openDirectory = async (clusterId?: string) => {
    const opened = await LogDirectory.open({
      disk,
      room,
      path: settings.dataFolder,
      clock,
      random,
      logger,
      nodeId: brokerId,
      ...(clusterId !== undefined && { clusterId }),
    })
    undo.push(() => opened.close())
    return opened
  }
  const metadata = await openMetadata({
    settings,
    shared: options.metadata,
    disk,
    clock,
    random,
    logger,
    openDirectory,
  })
  const { store, clusterId, directory } = metadata
  undo.push(() => store.close())
  void metadata.failed.then(fault)
  const cluster = await ClusterViewOfStore.open({ store, onFault: fault, ...(shared && { remote: { clock } }) })
  undo.push(async () => cluster.close())

  const membership = new Membership({
    store,
    view: cluster,
    settings,
    brokerId,
    rack: settings.brokerRack,
    folder: await openFolderMemory({
      disk,
      path: directory.path,
      place: await placeOf(options.disk, directory.path),
      directoryId: directory.meta.directoryId,
      wasClean: directory.wasClean,
    }),
    clock,
    random,
    logger: shared ? logger : problemsOnly(logger),
  })
  const replicas = new ReplicaSet({
    brokerId,
    logs: directory,
    settings,
    logger,
    ...(shared && { cluster: { clock, membership } }),
  })
  directory.useHighWatermarks(() => replicas.highWatermarks())
  const served = () => replicas.ready()
  const administration = { store, view: cluster, settings, membership, brokerId, clock, random, served }
  const topics = new TopicAdmin(administration)
  const groups = new GroupCoordinator({
    clock,
    random,
    logger,
    settings: groupSettingsOf(settings, options.removeMembersOnDisconnect),
    configs: configsForGroups(cluster, settings),
    topic: coordinatorTopic(offsetsTopic, { cluster, topics, membership }),
    topics: topicsForGroups(cluster),
  })
  followLeaderships({ replicas, membership, name: offsetsTopic }, groups)
  const services: Services = {
    brokerId,
    clock,
    logger,
    settings,
    cluster,
    topics,
    topicGrowth: new TopicGrowth(administration),
    partitionAdmin: new PartitionAdmin(administration),
    topicConfigs: new TopicConfigs(administration),
    brokerConfigs: ResourceConfigs.ofBrokers(administration),
    groupConfigs: ResourceConfigs.ofGroups(administration),
    brokerAdmin: new BrokerAdmin(administration),
    producerIds: new ProducerIds({ store, membership, clock }),
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
    // Whose connection this broker closes itself, because it stops, is no less a member for that.
    onDisconnected: (id) => life.stage !== 'ending' && groups.connectionClosed(id),
  })
  undo.push(async () => {
    await server.close()
    await server.socketsClosed()
  })
  const listeners = await openListeners(server, settings)

  await setStraysAside({ directory, image: cluster.image, store, brokerId, logger })
  replicas.apply(initialChange(cluster.image))
  cluster.subscribe((change) => {
    replicas.apply(change)
    const { changed, anyCreated, deleted } = topicsChangedForGroups(change)
    if (deleted.length > 0) groups.topicsDeleted(deleted)
    if (changed.length > 0) groups.topicsChanged(changed, { anyCreated })
  })
  undo.push(() => replicas.stop())
  undo.push(async () => groups.close())
  undo.push(() => membership.stop())
  let replication: Replication | null = null
  if (shared) {
    // Whom others count on must be able to serve. On its own nobody does, and its logs are opened meanwhile.
    await replicas.ready()
    const running = new Replication({
      store,
      cluster,
      replicas,
      membership,
      room,
      settings,
      network,
      clock,
      random,
      logger,
    })
    replication = running
    undo.push(() => running.stop())
    await membership.start(registeredEndpoints(settings, listeners))
    running.start()
  } else {
    await membership.start(registeredEndpoints(settings, listeners))
  }
  // A store that fails takes its leases along: what it has to say comes first.
  void membership.lost.then(() =>
    clock.defer(() => fault(new Error('this broker lost its registration in the cluster'))),
  )
  await replicas.ready()
  await space.keep(directory)
  undo.push(() => space.stop())
  server.open()
  undo.push(startMaintenance({ directory, settings, disk: options.disk, clock, random, logger }))

  const stop = async (handOver: boolean): Promise<void> => {
    life.stage = 'ending'
    if (handOver) await membership.leave(LEAVING_MS_MAX)
    // Clients go first, before anything they could ask is taken apart; and those who stop as well are no longer missed.
    const first = [() => server.close(), async () => replication?.stop()]
    await unwind([...undo, ...first], logger)
  }
  let stopped: Promise<void> | null = null
  return {
    brokerId,
    clusterId,
    listeners,
    inside: {
      get image() {
        return cluster.image
      },
      replicas,
      valid: () => membership.valid(),
    },
    stop({ handOver = settings.controlledShutdownEnable } = {}) {
      stopped ??= stop(handOver)
      return stopped
    },
  }
}

/** Who is the controller goes without saying where there is one broker. */
function problemsOnly(logger: Logger): Logger {
  return {
    ...silentLogger,
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  }
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
