// A member of a group that reads all there is, commits it, and is killed: `node silent-member.ts BOOTSTRAP GROUP TOPIC`. Its session
// lasts a second.

import { kafkaJs } from './kafkajs-client.ts'

const [bootstrap = '', groupId = '', topic = ''] = process.argv.slice(2)
const consumer = kafkaJs(bootstrap, { clientId: 'silent' }).consumer({
  groupId,
  sessionTimeout: 1000,
  heartbeatInterval: 100,
  maxWaitTimeInMs: 100,
})
await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })
let read = 0
consumer.on(consumer.events.COMMIT_OFFSETS, () => {
  if (read === 20) process.kill(process.pid, 'SIGKILL')
})
await consumer.run({
  autoCommitInterval: 100,
  eachMessage: async () => {
    read += 1
  },
})
