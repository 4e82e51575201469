import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { brokerSettings } from '../cluster/settings/broker-settings.ts'
import { silentLogger } from '../lib/logger.ts'
import { buildBatch } from '../records/batch-builder.ts'
import { changeBetween, emptyImage, idOf, imageOf, thisBroker, type TopicSketch } from './image.sim.ts'
import { SimulatedLog } from './log.sim.ts'
import { type LogName, ReplicaSet } from './replica-set.ts'

class SimulatedLogs {
  readonly events: string[] = []
  readonly logs = new Map<string, SimulatedLog>()
  readonly broken = new Set<string>()
  /** Opens that are under way wait for this. */
  gate: Promise<void> = Promise.resolve()
  opening = 0
  openingMax = 0

  async openLog({ topicName, partition, topicId }: LogName & { topicId: string }): Promise<SimulatedLog> {
    const name = `${topicName}-${partition}`
    this.opening += 1
    this.openingMax = Math.max(this.openingMax, this.opening)
    await this.gate
    await turn()
    this.opening -= 1
    if (this.broken.has(name)) throw new Error('EIO')
    this.events.push(`open ${name} ${topicId === idOf(topicName) ? 'first' : 'second'}`)
    const log = new SimulatedLog(name)
    this.logs.set(name, log)
    return log
  }

  highWatermarkOf(): number {
    return 0
  }

  async deleteLog({ topicName, partition }: LogName): Promise<void> {
    await turn()
    this.events.push(`delete ${topicName}-${partition}`)
  }
}

function replicaSet(concurrencyMax?: number) {
  const logs = new SimulatedLogs()
  const settings = brokerSettings()
  const replicas = new ReplicaSet({
    brokerId: thisBroker,
    logs,
    settings,
    logger: silentLogger,
    ...(concurrencyMax === undefined ? {} : { concurrencyMax }),
  })
  let image = emptyImage
  const become = (topics: readonly TopicSketch[]): void => {
    const next = imageOf(topics)
    replicas.apply(changeBetween(image, next))
    image = next
  }
  return { logs, replicas, become }
}

describe('a replica set', () => {
  test('opens and leads the partitions that the image places here', async () => {
    const { replicas, become } = replicaSet()
    become([
      { name: 'orders', partitions: 3 },
      { name: 'elsewhere', replicas: [2], leader: 2 },
    ])
    assert.equal(replicas.find('orders', 0)?.state, 'opening')
    await replicas.ready()
    assert.deepEqual(replicas.count(), { opening: 0, leading: 3, following: 0, idle: 0, offline: 0, deleted: 0 })
    assert.equal(replicas.find('orders', 2), replicas.findById(idOf('orders'), 2))
    assert.equal(replicas.find('elsewhere', 0), undefined)
    assert.equal(replicas.find('orders', 3), undefined)
    assert.equal(replicas.find('nothing', 0), undefined)
  })

  test('is ready at once when there is nothing to open', async () => {
    const { replicas, become } = replicaSet()
    become([])
    await replicas.ready()
  })

  test('opens ten thousand partitions a few at a time', async () => {
    const { replicas, become, logs } = replicaSet(32)
    become([{ name: 'wide', partitions: 10_000 }])
    await replicas.ready()
    assert.equal(replicas.count().leading, 10_000)
    assert.equal(logs.openingMax, 32)
  })

  test('a log that does not open takes its partition offline and no other', async () => {
    const { replicas, become, logs } = replicaSet()
    logs.broken.add('orders-1')
    become([{ name: 'orders', partitions: 3 }])
    await replicas.ready()
    assert.deepEqual(
      [0, 1, 2].map((index) => replicas.find('orders', index)!.state),
      ['leading', 'offline', 'leading'],
    )
    assert.match(String(replicas.find('orders', 1)!.fault), /EIO/)
  })

  test('adds partitions to a topic that grows', async () => {
    const { replicas, become } = replicaSet()
    become([{ name: 'orders', partitions: 1 }])
    await replicas.ready()
    const first = replicas.find('orders', 0)
    become([{ name: 'orders', partitions: 2 }])
    await replicas.ready()
    assert.equal(replicas.find('orders', 0), first)
    assert.equal(replicas.find('orders', 1)?.state, 'leading')
  })

  test('ends and begins leaderships at once when the log is open', async () => {
    const { replicas, become } = replicaSet()
    become([{ name: 'orders', replicas: [1, 2], isr: [1], leaderEpoch: 1 }])
    await replicas.ready()
    const partition = replicas.find('orders', 0)!
    const seen: string[] = []
    const stop = replicas.onPartition((one) => seen.push(`${one.name} ${one.state} ${one.leaderEpoch}`))
    become([{ name: 'orders', replicas: [1, 2], isr: [1], leader: 2, leaderEpoch: 2 }])
    assert.equal(partition.state, 'following')
    become([{ name: 'orders', replicas: [1, 2], isr: [1], leader: 1, leaderEpoch: 3 }])
    assert.equal(partition.state, 'leading')
    stop()
    become([])
    assert.deepEqual(seen, ['orders-0 following 2', 'orders-0 leading 3'])
  })

  test('hands changed configs to the open log', async () => {
    const { replicas, become, logs } = replicaSet()
    become([{ name: 'orders' }])
    await replicas.ready()
    become([{ name: 'orders', configs: { 'segment.bytes': '2097152', 'max.message.bytes': '77' } }])
    assert.equal(logs.logs.get('orders-0')!.config?.segmentBytes, 2_097_152)
    assert.equal(replicas.find('orders', 0)!.settings.batchRules.maxMessageBytes, 77)
  })

  test('hands configs that changed while the log was opened to it, too', async () => {
    const { replicas, become, logs } = replicaSet()
    become([{ name: 'orders' }])
    become([{ name: 'orders', configs: { 'segment.bytes': '2097152' } }])
    await replicas.ready()
    assert.equal(logs.logs.get('orders-0')!.config?.segmentBytes, 2_097_152)
  })

  test('deletes the log of a topic that is gone, before one of the same name is made', async () => {
    const { replicas, become, logs } = replicaSet()
    become([{ name: 'orders' }])
    await replicas.ready()
    const old = replicas.find('orders', 0)!
    const id = idOf('another')
    become([{ name: 'orders', id }])
    assert.equal(old.state, 'deleted')
    assert.equal(replicas.findById(idOf('orders'), 0), undefined)
    await replicas.ready()
    assert.deepEqual(logs.events, ['open orders-0 first', 'delete orders-0', 'open orders-0 second'])
    assert.equal(replicas.find('orders', 0), replicas.findById(id, 0))
    assert.equal(replicas.find('orders', 0)?.state, 'leading')
  })

  test('deletes the old log before the new one is made, in whatever order the change names them', async () => {
    const { replicas, become, logs } = replicaSet()
    const before = imageOf([{ name: 'orders' }])
    become([{ name: 'orders' }])
    await replicas.ready()
    const id = idOf('another')
    const after = imageOf([{ name: 'orders', id }])
    replicas.apply({ before, after, topicIds: new Set([id, idOf('orders')]) })
    await replicas.ready()
    assert.deepEqual(logs.events, ['open orders-0 first', 'delete orders-0', 'open orders-0 second'])
    assert.equal(replicas.find('orders', 0), replicas.findById(id, 0))
    assert.equal(replicas.find('orders', 0)?.state, 'leading')
  })

  test('deletes a topic whose log is still being opened', async () => {
    const { replicas, become, logs } = replicaSet()
    const { promise, resolve } = Promise.withResolvers<void>()
    logs.gate = promise
    become([{ name: 'orders' }])
    await turn()
    become([])
    resolve()
    await replicas.ready()
    await replicas.stop()
    assert.deepEqual(logs.events, ['open orders-0 first', 'delete orders-0'])
    assert.equal(replicas.find('orders', 0), undefined)
  })

  test('removes a replica that the image moved to another broker', async () => {
    const { replicas, become, logs } = replicaSet()
    become([{ name: 'orders' }])
    await replicas.ready()
    become([{ name: 'orders', replicas: [2], leader: 2, leaderEpoch: 1 }])
    assert.equal(replicas.find('orders', 0), undefined)
    while (logs.events.length < 2) await turn()
    assert.deepEqual(logs.events, ['open orders-0 first', 'delete orders-0'])
  })

  test('tells the high watermark of each open log', async () => {
    const { replicas, become, logs } = replicaSet()
    logs.broken.add('orders-1')
    become([{ name: 'orders', partitions: 2 }])
    await replicas.ready()
    const partition = replicas.find('orders', 0)!
    partition.append(buildBatch([{ value: 'a' }, { value: 'b' }]), 'client')
    await partition.committed(2)
    assert.deepEqual([...replicas.highWatermarks()], [['orders-0', 2]])
  })

  test('that stops ends every leadership, tells who waits, and follows the image no longer', async () => {
    const { replicas, become } = replicaSet()
    become([{ name: 'orders', partitions: 3 }])
    await replicas.ready()
    await replicas.stop()
    assert.deepEqual(replicas.count(), { opening: 0, leading: 0, following: 0, idle: 3, offline: 0, deleted: 0 })
    await assert.rejects(replicas.find('orders', 0)!.committed(1), { reason: 'notLeader' })
    become([{ name: 'orders', partitions: 3, leaderEpoch: 1 }])
    assert.equal(replicas.count().leading, 0)
    assert.equal([...replicas.highWatermarks()].length, 3)
  })

  test('that stops while logs are opened opens no more of them', async () => {
    const { replicas, become, logs } = replicaSet(2)
    become([{ name: 'orders', partitions: 10 }])
    await replicas.stop()
    assert.ok(logs.logs.size <= 2)
    assert.equal(replicas.count().leading, 0)
  })
})
