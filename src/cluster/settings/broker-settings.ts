// The settings of one broker: Kafka's names in, typed fields out. Everything wrong is reported at once, in words that say what to
// do; what Kafka knows and this program does not act on is accepted with a warning.

import { brokerDefinitions, topicDefaultDefinitions } from './broker-definitions.ts'
import { type ConfigDefinition, valueOf } from './config-definition.ts'
import { consumerGroupProblems } from './consumer-group-definitions.ts'
import { type ListenerAddress, parseListener } from './listeners.ts'
import { nearestName } from './nearest-name.ts'
import { unusedKafkaNames } from './unused-kafka-names.ts'

type ValueOf<D> = D extends ConfigDefinition<infer T> ? T : never
type Values = { readonly [Field in keyof typeof brokerDefinitions]: ValueOf<(typeof brokerDefinitions)[Field]> }

export interface BrokerSettings extends Values {
  readonly listeners: readonly ListenerAddress[]
  /** Null: clients are told the address they came by. */
  readonly advertisedListeners: readonly ListenerAddress[] | null
  /** The one folder of this broker's data. */
  readonly dataFolder: string
  /** What was set, by Kafka's name; everything else has its default. */
  readonly given: ReadonlyMap<string, string>
}

export type ParsedBrokerSettings =
  | { readonly ok: true; readonly settings: BrokerSettings; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly problems: readonly string[] }

const definitionsByName = new Map<string, ConfigDefinition>(
  [...Object.values(brokerDefinitions), ...topicDefaultDefinitions].map((definition) => [definition.name, definition]),
)
const knownNames = [...definitionsByName.keys(), ...unusedKafkaNames, 'broker.id']

/** The definition behind a broker setting's name; undefined for those without effect. */
export function brokerDefinition(name: string): ConfigDefinition | undefined {
  return definitionsByName.get(name)
}

/** Settings that this broker acts on, in order of name. */
export const honouredBrokerDefinitions: readonly ConfigDefinition[] = [...definitionsByName.values()]
  .filter((definition) => definition.honoured)
  .sort((a, b) => (a.name < b.name ? -1 : 1))

/** Reads settings by Kafka's names, as from server.properties (`parseProperties`) or the command line. */
export function parseBrokerSettings(
  properties: ReadonlyMap<string, string> | Readonly<Record<string, string>>,
): ParsedBrokerSettings {
  const entries = properties instanceof Map ? [...properties] : Object.entries(properties as Record<string, string>)
  const given = new Map<string, string>()
  const problems: string[] = []
  const warnings: string[] = []
  for (const [name, text] of entries) {
    const problem = checkSetting(name, text, given, warnings)
    if (problem !== null) problems.push(problem)
  }
  if (problems.length > 0) return { ok: false, problems }
  const values = typedValues(given)
  const listeners = openListeners(values, problems, warnings)
  const advertisedListeners = advertised(values, listeners, problems)
  const dataFolder = folderOf(values, problems)
  checkTogether(values, listeners, problems)
  if (problems.length > 0) return { ok: false, problems }
  return { ok: true, settings: { ...values, listeners, advertisedListeners, dataFolder, given }, warnings }
}

/** Settings for a test or an embedded broker: `overrides` by Kafka's names. Throws when one is wrong. */
export function brokerSettings(overrides: Readonly<Record<string, string>> = {}): BrokerSettings {
  const parsed = parseBrokerSettings(overrides)
  if (!parsed.ok) throw new Error(parsed.problems.join('; '))
  return parsed.settings
}

/** Takes one setting into `given`; answers what is wrong with it, or null. */
function checkSetting(name: string, text: string, given: Map<string, string>, warnings: string[]): string | null {
  if (name === 'broker.id') return checkBrokerId(text, given)
  // Without its authorizer a cluster would stand open: never silently.
  if (name === 'authorizer.class.name' && text.trim() !== '') {
    return `setting '${name}' is not supported: this broker has no authorizer, and would let everyone in`
  }
  const definition = definitionsByName.get(name)
  if (definition !== undefined) {
    const parsed = definition.parse(text)
    if (!parsed.ok) return parsed.problem
    if (name === 'node.id' && given.has(name) && given.get(name) !== text.trim()) return idsDiffer
    given.set(name, text.trim())
    if (!definition.honoured) warnings.push(`setting '${name}' has no effect on this broker yet`)
    return null
  }
  if (unusedKafkaNames.has(name) || name === 'authorizer.class.name' || isPrefixed(name)) {
    warnings.push(`setting '${name}' has no effect on this broker`)
    return null
  }
  const nearest = nearestName(name, knownNames)
  return `unknown setting '${name}'${nearest === null ? '' : `; did you mean '${nearest}'?`}`
}

const idsDiffer = "settings 'broker.id' and 'node.id' differ; set one of them"

/** `broker.id` is another name of `node.id`; -1 means that it is not set. */
function checkBrokerId(text: string, given: Map<string, string>): string | null {
  if (text.trim() === '-1') return null
  const parsed = brokerDefinitions.brokerId.parse(text)
  if (!parsed.ok) return parsed.problem.replace('node.id', 'broker.id')
  if (given.has('node.id') && given.get('node.id') !== text.trim()) return idsDiffer
  given.set('node.id', text.trim())
  return null
}

/** Settings of plug-ins and of single listeners, which Kafka passes on unseen. */
function isPrefixed(name: string): boolean {
  return /^(internal\.|listener\.name|rlmm\.config|rsm\.config|config\.providers|metrics?\.|confluent|zookeeper\.)/.test(
    name,
  )
}

function typedValues(given: ReadonlyMap<string, string>): Values {
  const values: Record<string, unknown> = {}
  for (const [field, definition] of Object.entries(brokerDefinitions)) {
    values[field] = valueOf<unknown>(definition, given.get(definition.name))
  }
  return values as Values
}

function openListeners(values: Values, problems: string[], warnings: string[]): ListenerAddress[] {
  const listeners: ListenerAddress[] = []
  for (const listener of parseListeners('listeners', values.listenersText, problems)) {
    if (values.controllerListenerNames.includes(listener.name)) {
      warnings.push(`listener ${listener.name} is for KRaft controllers and is not opened`)
      continue
    }
    const protocol = securityProtocolOf(listener.name, values)
    if (protocol === 'PLAINTEXT') listeners.push(listener)
    else if (protocol === null)
      problems.push(`listener ${listener.name} has no entry in listener.security.protocol.map`)
    else problems.push(`listener ${listener.name} uses ${protocol}, which this broker does not speak; use PLAINTEXT`)
  }
  if (listeners.length === 0 && problems.length === 0) problems.push('listeners names no address to listen on')
  return listeners
}

function securityProtocolOf(name: string, values: Values): string | null {
  for (const entry of values.listenerSecurityProtocolMap) {
    const [listener, protocol] = entry.split(':')
    if (listener?.toUpperCase() === name) return protocol?.toUpperCase() ?? null
  }
  return null
}

function advertised(
  values: Values,
  listeners: readonly ListenerAddress[],
  problems: string[],
): ListenerAddress[] | null {
  if (values.advertisedListenersText === null) return null
  const addresses = parseListeners('advertised.listeners', values.advertisedListenersText, problems)
  for (const address of addresses) {
    if (values.controllerListenerNames.includes(address.name)) continue
    if (!listeners.some((listener) => listener.name === address.name)) {
      problems.push(`advertised.listeners names ${address.name}, which is not among listeners`)
    }
    if (address.host === '' || address.host === '0.0.0.0') {
      problems.push(`advertised.listeners must name a host that clients can reach, for ${address.name}`)
    }
  }
  return addresses.filter((address) => !values.controllerListenerNames.includes(address.name))
}

/** What is right by itself and does not fit together. */
function checkTogether(values: Values, listeners: readonly ListenerAddress[], problems: string[]): void {
  const between = values.interBrokerListenerName
  if (between !== null && listeners.length > 0 && !listeners.some(({ name }) => name === between.toUpperCase())) {
    problems.push(`inter.broker.listener.name names ${between}, which is not among listeners`)
  }
  if (values.replicaFetchWaitMaxMs > values.replicaLagTimeMaxMs) {
    problems.push(
      'replica.fetch.wait.max.ms must be no more than replica.lag.time.max.ms, or the ISR shrinks for nothing',
    )
  }
  if (values.replicaSocketTimeoutMs < values.replicaFetchWaitMaxMs) {
    problems.push('replica.socket.timeout.ms must be at least replica.fetch.wait.max.ms')
  }
  const { etcdEndpoints, advertisedListenersText } = values
  if (etcdEndpoints !== null && advertisedListenersText === null && listeners.some(({ host }) => isEverywhere(host))) {
    problems.push('advertised.listeners must say where other brokers reach this one: listeners names every address')
  }
  if ((values.etcdUsername === null) !== (values.etcdPasswordFile === null)) {
    problems.push('etcd.username and etcd.password.file go together; set both or none')
  }
  if ((values.etcdTlsCertificateFile === null) !== (values.etcdTlsKeyFile === null)) {
    problems.push('etcd.tls.certificate.file and etcd.tls.key.file go together; set both or none')
  }
  problems.push(...consumerGroupProblems(values))
}

const isEverywhere = (host: string): boolean => ['', '0.0.0.0', '::'].includes(host)

function parseListeners(setting: string, texts: readonly string[], problems: string[]): ListenerAddress[] {
  const addresses: ListenerAddress[] = []
  for (const text of texts) {
    const address = parseListener(text)
    if (address === null) problems.push(`${setting}: '${text}' is not of the form NAME://host:port`)
    else if (addresses.some((other) => other.name === address.name)) {
      problems.push(`${setting}: each listener needs a name of its own, and ${address.name} comes twice`)
    } else addresses.push(address)
  }
  return addresses
}

function folderOf(values: Values, problems: string[]): string {
  const folders = values.logDirs ?? [values.logDir]
  if (folders.length > 1) problems.push('log.dirs names several folders; one broker keeps its data in one')
  const folder = folders[0] ?? ''
  if (folder === '') problems.push('log.dirs names no folder')
  return folder
}
