import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SimulatedClock } from '../io/clock.sim.ts'
import type { Partition, PartitionWatcher } from '../replication/partition.ts'
import { WaitingFetches, type WaitEnd } from './waiting-fetches.ts'

class WatchedPartition {
  readonly watchers = new Set<PartitionWatcher>()
  watch(watcher: PartitionWatcher): void {
    this.watchers.add(watcher)
  }
  unwatch(watcher: PartitionWatcher): void {
    this.watchers.delete(watcher)
  }
  changed(bytes: number): void {
    for (const watcher of this.watchers) watcher.partitionChanged(bytes)
  }
}

function begin(count = 1, fetchesMax = 10) {
  const clock = new SimulatedClock()
  const connection = new AbortController()
  const partitions = Array.from({ length: count }, () => new WatchedPartition())
  const waiting = new WaitingFetches({ clock, fetchesMax })
  const fetch = waiting.begin(partitions as unknown as Partition[], 100, connection.signal)!
  const ends: WaitEnd[] = []
  const until = (bytes: number): void => void fetch.until(bytes).then((end) => ends.push(end))
  return { clock, connection, partitions, waiting, fetch, ends, until }
}

describe('a waiting fetch', () => {
  test('sums what all its partitions commit', async () => {
    const { clock, partitions, ends, until } = begin(2)
    until(10)
    partitions[0]!.changed(4)
    partitions[1]!.changed(5)
    await clock.settle()
    assert.deepEqual(ends, [])
    partitions[0]!.changed(1)
    await clock.settle()
    assert.deepEqual(ends, ['progress'])
  })

  test('counts from its beginning, not from when it goes to sleep', async () => {
    const { clock, partitions, ends, until } = begin()
    partitions[0]!.changed(10)
    until(10)
    await clock.settle()
    assert.deepEqual(ends, ['progress'])
  })

  test('counts anew after a restart', async () => {
    const { clock, fetch, partitions, ends, until } = begin()
    partitions[0]!.changed(10)
    fetch.restart()
    until(10)
    await clock.settle()
    assert.deepEqual(ends, [])
    partitions[0]!.changed(10)
    await clock.settle()
    assert.deepEqual(ends, ['progress'])
  })

  test('has one time limit, however often it sleeps', async () => {
    const { clock, fetch, partitions, ends, until } = begin()
    until(1)
    await clock.advance(60)
    partitions[0]!.changed(1)
    await clock.settle()
    fetch.restart()
    until(1)
    await clock.advance(39)
    assert.deepEqual(ends, ['progress'])
    await clock.advance(1)
    assert.deepEqual(ends, ['progress', 'timeout'])
    until(1)
    await clock.settle()
    assert.deepEqual(ends, ['progress', 'timeout', 'timeout'])
  })

  test('wakes at a change of state that came before it slept', async () => {
    const { clock, fetch, partitions, ends, until } = begin()
    partitions[0]!.changed(0)
    fetch.restart()
    until(1)
    await clock.settle()
    assert.deepEqual(ends, ['changed'])
  })

  test('wakes when its connection closes, also one that was closed before', async () => {
    const { clock, connection, waiting, partitions, ends, until } = begin()
    until(1)
    connection.abort()
    await clock.settle()
    assert.deepEqual(ends, ['aborted'])
    const late = waiting.begin(partitions as unknown as Partition[], 100, connection.signal)!
    assert.equal(await late.until(1), 'aborted')
  })

  test('leaves nothing behind when it ends', () => {
    const { clock, fetch, partitions, waiting } = begin(3)
    assert.equal(waiting.size, 1)
    fetch.end()
    assert.equal(waiting.size, 0)
    assert.equal(clock.pendingTimers, 0)
    assert.deepEqual(
      partitions.map(({ watchers }) => watchers.size),
      [0, 0, 0],
    )
  })
})

test('no more fetches wait than may', () => {
  const { clock, waiting, fetch } = begin(0, 1)
  assert.equal(waiting.begin([], 100, new AbortController().signal), null)
  fetch.end()
  assert.notEqual(waiting.begin([], 100, new AbortController().signal), null)
  assert.equal(clock.pendingTimers, 1)
})
