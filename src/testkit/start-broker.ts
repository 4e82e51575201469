// One broker inside a test file.

import { brokerSettings } from '../cluster/settings/broker-settings.ts'
import { systemClock } from '../io/clock.ts'
import { MemoryDisk } from '../io/disk.memory.ts'
import { realDisk } from '../io/disk.real.ts'
import { realNetwork } from '../io/network.real.ts'
import { systemRandom } from '../io/random.ts'
import type { Logger } from '../lib/logger.ts'
import { type RunningBroker, runBroker } from '../start.ts'
import { bracketed, errorsOnly, reachable } from './words.ts'

export interface StartBrokerOptions {
  /** Port to listen on; a free one when absent. */
  readonly port?: number
  /** Address to listen on; `127.0.0.1` when absent. */
  readonly host?: string
  /** Folder for the records; in memory when absent, and gone with the broker. */
  readonly data?: string
  /** Broker settings by Kafka's names: `{ 'num.partitions': 3 }`. A wrong one rejects with the reason. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  /** Where the broker logs. A pino logger fits, and so does `console`. When absent only errors are shown, by `console.error`. */
  readonly logger?: Logger
}

export interface EmbeddedBroker extends AsyncDisposable {
  /** `host:port`, what every Kafka client takes. */
  readonly bootstrapServers: string
  readonly host: string
  readonly port: number
  readonly clusterId: string
  /**
   * Closes connections and logs; returns in milliseconds and leaves nothing open. Safe to call twice. Rejects when the broker had
   * stopped by itself, with the reason.
   */
  stop(): Promise<void>
}

/**
 * Starts a broker in this process: the same code as `odradek start`, on a free port, with its records in memory. It is ready
 * when the promise resolves. As with `--dev`, groups start without delay and a member is gone when its socket closes.
 */
export async function startBroker(options: StartBrokerOptions = {}): Promise<EmbeddedBroker> {
  const { data, logger = errorsOnly } = options
  let broker: RunningBroker | null = null
  let fault: { readonly error: unknown } | null = null
  broker = await runBroker({
    settings: brokerSettings(settingsOf(options)),
    removeMembersOnDisconnect: true,
    disk: data === undefined ? new MemoryDisk() : realDisk,
    network: realNetwork,
    clock: systemClock,
    random: systemRandom,
    logger,
    onFault: (error) => {
      fault = { error }
      logger.error({ err: error }, 'the embedded broker cannot go on')
      void broker?.stop()
    },
  })
  const { clusterId, listeners } = broker
  const { port, host: bound } = listeners[0]!
  const host = reachable(bound)
  const stop = async () => {
    await broker.stop()
    if (fault !== null) throw new Error('the embedded broker stopped by itself', { cause: fault.error })
  }
  return { bootstrapServers: `${bracketed(host)}:${port}`, host, port, clusterId, stop, [Symbol.asyncDispose]: stop }
}

function settingsOf({ port = 0, host = '127.0.0.1', data, settings = {} }: StartBrokerOptions): Record<string, string> {
  for (const name of ['log.dir', 'log.dirs']) {
    if (name in settings) throw new Error(`setting '${name}' is not for an embedded broker: give startBroker({ data })`)
  }
  const given: Record<string, string> = {
    listeners: `PLAINTEXT://${bracketed(host)}:${port}`,
    'log.dir': data ?? '/memory',
    'group.initial.rebalance.delay.ms': '0',
  }
  for (const [name, value] of Object.entries(settings)) given[name] = String(value)
  return given
}
