// `odradek/testkit`: real brokers inside a test file.
//
//   const broker = await startBroker()
//   const kafka = new Kafka({ brokers: [broker.bootstrapServers] })
//   ...
//   await broker.stop()
//
//   const cluster = await startCluster({ brokers: 3 })
//   await cluster.kill(2)

export { type EmbeddedBroker, startBroker, type StartBrokerOptions } from './start-broker.ts'
export { type ClusterBroker, type EmbeddedCluster, startCluster, type StartClusterOptions } from './start-cluster.ts'
