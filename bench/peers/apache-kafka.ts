// Apache Kafka, run as its own scripts run it: 1 GB of heap for one broker, 512 MB for each of several on one machine. Every broker is
// its own controller, or one of the controllers' quorum.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { freePortsInRow } from './free-ports.ts'
import type { Peer } from './peer.ts'
import { PeerProcesses } from './peer-processes.ts'

const scripts = join(import.meta.dirname, '../../scripts/kafka')
const runScript = join(scripts, 'run')
const heapOfSeveral = '-Xms512m -Xmx512m'

export function apacheKafka(): Peer {
  return {
    name: 'kafka',

    async version() {
      const pom = readFileSync(join(scripts, 'pom.xml'), 'utf8')
      return /<artifactId>kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(pom)?.[1] ?? 'unknown'
    },

    async start({ data, brokers = 1, settings = [] }) {
      const first = await freePortsInRow(2 * brokers)
      const nodes = Array.from({ length: brokers }, (_, index) => ({
        id: index + 1,
        folder: resolve(brokers === 1 ? data : join(data, `broker-${index + 1}`)),
        port: first + index,
        controllerPort: first + brokers + index,
      }))
      const configs = nodes.map((node) => configured(node, nodes, settings))
      format(nodes, configs)
      const env: Record<string, string> = brokers === 1 ? {} : { KAFKA_HEAP_OPTS: heapOfSeveral }
      return PeerProcesses.start({
        name: 'kafka',
        // The script ends by becoming the JVM, so that the process is the broker.
        programs: configs.map((config) => ({ command: runScript, args: ['server', config], env })),
        addresses: nodes.map(addressOf),
      })
    },

    topicConfigs: (durability): Record<string, string> => (durability === 'fsync' ? { 'flush.messages': '1' } : {}),
  }
}

interface Node {
  readonly id: number
  readonly folder: string
  readonly port: number
  readonly controllerPort: number
}

const addressOf = ({ port }: Node): string => `127.0.0.1:${port}`

/** Writes the node's server.properties and answers its path. Replication is as `odradek start --brokers` sets it by itself. */
function configured(node: Node, nodes: readonly Node[], settings: readonly string[]): string {
  const replicas = Math.min(3, nodes.length)
  const inSync = replicas === 3 ? 2 : 1
  const lines = [
    'process.roles=broker,controller',
    `node.id=${node.id}`,
    `listeners=PLAINTEXT://${addressOf(node)},CONTROLLER://127.0.0.1:${node.controllerPort}`,
    `advertised.listeners=PLAINTEXT://${addressOf(node)}`,
    'controller.listener.names=CONTROLLER',
    'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    `controller.quorum.voters=${nodes.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(',')}`,
    `log.dirs=${join(node.folder, 'log')}`,
    `default.replication.factor=${replicas}`,
    `min.insync.replicas=${inSync}`,
    `offsets.topic.replication.factor=${replicas}`,
    `transaction.state.log.replication.factor=${replicas}`,
    `transaction.state.log.min.isr=${inSync}`,
    `share.coordinator.state.topic.replication.factor=${replicas}`,
    `share.coordinator.state.topic.min.isr=${inSync}`,
    'group.initial.rebalance.delay.ms=0',
    ...settings,
  ]
  mkdirSync(node.folder, { recursive: true })
  const path = join(node.folder, 'server.properties')
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

/** An operator does this once in the life of a folder: it is no part of a start. */
function format(nodes: readonly Node[], configs: readonly string[]): void {
  if (nodes.every(({ folder }) => existsSync(join(folder, 'log/meta.properties')))) return
  const cluster = run(['storage', 'random-uuid']).trim()
  for (const config of configs) run(['storage', 'format', '--cluster-id', cluster, '--config', config])
}

function run(args: readonly string[]): string {
  return execFileSync(runScript, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
