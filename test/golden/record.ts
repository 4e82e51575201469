// Records the .jsonl files beside it: what real clients and Apache Kafka say to each other.
//
//   node test/golden/record.ts [CLIENT...]     of kafkajs, platformatic, kcat, java; all by default
//
// Needs what scripts/setup-peers installs. Each client goes through its scenario at a proxy, whose address Kafka
// advertises as its own. A few frames of each API, version and direction are kept, of different sizes.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RunningProcess } from '../support/processes.ts'
import { type Captured, RecordingProxy } from './recording-proxy.ts'
import { scenarios } from './scenarios.ts'

const framesOfAKindMax = 4
const frameBytesMax = 8 * 1024

/** Keeps what is new by its size: the same request again has the same. */
class Collection {
  readonly #kinds = new Map<string, Map<number, Captured>>()

  add(captured: Captured): void {
    const { direction, apiKey, apiVersion, frame } = captured
    if (frame.length > frameBytesMax) return
    const kind = `${String(apiKey).padStart(3)} ${String(apiVersion).padStart(2)} ${direction}`
    const bySize = this.#kinds.get(kind) ?? new Map<number, Captured>()
    if (bySize.size < framesOfAKindMax && !bySize.has(frame.length)) bySize.set(frame.length, captured)
    this.#kinds.set(kind, bySize)
  }

  toString(): string {
    const kinds = [...this.#kinds].sort(([a], [b]) => a.localeCompare(b))
    const lines = kinds.flatMap(([, bySize]) =>
      [...bySize.values()].map(({ direction, apiKey, apiVersion, frame }) =>
        JSON.stringify({ direction, apiKey, apiVersion, frame: frame.toString('base64') }),
      ),
    )
    return `${lines.join('\n')}\n`
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  await new Promise((resolve) => {
    server.close(resolve)
  })
  return address.port
}

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(scenarios)
const folder = await mkdtemp(join(tmpdir(), 'odradek-golden-'))
const [brokerPort, proxyPort] = [await freePort(), await freePort()]
const proxy = await RecordingProxy.start(proxyPort, brokerPort)
const kafka = new RunningProcess(join(import.meta.dirname, '../../scripts/kafka/start'), [
  folder,
  String(brokerPort),
  `advertised.listeners=PLAINTEXT://127.0.0.1:${proxyPort}`,
  'group.share.enable=true',
  'delete.topic.enable=true',
])
try {
  await kafka.output(/^ready/m, 60_000)
  for (const name of wanted) {
    const scenario = scenarios[name]
    if (scenario === undefined) throw new Error(`no client is called ${name}`)
    const collection = new Collection()
    proxy.sink = (captured) => collection.add(captured)
    await scenario(`127.0.0.1:${proxyPort}`)
    proxy.sink = null
    const text = collection.toString()
    await writeFile(join(import.meta.dirname, `${name}.jsonl`), text)
    console.log(`${name}: ${text.split('\n').length - 1} frames, ${text.length} bytes`)
  }
} finally {
  await kafka.stop()
  await proxy.stop()
  await rm(folder, { recursive: true, force: true })
}
