// @platformatic/kafka at work. Its producer has no queue: what a call to `send` is given travels at once.

import { Consumer, ProduceAcks, Producer } from '@platformatic/kafka'
import { answer, programArguments, recordsPerSend, sendAll } from './program-arguments.ts'

const { work, bootstrap, topic, records, recordBytes } = programArguments()
const common = { clientId: 'bench', bootstrapBrokers: bootstrap.split(',') }

async function produce(): Promise<void> {
  const producer = new Producer(common)
  const messages = Array.from({ length: recordsPerSend }, () => ({
    topic,
    value: Buffer.alloc(recordBytes, 'odradek '),
  }))
  const seconds = await sendAll(records, (count) =>
    producer.send({ acks: ProduceAcks.ALL, messages: count === messages.length ? messages : messages.slice(0, count) }),
  )
  answer({ records, seconds })
}

async function consume(): Promise<void> {
  const consumer = new Consumer({ ...common, groupId: `bench-${process.pid}` })
  let joined = performance.now()
  let seen = 0
  consumer.on('consumer:group:join', () => (joined = performance.now()))
  const stream = await consumer.consume({ topics: [topic], mode: 'earliest' })
  stream.on('data', () => {
    seen += 1
    if (seen === records) answer({ records: seen, seconds: (performance.now() - joined) / 1000 })
  })
}

await (work === 'produce' ? produce() : consume())
