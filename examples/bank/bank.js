// What the two programs of this example share: how to reach Kafka, and the topic.

import { Kafka, logLevel } from 'kafkajs'

/** Where the transactions are kept, in the order in which they happened. */
export const topic = 'bank.transactions'

export const kafka = new Kafka({
  clientId: 'bank',
  brokers: [process.env.KAFKA_BROKER ?? 'localhost:9092'],
  logLevel: logLevel.ERROR,
})

/**
 * Makes the topic when it is not there yet. It has four partitions: so many consumers can share the work.
 * Order is kept within a partition, and messages with the same key go to the same partition.
 */
export async function createTopic() {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic, numPartitions: 4 }] })
  await admin.disconnect()
}
