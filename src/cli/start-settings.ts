// The settings of `odradek start`: the file first, then `--set`, then the options of their own.

import { type BrokerSettings, parseBrokerSettings } from '../cluster/settings/broker-settings.ts'
import { problemsOfSeveral } from '../start/several-brokers.ts'
import { parseProperties, PropertiesError } from '../cluster/settings/java-properties.ts'

export interface StartOptions {
  readonly port?: number
  readonly host?: string
  readonly data?: string
  readonly config?: string
  readonly set?: readonly string[]
  readonly dev?: boolean
  readonly brokers?: number
  readonly brokerId?: number
  readonly etcd?: string
}

export type StartSettings =
  | { readonly ok: true; readonly settings: BrokerSettings; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] }

/** Without a word from the user the broker is for this machine only: it has no authentication. */
export const defaultHost = '127.0.0.1'
export const defaultPort = 9092
export const defaultData = './data'

/** Everything that is wrong, at once. `readFile` throws when it cannot. */
export function startSettings(options: StartOptions, readFile: (path: string) => string): StartSettings {
  const given = new Map<string, string>()
  const problems: string[] = []
  if (options.config !== undefined) takeFile(options.config, readFile, given, problems)
  for (const assignment of options.set ?? []) {
    const equals = assignment.indexOf('=')
    if (equals < 1) problems.push(`--set takes name=value, not '${assignment}'`)
    else given.set(assignment.slice(0, equals).trim(), assignment.slice(equals + 1).trim())
  }
  takeAddress(options, given, problems)
  if (options.data !== undefined) {
    given.delete('log.dirs')
    given.set('log.dir', options.data)
  } else if (!given.has('log.dirs') && !given.has('log.dir')) {
    given.set('log.dir', defaultData)
  }
  if (options.brokerId !== undefined) {
    given.delete('broker.id')
    given.set('node.id', String(options.brokerId))
  }
  if (options.etcd !== undefined) given.set('etcd.endpoints', options.etcd)
  if (options.brokers !== undefined) problems.push(...problemsOfSeveral(given))
  if (options.dev === true && !given.has('group.initial.rebalance.delay.ms')) {
    given.set('group.initial.rebalance.delay.ms', '0')
  }
  const parsed = parseBrokerSettings(given)
  if (!parsed.ok) problems.push(...parsed.problems)
  return parsed.ok && problems.length === 0 ? parsed : { ok: false, problems }
}

/** Reads a file of settings into `given`; what is wrong with it is added to `problems`. */
export function takeFile(
  path: string,
  readFile: (path: string) => string,
  given: Map<string, string>,
  problems: string[],
): void {
  try {
    for (const [name, value] of parseProperties(readFile(path))) given.set(name, value)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const what = error instanceof PropertiesError ? message : (fileProblems.get(code ?? '') ?? message)
    problems.push(`cannot read ${path}: ${what}`)
  }
}

const fileProblems: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'this user may not'],
  ['EISDIR', 'it is a folder'],
])

/** `--host` and `--port` replace their part of the one listener for clients. */
function takeAddress(options: StartOptions, given: Map<string, string>, problems: string[]): void {
  const fresh = `PLAINTEXT://${defaultHost}:${defaultPort}`
  const listeners = (given.get('listeners') ?? fresh).split(',').map((listener) => listener.trim())
  if (options.host !== undefined || options.port !== undefined) {
    const controllers = (given.get('controller.listener.names') ?? '').split(',').map((name) => name.trim())
    const forClients = listeners.filter((listener) => !controllers.includes(listener.split(':', 1)[0]!))
    if (forClients.length > 1) problems.push('--host and --port are for one listener, and listeners names several')
    const [, name, host, port] = /^(.*):\/\/(.*):(.*)$/.exec(forClients[0] ?? '') ?? []
    if (name === undefined) return
    const newHost = options.host === undefined ? host : bracketed(options.host)
    listeners[listeners.indexOf(forClients[0]!)] = `${name}://${newHost}:${options.port ?? port}`
  }
  given.set('listeners', listeners.join(','))
}

/** An IPv6 address as it stands before a port. */
export const bracketed = (host: string): string => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host)
