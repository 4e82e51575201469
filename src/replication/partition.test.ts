import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { brokerSettings } from '../cluster/settings/broker-settings.ts'
import { buildBatch } from '../records/batch-builder.ts'
import { imageOf, thisBroker, type TopicSketch } from './image.sim.ts'
import { SimulatedLog } from './log.sim.ts'
import type { OffsetWaiter } from './offset-queue.ts'
import { Partition, PartitionLost } from './partition.ts'
import { partitionSettings } from './partition-settings.ts'

const batchOf = (records: number): Uint8Array => buildBatch(Array.from({ length: records }, () => ({ value: 'v' })))

function partitionOf(sketch: Partial<TopicSketch> = {}) {
  const topic = imageOf([{ name: 'orders', ...sketch }]).topicsByName.get('orders')!
  const states: string[] = []
  const partition = new Partition({
    brokerId: thisBroker,
    topic,
    image: topic.partitions[0]!,
    settings: partitionSettings(topic, brokerSettings()),
    onState: ({ state }) => states.push(state),
  })
  return { partition, states, log: new SimulatedLog('orders-0', { immediate: false }) }
}

function leading(sketch: Partial<TopicSketch> = {}) {
  const made = partitionOf(sketch)
  made.partition.opened(made.log)
  return made
}

class Recorder implements OffsetWaiter {
  settled = false
  readonly calls: string[] = []
  reached(slot: number): void {
    this.calls.push(`reached ${slot}`)
  }
  lost(slot: number, reason: string): void {
    this.calls.push(`lost ${slot} ${reason}`)
  }
}

describe('leadership', () => {
  test('begins when the log is open, under the epoch of the image', () => {
    const { partition, log, states } = partitionOf({ leaderEpoch: 7 })
    assert.equal(partition.state, 'opening')
    assert.deepEqual(partition.append(batchOf(1), 'client'), { ok: false, refusal: 'offline' })
    partition.opened(log)
    assert.equal(partition.leaderEpoch, 7)
    assert.equal(partition.append(batchOf(1), 'client').ok, true)
    assert.equal(log.latestEpoch, 7)
    assert.deepEqual(states, ['idle', 'leading'])
  })

  test('does not begin where another broker leads', () => {
    const { partition } = leading({ leader: 2 })
    assert.equal(partition.state, 'following')
    partition.update({ ...partition.image, leader: -1, leaderEpoch: 1 })
    assert.equal(partition.state, 'idle')
    assert.deepEqual(partition.append(batchOf(1), 'client'), { ok: false, refusal: 'offline' })
  })

  test('goes on under a new epoch, which starts at the log end', () => {
    const { partition, log } = leading({ leaderEpoch: 1 })
    partition.append(batchOf(3), 'client')
    partition.update({ ...partition.image, leaderEpoch: 2 })
    assert.equal(partition.leaderEpoch, 2)
    assert.deepEqual(log.endOffsetForEpoch(1), { epoch: 1, endOffset: 3 })
    assert.equal(partition.latestIsKnown, false)
    log.flush()
    assert.equal(partition.latestIsKnown, true)
  })

  test('that ends tells everyone who waits, and refuses appends', async () => {
    const { partition } = leading()
    const waiter = new Recorder()
    partition.append(batchOf(1), 'client')
    partition.waitWritten(1, waiter, 1)
    partition.waitCommitted(1, waiter, 2)
    const committed = partition.committed(1)
    partition.update({ ...partition.image, leader: 2, leaderEpoch: 1 })
    assert.deepEqual(waiter.calls, ['lost 1 notLeader', 'lost 2 notLeader'])
    await assert.rejects(committed, (error: PartitionLost) => error.reason === 'notLeader')
    await assert.rejects(partition.committed(1), PartitionLost)
    assert.equal(partition.append(batchOf(1), 'client').ok, false)
  })
})

describe('the high watermark', () => {
  test('of one replica is what the disk holds for certain', () => {
    const { partition, log } = leading()
    partition.append(batchOf(5), 'client')
    assert.equal(partition.highWatermark, 0)
    log.write()
    assert.equal(partition.highWatermark, 0)
    log.flush()
    assert.equal(partition.highWatermark, 5)
  })

  test('starts where the opened log is durable', () => {
    const { partition, log } = partitionOf()
    log.logEndOffset = log.writtenOffset = log.durableOffset = 42
    partition.opened(log)
    assert.equal(partition.highWatermark, 42)
  })

  test('does not move while another replica is in sync: nobody has asked it', () => {
    const { partition, log } = leading({ replicas: [1, 2] })
    partition.append(batchOf(1), 'client')
    log.flush()
    assert.equal(partition.highWatermark, 0)
    partition.update({ ...partition.image, isr: [1], partitionEpoch: 1 })
    assert.equal(partition.highWatermark, 1)
  })

  test('bounds the last stable offset, which an open transaction holds back', () => {
    const { partition, log } = leading()
    partition.append(batchOf(10), 'client')
    log.firstUnstableOffset = 4
    assert.equal(partition.lastStableOffset, 0)
    log.flush()
    assert.equal(partition.lastStableOffset, 4)
    log.firstUnstableOffset = null
    assert.equal(partition.lastStableOffset, 10)
  })
})

describe('waiting', () => {
  test('for the page cache and for the disk are told apart', () => {
    const { partition, log } = leading()
    const waiter = new Recorder()
    partition.append(batchOf(2), 'client')
    assert.equal(partition.waitWritten(2, waiter, 1), true)
    assert.equal(partition.waitCommitted(2, waiter, 2), true)
    log.write()
    assert.deepEqual(waiter.calls, ['reached 1'])
    log.flush()
    assert.deepEqual(waiter.calls, ['reached 1', 'reached 2'])
  })

  test('is not needed for what is there already', async () => {
    const { partition, log } = leading()
    partition.append(batchOf(2), 'client')
    log.flush()
    assert.equal(partition.waitWritten(2, new Recorder(), 0), false)
    assert.equal(partition.waitCommitted(2, new Recorder(), 0), false)
    await partition.committed(2)
  })

  test('a disk fault ends it and takes the partition offline for good', () => {
    const { partition, log, states } = leading()
    const waiter = new Recorder()
    partition.append(batchOf(1), 'client')
    partition.waitCommitted(1, waiter, 0)
    log.fail(new Error('EIO'))
    assert.deepEqual(waiter.calls, ['lost 0 offline'])
    assert.equal(partition.state, 'offline')
    partition.update({ ...partition.image, leaderEpoch: 9 })
    assert.equal(partition.state, 'offline')
    assert.equal(states.at(-1), 'offline')
  })

  test('watchers learn how many bytes were committed, and of each change of state', () => {
    const { partition, log } = leading()
    const told: number[] = []
    const watcher = { partitionChanged: (bytes: number) => told.push(bytes) }
    partition.watch(watcher)
    const first = batchOf(1)
    const second = batchOf(2)
    partition.append(first, 'client')
    partition.append(second, 'client')
    assert.equal(partition.queuedBytes, first.length + second.length)
    log.flush()
    assert.equal(partition.queuedBytes, 0)
    partition.deleted()
    assert.deepEqual(told, [first.length + second.length, 0])
    partition.unwatch(watcher)
    assert.equal(told.length, 2)
  })
})

describe('the leader epoch of a request', () => {
  const { partition } = leading({ leaderEpoch: 5 })
  const cases = [
    { epoch: -1, answer: null },
    { epoch: 5, answer: null },
    { epoch: 4, answer: 'fenced' },
    { epoch: 6, answer: 'unknown' },
  ]
  for (const { epoch, answer } of cases) {
    test(`${epoch} is ${answer ?? 'accepted'} when the leader's is 5`, () => {
      assert.equal(partition.checkEpoch(epoch), answer)
    })
  }
})

describe('enough replicas', () => {
  const cases = [
    { replicas: [1], isr: [1], min: '2', enough: true, why: 'a topic of one replica needs just that' },
    { replicas: [1, 2, 3], isr: [1, 2], min: '2', enough: true, why: 'two of three are in sync' },
    { replicas: [1, 2, 3], isr: [1], min: '2', enough: false, why: 'one of three is in sync' },
  ]
  for (const { replicas, isr, min, enough, why } of cases) {
    test(`with min.insync.replicas=${min}: ${why}`, () => {
      const { partition } = leading({ replicas, isr, configs: { 'min.insync.replicas': min } })
      assert.equal(partition.hasEnoughReplicas, enough)
    })
  }
})

test('what found no room on the disk is lost to those who wait for it, and to nobody else', async () => {
  const { partition, log } = leading()
  const recorder = new Recorder()
  partition.append(batchOf(1), 'client')
  log.write()
  partition.append(batchOf(2), 'client')
  for (const [slot, end] of [1, 3, 1].entries()) {
    partition.waitWritten(end, recorder, slot)
    partition.waitCommitted(end, recorder, slot + 10)
  }
  const committed = partition.committed(3)
  log.drop()
  assert.deepEqual(recorder.calls, ['lost 1 diskFull', 'lost 11 diskFull'])
  await assert.rejects(committed, { name: 'PartitionLost', reason: 'diskFull' })
  await assert.rejects(partition.committed(3), { reason: 'diskFull' })
  log.flush()
  assert.deepEqual(recorder.calls.slice(2), ['reached 10', 'reached 12'])
  assert.equal(partition.isLeading, true)
  // The same offsets, for records that come later.
  partition.append(batchOf(2), 'client')
  partition.waitCommitted(3, recorder, 20)
  log.flush()
  assert.deepEqual(recorder.calls.slice(4), ['reached 20'])
  assert.equal(partition.highWatermark, 3)
})

test('bytes that were dropped do not count as committed later', () => {
  const { partition, log } = leading()
  const counted: number[] = []
  partition.watch({ partitionChanged: (bytes) => counted.push(bytes) })
  partition.append(batchOf(1), 'client')
  log.flush()
  partition.append(batchOf(50), 'client')
  log.drop()
  partition.append(batchOf(1), 'client')
  log.flush()
  assert.equal(counted.length, 2)
  assert.equal(counted[0], counted[1])
})

test('a follower starts where its leader said once it has that much, though it is not told again', async () => {
  const { partition, log } = leading({ leader: 2, leaderEpoch: 1, replicas: [1, 2] })
  const batch = buildBatch(
    Array.from({ length: 5 }, () => ({ value: 'v' })),
    { baseOffset: 0, leaderEpoch: 1 },
  )
  assert.ok(partition.appendReplicated(batch, 1).ok)
  await partition.heardFromLeader({ highWatermark: 5, logStartOffset: 3 }, 1)
  assert.deepEqual([partition.highWatermark, log.logStartOffset], [0, 0])
  log.flush()
  assert.deepEqual([partition.highWatermark, log.logStartOffset], [5, 3])
})
