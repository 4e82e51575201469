// KafkaJS at work. Its producer has no queue: what a call to `send` is given travels at once.

import kafkajs from 'kafkajs'
import { answer, programArguments, recordsPerSend, sendAll } from './program-arguments.ts'

const { work, bootstrap, topic, records, recordBytes } = programArguments()
const kafka = new kafkajs.Kafka({ clientId: 'bench', brokers: bootstrap.split(','), logLevel: kafkajs.logLevel.ERROR })

async function produce(): Promise<void> {
  const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  const messages = Array.from({ length: recordsPerSend }, () => ({ value: Buffer.alloc(recordBytes, 'odradek ') }))
  const seconds = await sendAll(records, (count) =>
    producer.send({ topic, acks: -1, messages: count === messages.length ? messages : messages.slice(0, count) }),
  )
  answer({ records, seconds })
}

async function consume(): Promise<void> {
  const consumer = kafka.consumer({ groupId: `bench-${process.pid}` })
  let joined = performance.now()
  let seen = 0
  consumer.on(consumer.events.GROUP_JOIN, () => (joined = performance.now()))
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    eachBatch: async ({ batch }) => {
      seen += batch.messages.length
      if (seen >= records) answer({ records: seen, seconds: (performance.now() - joined) / 1000 })
    },
  })
}

await (work === 'produce' ? produce() : consume())
