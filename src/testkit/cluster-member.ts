// One broker of an embedded cluster, through its lives. Everything it touches goes through doors of its own, so that it can be killed as a
// process is, and cut off as a machine is, while the others of the same process go on.

import type { MetaStoreServer } from '../cluster/remote/meta-store-server.ts'
import { RemoteMetaStore } from '../cluster/remote/remote-meta-store.ts'
import { brokerSettings } from '../cluster/settings/broker-settings.ts'
import { systemClock } from '../io/clock.ts'
import type { Disk } from '../io/disk.ts'
import { LocalChannel } from '../io/local-channel.ts'
import { realNetwork } from '../io/network.real.ts'
import { systemRandom } from '../io/random.ts'
import { type Logger, silentLogger } from '../lib/logger.ts'
import { type RunningBroker, runBroker } from '../start.ts'
import { MortalClock } from './doors/mortal-clock.ts'
import { MortalDisk } from './doors/mortal-disk.ts'
import { SeverableNetwork } from './doors/severable-network.ts'

export interface MemberOptions {
  readonly id: number
  /** By Kafka's names; `port`: where it listened before, 0 at first. */
  readonly settingsOf: (port: number) => Readonly<Record<string, string>>
  readonly disk: Disk
  readonly metadata: MetaStoreServer
  readonly logger: Logger
  /** It has stopped by itself. */
  readonly onFault: (error: unknown) => void
}

export type MemberState = 'running' | 'isolated' | 'stopped'

/** How long a request to the metadata waits when it cannot be reached. */
const metadataPatienceMs = 1500

interface Life {
  readonly broker: RunningBroker
  readonly clock: MortalClock
  readonly disk: MortalDisk
  readonly network: SeverableNetwork
  readonly channel: LocalChannel
  /** To where its lines go. */
  readonly said: { logger: Logger }
}

export class ClusterMember {
  readonly id: number
  clusterId = ''
  host = ''
  port = 0
  readonly #options: MemberOptions
  #life: Life | null = null
  #isolated = false

  constructor(options: MemberOptions) {
    this.id = options.id
    this.#options = options
  }

  get state(): MemberState {
    if (this.#life === null) return 'stopped'
    return this.#isolated ? 'isolated' : 'running'
  }

  /** Resolves when it serves. Rejects with the reason why it does not. */
  async start(): Promise<void> {
    const { id, settingsOf, metadata, logger, onFault } = this.#options
    const channel = new LocalChannel()
    metadata.serve(channel.left)
    const doors = {
      clock: new MortalClock(systemClock),
      disk: new MortalDisk(this.#options.disk),
      network: new SeverableNetwork(realNetwork),
    }
    const store = new RemoteMetaStore({ channel: channel.right, clock: doors.clock, patienceMs: metadataPatienceMs })
    const said = { logger }
    const broker = await runBroker({
      settings: brokerSettings(settingsOf(this.port)),
      removeMembersOnDisconnect: true,
      metadata: { store, failed: store.failed },
      ...doors,
      random: systemRandom,
      logger: ofLife(id, said),
      onFault,
    })
    this.#life = { ...doors, broker, channel, said }
    const { host, port } = broker.listeners[0]!
    this.clusterId = broker.clusterId
    this.host = host
    this.port = port
  }

  /** In order: with `handOver` others lead in its place first. */
  async stop({ handOver }: { handOver: boolean }): Promise<void> {
    const life = this.#life
    if (life === null) return
    this.heal()
    this.#life = null
    await life.broker.stop({ handOver })
    life.channel.cut()
  }

  /** As `kill -9`: it does nothing more. What it wrote stays. Resolves when its port and its folder are free. */
  async kill(): Promise<void> {
    const life = this.#life
    if (life === null) return
    this.#life = null
    this.#isolated = false
    life.said.logger = silentLogger
    life.clock.kill()
    life.channel.hold()
    await Promise.all([life.network.kill(), life.disk.kill()])
  }

  isolate({ silently }: { silently: boolean }): void {
    if (this.#life === null || this.#isolated) return
    this.#isolated = true
    if (silently) this.#life.network.cut()
    else this.#life.network.break()
    this.#life.channel.hold()
  }

  heal(): void {
    if (!this.#isolated) return
    this.#isolated = false
    this.#life?.network.mend()
    this.#life?.channel.release()
  }
}

/** With the broker's id, and nothing after its death. */
function ofLife(broker: number, said: { logger: Logger }): Logger {
  return {
    debug: (fields, message) => said.logger.debug({ broker, ...fields }, message),
    info: (fields, message) => said.logger.info({ broker, ...fields }, message),
    warn: (fields, message) => said.logger.warn({ broker, ...fields }, message),
    error: (fields, message) => said.logger.error({ broker, ...fields }, message),
  }
}
