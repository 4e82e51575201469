// `odradek/testkit`: a real broker inside a test file.
//
//   const broker = await startBroker()
//   const kafka = new Kafka({ brokers: [broker.bootstrapServers] })
//   ...
//   await broker.stop()

import { brokerSettings } from '../cluster/settings/broker-settings.ts'
import { systemClock } from '../io/clock.ts'
import { MemoryDisk } from '../io/disk.memory.ts'
import { realDisk } from '../io/disk.real.ts'
import { realNetwork } from '../io/network.real.ts'
import { systemRandom } from '../io/random.ts'
import { type Logger, silentLogger } from '../lib/logger.ts'
import { runBroker } from '../start.ts'

export interface StartBrokerOptions {
  /** Port to listen on; a free one when absent. */
  readonly port?: number
  /** Address to listen on; `127.0.0.1` when absent. */
  readonly host?: string
  /** Folder for the records; in memory when absent, and gone with the broker. */
  readonly data?: string
  /** Broker settings by Kafka's names: `{ 'num.partitions': 3 }`. A wrong one rejects with the reason. */
  readonly settings?: Readonly<Record<string, string | number | boolean>>
  /** Where the broker logs; nowhere when absent. A pino logger fits, and so does `console`. */
  readonly logger?: Logger
}

export interface EmbeddedBroker extends AsyncDisposable {
  /** `host:port`, what every Kafka client takes. */
  readonly bootstrapServers: string
  readonly host: string
  readonly port: number
  readonly clusterId: string
  /** Closes connections and logs; returns in milliseconds and leaves nothing open. Safe to call twice. */
  stop(): Promise<void>
}

/**
 * Starts a broker in this process: the same code as `odradek start`, on a free port, with its records in memory. It is ready
 * when the promise resolves. As with `--dev`, groups start without delay and a member is gone when its socket closes.
 */
export async function startBroker(options: StartBrokerOptions = {}): Promise<EmbeddedBroker> {
  const { port = 0, host = '127.0.0.1', data, settings = {}, logger = silentLogger } = options
  const given: Record<string, string> = {
    listeners: `PLAINTEXT://${host.includes(':') ? `[${host}]` : host}:${port}`,
    'log.dir': data ?? 'memory',
    'group.initial.rebalance.delay.ms': '0',
  }
  for (const [name, value] of Object.entries(settings)) given[name] = String(value)
  const broker = await runBroker({
    settings: brokerSettings(given),
    removeMembersOnDisconnect: true,
    disk: data === undefined ? new MemoryDisk() : realDisk,
    network: realNetwork,
    clock: systemClock,
    random: systemRandom,
    logger,
    onFault: (error) => {
      logger.error({ err: error }, 'the embedded broker cannot go on')
      void broker.stop()
    },
  })
  const address = broker.listeners[0]
  if (address === undefined) throw new Error('the broker has no listener')
  return {
    bootstrapServers: `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`,
    host: address.host,
    port: address.port,
    clusterId: broker.clusterId,
    stop: () => broker.stop(),
    [Symbol.asyncDispose]: () => broker.stop(),
  }
}
