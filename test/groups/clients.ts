// The clients whose members are tried: which library, protocol and assignor, and how a member of it is started.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  franzGoProgram,
  javaMember,
  javaMemberCompiler,
  librdkafkaProgram,
  nodeProgram,
  withoutFranzGo,
  withoutJavaClient,
  withoutLibrdkafka,
} from '../support/client-peers.ts'
import { run } from '../support/processes.ts'

export interface Client {
  readonly name: string
  readonly protocol: 'classic' | 'consumer'
  /** As the library calls it. */
  readonly assignor: string
  /** Says why a static member of it does not come back under its name unnoticed, if so. */
  readonly notRestarted: string | null
  /** Says why two static members of one name do not come to rest, if so. */
  readonly notReplaced: string | null
  /** The leader of a classic group, restarted as a static member, has the assignment made anew. */
  readonly leaderAsksAgain: boolean
  /** It reads on while it joins again, with what it owned before. */
  readonly readsWhileJoining: boolean
  /** Says why it cannot run here, if so. */
  missing(): string | false
  /** Program and first arguments of a member. */
  program(): Promise<readonly string[]>
}

interface Library {
  readonly name: string
  readonly assignors: Readonly<Record<string, readonly [protocol: 'classic' | 'consumer', assignor: string]>>
  readonly notRestarted?: (protocol: 'classic' | 'consumer') => string | null
  readonly notReplaced?: string
  readonly leaderAsksAgain?: boolean
  readonly readsWhileJoining?: boolean
  readonly missing: () => string | false
  readonly program: () => Promise<readonly string[]>
}

const javaAssignor = (name: string): string => `org.apache.kafka.clients.consumer.${name}Assignor`

const libraries: readonly Library[] = [
  {
    name: 'kafkajs',
    assignors: { 'round-robin': ['classic', 'roundrobin'], range: ['classic', 'range'] },
    notRestarted: () => 'KafkaJS has no static members',
    notReplaced: 'KafkaJS has no static members',
    missing: () => false,
    program: async () => nodeProgram('kafkajs-member.ts'),
  },
  {
    name: 'platformatic',
    assignors: {
      'round-robin': ['classic', 'roundrobin'],
      'cooperative-sticky': ['classic', 'cooperative-sticky'],
      'consumer-uniform': ['consumer', 'uniform'],
      'consumer-range': ['consumer', 'range'],
    },
    notRestarted: (protocol) =>
      protocol === 'classic' ? null : 'it leaves with member epoch -1, as a member that is not static',
    notReplaced: 'a member whose name was taken over takes it back',
    readsWhileJoining: true,
    missing: () => false,
    program: async () => nodeProgram('platformatic-member.ts'),
  },
  {
    name: 'librdkafka',
    assignors: {
      range: ['classic', 'range'],
      'round-robin': ['classic', 'roundrobin'],
      'cooperative-sticky': ['classic', 'cooperative-sticky'],
      'consumer-uniform': ['consumer', 'uniform'],
      'consumer-range': ['consumer', 'range'],
    },
    missing: withoutLibrdkafka,
    program: async () => librdkafkaProgram('librdkafka_member.py'),
  },
  {
    name: 'java',
    assignors: {
      range: ['classic', javaAssignor('Range')],
      'round-robin': ['classic', javaAssignor('RoundRobin')],
      sticky: ['classic', javaAssignor('Sticky')],
      'cooperative-sticky': ['classic', javaAssignor('CooperativeSticky')],
      'consumer-uniform': ['consumer', 'uniform'],
      'consumer-range': ['consumer', 'range'],
    },
    missing: withoutJavaClient,
    program: async () => javaMember(await compiledJavaMember()),
  },
  {
    name: 'franz-go',
    assignors: {
      range: ['classic', 'range'],
      'round-robin': ['classic', 'roundrobin'],
      sticky: ['classic', 'sticky'],
      'cooperative-sticky': ['classic', 'cooperative-sticky'],
      'consumer-uniform': ['consumer', 'uniform'],
      'consumer-range': ['consumer', 'range'],
    },
    notRestarted: (protocol) =>
      protocol === 'classic' ? null : 'it leaves without its instance id, which is refused as Apache Kafka does',
    leaderAsksAgain: true,
    missing: withoutFranzGo,
    program: async () => franzGoProgram('member'),
  },
]

export const clients: readonly Client[] = libraries.flatMap((library) =>
  Object.entries(library.assignors).map(([kind, [protocol, assignor]]) => ({
    name: `${library.name}/${kind}`,
    protocol,
    assignor,
    notRestarted: library.notRestarted?.(protocol) ?? null,
    notReplaced: library.notReplaced ?? null,
    leaderAsksAgain: library.leaderAsksAgain ?? false,
    readsWhileJoining: library.readsWhileJoining === true && protocol === 'classic',
    missing: library.missing,
    program: library.program,
  })),
)

let compiled: Promise<string> | null = null

/** Once in the life of this process. */
function compiledJavaMember(): Promise<string> {
  compiled ??= compileJavaMember()
  return compiled
}

async function compileJavaMember(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'odradek-java-member-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const [program, ...args] = javaMemberCompiler(folder)
  await run(program!, args)
  return folder
}
