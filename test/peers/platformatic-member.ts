// A member made with @platformatic/kafka, in both protocols. See member-lines.ts.
// It says what it gives up when it learns of a rebalance, and reads on until the next assignment is there, as this client does.

import { Consumer, type GroupAssignment, stringDeserializers } from '@platformatic/kafka'
import { memberArguments, OwnPartitions, say } from './member-lines.ts'

const { bootstrap, topics, group, name, instance, protocol, assignor, sessionTimeoutMs } = memberArguments(
  process.argv.slice(2),
)
const common = {
  clientId: name,
  bootstrapBrokers: [...bootstrap],
  groupId: group,
  rebalanceTimeout: 60_000,
  maxWaitTime: 200,
  retries: 240,
  retryDelay: 250,
  deserializers: stringDeserializers,
  ...(instance !== undefined && { groupInstanceId: instance }),
}
const classic = {
  ...common,
  sessionTimeout: sessionTimeoutMs,
  heartbeatInterval: 500,
  protocols: [{ name: assignor, version: 1 }],
}
const consumer = new Consumer<string, string, string, string>(
  protocol === 'classic' ? classic : { ...common, groupProtocol: 'consumer', groupRemoteAssignor: assignor },
)
const eager = protocol === 'classic' && assignor !== 'cooperative-sticky'
const own = new OwnPartitions()
/** Next to read, of the own partitions, where that is not committed. */
const positions = new Map<string, { readonly topic: string; readonly partition: number; readonly offset: bigint }>()

const namesOf = (assignments: readonly GroupAssignment[] | null): Set<string> =>
  new Set(
    (assignments ?? []).flatMap(({ topic, partitions }) => partitions.map((partition) => `${topic}:${partition}`)),
  )

/** Takes over what the client believes to own; says so before the coordinator is told, as this comes before each heartbeat. */
function look(): void {
  const now = namesOf(consumer.assignments)
  own.become(now, 'revoked')
  for (const partition of positions.keys()) if (!now.has(partition)) positions.delete(partition)
}

let rebalancing = false
consumer.on('consumer:group:rebalance', () => {
  if (protocol === 'consumer') return
  rebalancing = true
  if (!eager) return look()
  positions.clear()
  own.become(new Set(), 'revoked')
})
consumer.on('consumer:group:join', () => {
  rebalancing = false
  look()
})
consumer.on('consumer:heartbeat:start', () => {
  if (!rebalancing) look()
})
consumer.on('consumer:heartbeat:error', ({ error }) => say('failed', 'heartbeat:', wordsOf(error)))

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const inner = error instanceof AggregateError ? error.errors.slice(-1) : []
  return [error.message, ...inner.map(wordsOf)].join(': ').replaceAll('\n', ' ')
}

const stream = await consumer.consume({
  topics: [...topics],
  mode: 'committed',
  fallbackMode: 'earliest',
  autocommit: false,
})
stream.on('error', (error) => {
  say('failed', 'stream:', wordsOf(error))
  process.exit(1)
})
let stopping = false
stream.on('data', (message) => {
  const { topic, partition, offset, value } = message
  const isOwn = own.has(topic, partition)
  if (stopping || (!isOwn && !rebalancing)) return
  say('record', topic, partition, String(offset), value)
  if (isOwn) positions.set(`${topic}:${partition}`, { topic, partition, offset: offset + 1n })
})

/** Not while it joins: what the coordinator refuses then, this client sends again later, when others may have committed more. */
async function commit(): Promise<void> {
  if (rebalancing) return
  const offsets = [...positions.values()].map((position) => ({ ...position, leaderEpoch: -1 }))
  if (offsets.length === 0) return
  positions.clear()
  for (const { topic, partition, offset } of offsets) say('committing', topic, partition, String(offset))
  try {
    await consumer.commit({ offsets })
    for (const { topic, partition, offset } of offsets) say('committed', topic, partition, String(offset))
  } catch (error) {
    say('failed', 'commit:', wordsOf(error))
  }
}

let committing: Promise<void> = Promise.resolve()
const commits = setInterval(() => {
  committing = committing.then(commit)
}, 200)

async function close(): Promise<void> {
  stopping = true
  clearInterval(commits)
  await committing
  await commit()
  own.become(new Set(), 'revoked')
  await stream.close()
  await consumer.close(true)
  say('closed')
  process.exit(0)
}

process.once('SIGTERM', () => void close())
