// A member made with KafkaJS, which speaks the classic protocol, eagerly. See member-lines.ts.

import kafkajs from 'kafkajs'
import type { EachBatchPayload, PartitionAssigner } from 'kafkajs'
import { memberArguments, OwnPartitions, say } from './member-lines.ts'

const { bootstrap, topics, group, name, assignor, sessionTimeoutMs } = memberArguments(process.argv.slice(2))
const { AssignerProtocol, PartitionAssigners } = kafkajs

/** Neighbouring partitions of a topic to one member, as others' `range`. KafkaJS brings only the other. */
const range: PartitionAssigner = ({ cluster }) => ({
  name: 'range',
  version: 0,
  assign: async ({ members, topics: wanted }) => {
    const ids = members.map(({ memberId }) => memberId).toSorted()
    const assignment = new Map<string, Record<string, number[]>>(ids.map((id) => [id, {}]))
    for (const topic of wanted) {
      const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId)
      partitions.sort((a, b) => a - b)
      const each = Math.floor(partitions.length / ids.length)
      const longer = partitions.length % ids.length
      for (const [index, id] of ids.entries()) {
        assignment.get(id)![topic] = partitions.splice(0, each + (index < longer ? 1 : 0))
      }
    }
    return [...assignment].map(([memberId, own]) => ({
      memberId,
      memberAssignment: AssignerProtocol.MemberAssignment.encode({
        version: 0,
        assignment: own,
        userData: Buffer.alloc(0),
      }),
    }))
  },
  protocol: ({ topics: subscribed }) => ({
    name: 'range',
    metadata: AssignerProtocol.MemberMetadata.encode({ version: 0, topics: subscribed, userData: Buffer.alloc(0) }),
  }),
})

let stopping = false
let handling: Promise<void> = Promise.resolve()
const own = new OwnPartitions()
const retry = { initialRetryTime: 100, maxRetryTime: 1000, retries: 50 }
const kafka = new kafkajs.Kafka({
  clientId: name,
  brokers: [...bootstrap],
  retry,
  logLevel: kafkajs.logLevel.INFO,
  logCreator:
    () =>
    ({ label, log }) =>
      process.stderr.write(`${label} ${JSON.stringify(log)}\n`),
})
const consumer = kafka.consumer({
  groupId: group,
  sessionTimeout: sessionTimeoutMs,
  rebalanceTimeout: 60_000,
  heartbeatInterval: 500,
  maxWaitTimeInMs: 200,
  partitionAssigners: [assignor === 'range' ? range : PartitionAssigners.roundRobin],
  retry: { ...retry, restartOnFailure: async () => !stopping },
})

consumer.on(consumer.events.REBALANCING, () => own.become(new Set(), 'revoked'))
consumer.on(consumer.events.CRASH, ({ payload }) => {
  own.become(new Set(), 'lost')
  say('failed', payload.error.message)
})
consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
  const next = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
    partitions.map((partition) => `${topic}:${partition}`),
  )
  own.become(new Set(), 'lost')
  own.become(new Set(next), 'lost')
})

async function handle(payload: EachBatchPayload): Promise<void> {
  const { topic, partition, messages } = payload.batch
  for (const { offset, value } of messages) say('record', topic, partition, offset, String(value))
  const offset = String(BigInt(messages.at(-1)!.offset) + 1n)
  say('committing', topic, partition, offset)
  // Not `consumer.commitOffsets`: that one asks a coordinator that has moved again and again.
  await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset }] }] })
  say('committed', topic, partition, offset)
  await payload.heartbeat()
}

process.once('SIGTERM', () => {
  stopping = true
  void handling
    .catch(() => {})
    .then(async () => {
      own.become(new Set(), 'revoked')
      await consumer.disconnect()
      say('closed')
      process.exit(0)
    })
})

await consumer.connect()
await consumer.subscribe({ topics: [...topics], fromBeginning: true })
await consumer.run({
  autoCommit: false,
  eachBatch: async (payload) => {
    if (stopping) return
    handling = handle(payload)
    await handling.catch((error: Error) => {
      say('failed', error.message)
      throw error
    })
  },
})
