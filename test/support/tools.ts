// The foreign programs that tests run. A machine without one skips its tests and says why; with
// ODRADEK_REQUIRE_PEERS=1, as .ci/run has it, a missing program fails them.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Finished, type ProcessOptions, run, RunningProcess } from './processes.ts'

const scripts = join(import.meta.dirname, '../../scripts')

function onPath(program: string, versionFlag: string): boolean {
  return spawnSync(program, [versionFlag], { stdio: 'ignore' }).error === undefined
}

/** Throws instead when programs must not be missing. */
export function reasonToSkip(program: string, present: boolean): string | false {
  if (present) return false
  const reason = `not installed: ${program} (scripts/setup-peers does it)`
  if (process.env['ODRADEK_REQUIRE_PEERS'] === '1') throw new Error(`${reason} (ODRADEK_REQUIRE_PEERS=1)`)
  return reason
}

export const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
export const kafkaHome = process.env['ODRADEK_KAFKA_HOME'] ?? join(cache, 'odradek/apache-kafka')

/** For `skip` of a test that runs kcat. Throws instead when programs must not be missing. */
export function withoutKcat(): string | false {
  return reasonToSkip('kcat', onPath('kcat', '-V'))
}

/** For `skip` of a test that runs Apache Kafka's tools. Throws instead when programs must not be missing. */
export function withoutKafkaTools(): string | false {
  return reasonToSkip("Apache Kafka's tools", existsSync(join(kafkaHome, 'pom.xml')) && onPath('java', '-version'))
}

/** For `skip` of a test that runs etcd. Throws instead when programs must not be missing. */
export function withoutEtcd(): string | false {
  return reasonToSkip('etcd', onPath('etcd', '--version'))
}

/** For `skip` of a test that makes certificates. Throws instead when programs must not be missing. */
export function withoutOpenssl(): string | false {
  return reasonToSkip('openssl', onPath('openssl', 'version'))
}

type RunOptions = Parameters<typeof run>[2]

export async function kcat(args: readonly string[], options?: RunOptions): Promise<Finished> {
  return run('kcat', args, options)
}

export function startKcat(args: readonly string[], options?: ProcessOptions): RunningProcess {
  return new RunningProcess('kcat', args, options)
}

/** Runs one of Apache Kafka's programs to its end: `kafkaTool('topics', ['--list', ...])`. */
export async function kafkaTool(name: string, args: readonly string[], options?: RunOptions): Promise<Finished> {
  return run(join(scripts, 'kafka/run'), [name, ...args], options)
}

export function startKafkaTool(name: string, args: readonly string[], options?: ProcessOptions): RunningProcess {
  return new RunningProcess(join(scripts, 'kafka/run'), [name, ...args], options)
}
