// Apache Kafka itself, one broker and controller in one process, on a folder of its own: what Odradek is compared with, and takes over.

import { createServer } from 'node:net'
import { join } from 'node:path'
import { lockHolderOf } from '../../src/io/file-lock-holder.ts'
import { RunningProcess } from './processes.ts'
import { waitFor } from './wait-for.ts'

const script = join(import.meta.dirname, '../../scripts/kafka/start')

export class KafkaBroker {
  readonly bootstrap: string
  readonly port: number
  /** Its log.dir. */
  readonly data: string
  /** Its server.properties. */
  readonly config: string
  readonly #process: RunningProcess

  private constructor(process: RunningProcess, folder: string, port: number) {
    this.#process = process
    this.bootstrap = `127.0.0.1:${port}`
    this.port = port
    this.data = join(folder, 'log')
    this.config = join(folder, 'server.properties')
  }

  /** `folder` may hold the data of an earlier one, and `at` be its port. Settings by Kafka's names. */
  static async start(
    folder: string,
    settings: Readonly<Record<string, string>> = {},
    at?: number,
  ): Promise<KafkaBroker> {
    const port = at ?? (await freePorts())
    const given = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
    const env = { KAFKA_HEAP_OPTS: '-Xms256m -Xmx512m' }
    const child = new RunningProcess(script, [folder, String(port), ...given], { env })
    try {
      await child.output(/^ready/m, 60_000)
    } catch (error) {
      child.kill('SIGTERM') // the script takes the server along
      throw error
    }
    return new KafkaBroker(child, folder, port)
  }

  /** A clean stop. */
  async stop(): Promise<void> {
    if (this.#process.running) await this.#process.stop(30_000)
  }

  /** Ends the server without a chance to write anything. */
  async kill(): Promise<void> {
    const lock = join(this.data, '.lock')
    const holder = await lockHolderOf(lock)
    if (holder.kind !== 'process') throw new Error(`who runs on ${this.data} cannot be told`)
    process.kill(holder.pid, 'SIGKILL')
    await this.#process.end()
    await waitFor('its lock to be free', async () => (await lockHolderOf(lock)).kind === 'nobody')
  }
}

/** A free port with a free one behind it, for the controller. */
async function freePorts(): Promise<number> {
  return waitFor('two free ports in a row', async () => {
    const first = await listenOn(0)
    try {
      const second = await listenOn(first.port + 1)
      await second.close()
      return first.port
    } finally {
      await first.close()
    }
  })
}

async function listenOn(port: number): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
