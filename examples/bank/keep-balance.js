// Keeps the balance of every account: folds the transactions, from the first one on, into one number each.
// Start it in several terminals, and the members of the group share the partitions, and with them the accounts.
//
//   node examples/bank/keep-balance.js

import { createTopic, kafka, topic } from './bank.js'

// What this member knows, for each partition it was given: the balances, and the offset of the message to count next.
let partitions = new Map()

/** One step of the fold: the balance before and a transaction give the balance after. */
function apply(balance, { type, amount }) {
  if (type === 'deposit') return balance + amount
  return amount <= balance ? balance - amount : balance // a withdrawal that is not covered is declined
}

await createTopic()
// A request for new messages waits at the broker for half a second at most: so soon a member hears of the others.
const consumer = kafka.consumer({ groupId: 'keep-balance', heartbeatInterval: 500, maxWaitTimeInMs: 500 })

// Called whenever the group has shared out its partitions anew: a member came or left.
consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
  const mine = payload.memberAssignment[topic] ?? []
  partitions = new Map(mine.map((partition) => [partition, { next: 0, balances: new Map() }]))
  console.log('partitions', mine.join(' '))
})

await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })
await consumer.run({
  // The balances are only in memory. So this consumer does not commit how far it has read: whoever is given
  // a partition begins with its first message, and arrives at the same balances.
  autoCommit: false,
  eachMessage: async ({ partition, message }) => {
    const state = partitions.get(partition)
    if (state?.next !== Number(message.offset)) return // fetched before the partitions were shared out anew
    state.next += 1
    const transaction = JSON.parse(message.value.toString())
    const balance = apply(state.balances.get(transaction.account) ?? 0, transaction)
    state.balances.set(transaction.account, balance)
    console.log('balance', transaction.account, balance)
  },
})

// Leaving says so to the group: the others take over at once.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void consumer.disconnect())
