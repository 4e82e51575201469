// Run by start-broker.test.ts in a process of its own: what is open before a broker started and after it stopped, while a
// client still held its connection.

import { connect } from 'node:net'
import { startBroker } from '../../src/testkit/index.ts'
import { kafkaJs } from '../support/kafkajs-client.ts'

const turn = () => new Promise(setImmediate)

process.stderr.write('') // the process's own streams are opened when first used
process.stdout.write('')
await turn()
const before = process.getActiveResourcesInfo()
const broker = await startBroker()
const producer = kafkaJs(broker.bootstrapServers).producer()
await producer.connect()
await producer.send({ topic: 'orders', messages: [{ value: 'a' }] })
await producer.disconnect()
const idle = connect(broker.port, broker.host)
idle.resume()
await new Promise((resolve) => idle.once('connect', resolve))
const idleClosed = new Promise((resolve) => idle.once('close', resolve))
await broker.stop()
await idleClosed
// The system closes a listener within the turn after.
await turn()
await turn()
process.stdout.write(JSON.stringify({ before, after: process.getActiveResourcesInfo() }))
