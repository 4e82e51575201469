// Writes deposits and withdrawals.
//
//   node examples/bank/transactions.js [how many]

import { createTopic, kafka, topic } from './bank.js'

const accounts = ['alice', 'bob', 'carol', 'dave', 'erin', 'frank']
const count = Number(process.argv[2] ?? 20)

function randomTransaction() {
  const account = accounts[Math.floor(Math.random() * accounts.length)]
  const type = Math.random() < 0.6 ? 'deposit' : 'withdrawal'
  return { account, type, amount: 1 + Math.floor(Math.random() * 100) }
}

await createTopic()
// Idempotent: when an answer gets lost and KafkaJS sends a message again, the broker knows it and keeps it once.
const producer = kafka.producer({ idempotent: true })
await producer.connect()
for (let n = 0; n < count; n++) {
  const transaction = randomTransaction()
  // The account is the key, so everything that happens to one account stays in order.
  await producer.send({ topic, messages: [{ key: transaction.account, value: JSON.stringify(transaction) }] })
  console.log(transaction.account, transaction.type, transaction.amount)
}
await producer.disconnect()
