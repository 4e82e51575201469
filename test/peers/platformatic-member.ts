// A member made with @platformatic/kafka, in both protocols. See member-lines.ts.
// It says what it gives up when it learns of a rebalance, and reads on until the next assignment is there, as this client does.
// A stream of this client ends when a broker is not known at that moment: the member then begins anew, with a consumer of its own.

import { once } from 'node:events'
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
  retries: 20, // no longer than a session: what it tries meanwhile are heartbeats
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
const newConsumer = (): Consumer<string, string, string, string> =>
  new Consumer(
    protocol === 'classic' ? classic : { ...common, groupProtocol: 'consumer', groupRemoteAssignor: assignor },
  )
const eager = protocol === 'classic' && assignor !== 'cooperative-sticky'

const own = new OwnPartitions()
/** Next to read, of the own partitions, where that is not committed. */
const positions = new Map<string, { readonly topic: string; readonly partition: number; readonly offset: bigint }>()
let rebalancing = false
let consumer = newConsumer()

const namesOf = (assignments: readonly GroupAssignment[] | null): Set<string> =>
  new Set(
    (assignments ?? []).flatMap(({ topic, partitions }) => partitions.map((partition) => `${topic}:${partition}`)),
  )

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const inner = error instanceof AggregateError ? error.errors.slice(-1) : []
  return [error.message, ...inner.map(wordsOf)].join(': ').replaceAll('\n', ' ')
}

function owns(next: ReadonlySet<string>, goes: 'revoked' | 'lost'): void {
  own.become(next, goes)
  for (const partition of positions.keys()) if (!next.has(partition)) positions.delete(partition)
}

/** Takes over what the client believes to own; says so before the coordinator is told, as this comes before each heartbeat. */
const look = (): void => owns(namesOf(consumer.assignments), 'revoked')

function listen(): void {
  const listened = consumer
  const isOld = (): boolean => consumer !== listened
  consumer.on('consumer:group:rebalance', () => {
    if (isOld() || protocol === 'consumer') return
    rebalancing = true
    if (eager) owns(new Set(), 'revoked')
    else look()
  })
  consumer.on('consumer:group:join', () => {
    if (isOld()) return
    rebalancing = false
    look()
  })
  consumer.on('consumer:heartbeat:start', () => {
    if (!isOld() && !rebalancing) look()
  })
  consumer.on('error', (error) => say('failed', wordsOf(error)))
  consumer.on('consumer:heartbeat:error', ({ error }) => say('failed', 'heartbeat:', wordsOf(error)))
}

let stopping = false
let committing: Promise<void> = Promise.resolve()

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

setInterval(() => {
  if (!stopping) committing = committing.then(commit)
}, 200)

process.once('SIGTERM', () => {
  stopping = true
  void committing.then(async () => {
    await commit()
    owns(new Set(), 'revoked')
    await consumer.close(true)
    say('closed')
    process.exit(0)
  })
})

for (;;) {
  listen()
  try {
    const stream = await consumer.consume({
      topics: [...topics],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: false,
    })
    stream.on('data', ({ topic, partition, offset, value }) => {
      const isOwn = own.has(topic, partition)
      if (stopping || (!isOwn && !rebalancing)) return
      say('record', topic, partition, String(offset), value)
      if (isOwn) positions.set(`${topic}:${partition}`, { topic, partition, offset: offset + 1n })
    })
    // An error of the consumer, with which it ends to join, does not end its stream.
    await Promise.race([once(stream, 'close'), once(consumer, 'error').then(([error]) => Promise.reject(error))])
    if (stopping) break
  } catch (error) {
    if (stopping) break
    say('failed', 'stream:', wordsOf(error))
  }
  owns(new Set(), 'lost')
  rebalancing = false
  // Not awaited: it may try for a minute to leave, and its session ends before.
  void consumer.close(true).catch((error: unknown) => say('failed', 'close:', wordsOf(error)))
  consumer = newConsumer()
  committing = Promise.resolve() // the one under way may never end
}
