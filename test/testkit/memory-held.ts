// Run by start-broker.test.ts in a process of its own, with --expose-gc: bytes in buffers before, with 40 MB of records, and
// after the broker stopped.

import { startBroker } from '../../src/testkit/index.ts'
import { kafkaJs } from '../support/kafkajs-client.ts'

async function held(): Promise<number> {
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.()
    await new Promise(setImmediate)
  }
  return process.memoryUsage().arrayBuffers
}

/** In a function of its own, so that nothing of it is left on the stack. */
async function fill(): Promise<{ running: number }> {
  const broker = await startBroker()
  const producer = kafkaJs(broker.bootstrapServers).producer()
  await producer.connect()
  const value = Buffer.alloc(500_000, 'x')
  for (let i = 0; i < 80; i++) await producer.send({ topic: 'orders', messages: [{ value }] })
  await producer.disconnect()
  const running = await held()
  await broker.stop()
  return { running }
}

const before = await held()
const { running } = await fill()
process.stdout.write(JSON.stringify({ before, running, stopped: await held() }))
