import assert from 'node:assert/strict'
import { test } from 'node:test'
import { brokerSettings } from '../cluster/settings/broker-settings.ts'
import { SimulatedClock } from '../io/clock.sim.ts'
import { MemoryDisk } from '../io/disk.memory.ts'
import { openSharedFolder, problemsOfSeveral, refuseSeveral, settingsOfOne } from './several-brokers.ts'

function settingsOf(given: Record<string, string>, brokerId: number, count: number, bound: number | null = null) {
  const common = new Map(Object.entries({ 'log.dir': '/data', listeners: 'PLAINTEXT://127.0.0.1:9092', ...given }))
  const settings = brokerSettings(Object.fromEntries(common))
  const where = bound === null ? null : [{ name: 'PLAINTEXT', host: '127.0.0.1', port: bound }]
  return Object.fromEntries(settingsOfOne({ settings, common, count }, brokerId, where))
}

test('each broker has an id, a folder and a port of its own', () => {
  for (const id of [1, 3]) {
    const { listeners, 'log.dir': folder, 'node.id': nodeId } = settingsOf({}, id, 3)
    assert.deepEqual([nodeId, folder, listeners], [`${id}`, `/data/broker-${id}`, `PLAINTEXT://127.0.0.1:${9091 + id}`])
  }
})

test('every listener moves on, and what is advertised with it', () => {
  const listeners = 'PLAINTEXT://[::1]:9092,OUTSIDE://:9192'
  const given = {
    listeners,
    'advertised.listeners': 'PLAINTEXT://here:9092,OUTSIDE://there:9192',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,OUTSIDE:PLAINTEXT',
  }
  const second = settingsOf(given, 2, 2)
  assert.equal(second['listeners'], 'PLAINTEXT://[::1]:9093,OUTSIDE://:9193')
  assert.equal(second['advertised.listeners'], 'PLAINTEXT://here:9093,OUTSIDE://there:9193')
})

test('a free port stays the same over the lives of a broker', () => {
  const given = { listeners: 'PLAINTEXT://127.0.0.1:0' }
  assert.equal(settingsOf(given, 2, 3)['listeners'], 'PLAINTEXT://127.0.0.1:0')
  assert.equal(settingsOf(given, 2, 3, 41_234)['listeners'], 'PLAINTEXT://127.0.0.1:41234')
})

for (const { count, replicas, inSync } of [
  { count: 1, replicas: '1', inSync: '1' },
  { count: 2, replicas: '2', inSync: '1' },
  { count: 3, replicas: '3', inSync: '2' },
  { count: 5, replicas: '3', inSync: '2' },
]) {
  test(`${count} brokers keep ${replicas} replicas, of which ${inSync} must be in sync, unless told otherwise`, () => {
    const unsaid = settingsOf({}, 1, count)
    assert.deepEqual(
      [unsaid['default.replication.factor'], unsaid['offsets.topic.replication.factor'], unsaid['min.insync.replicas']],
      [replicas, replicas, inSync],
    )
    assert.equal(settingsOf({ 'min.insync.replicas': '1' }, 1, count)['min.insync.replicas'], '1')
  })
}

test('the disk budget is divided among the brokers', () => {
  assert.equal(settingsOf({ 'disk.budget': '80%' }, 1, 4)['disk.budget'], '20%')
  assert.equal(settingsOf({ 'disk.budget': '3GB' }, 1, 3)['disk.budget'], '1000000000')
})

test('ids and etcd are not for several brokers', () => {
  assert.deepEqual(problemsOfSeveral(new Map([['num.partitions', '1']])), [])
  assert.equal(problemsOfSeveral(new Map([['node.id', '1']])).length, 1)
  assert.equal(problemsOfSeveral(new Map([['etcd.endpoints', 'h:1']])).length, 1)
})

test('a folder of several brokers and one of a single broker are not mistaken for each other', async () => {
  const disk = new MemoryDisk()
  const clock = new SimulatedClock()
  await disk.makeFolder('/single/__cluster_metadata-0')
  await assert.rejects(openSharedFolder(disk, clock, '/single'), /single broker; start it without --brokers/)
  const folder = await openSharedFolder(disk, clock, '/several')
  await assert.rejects(openSharedFolder(disk, clock, '/several'), /in use/)
  await folder.close()
  await disk.makeFolder('/several/broker-1')
  await disk.makeFolder('/several/broker-2')
  await assert.rejects(refuseSeveral(disk, '/several'), /start them with --brokers 2/)
  await refuseSeveral(disk, '/single')
  await (await openSharedFolder(disk, clock, '/several')).close()
})
