import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../io/clock.sim.ts'
import { MemoryDisk } from '../io/disk.memory.ts'
import { SimulatedDisk } from '../io/disk.sim.ts'
import type { Disk } from '../io/disk.ts'
import { FolderInUse, ForeignFolder } from './log-directory.ts'
import { appended, batchOf, openDirectory, openOrders, ordersTopicId, smallConfig } from './partition-log.contract.ts'

const path = '/data'
const orders = { topicName: 'orders', partition: 0 }
const clusterId = 'hW6IcjXuSHWBc0ScKj2vGQ'

async function textOf(disk: Disk, name: string): Promise<string | null> {
  const bytes = await disk.readFile(`${path}/${name}`)
  return bytes === null ? null : Buffer.from(bytes).toString()
}

async function put(disk: Disk, name: string, text: string): Promise<void> {
  await disk.replaceFile(`${path}/${name}`, Buffer.from(text))
}

async function foldersOf(disk: Disk): Promise<string[]> {
  return (await disk.list(path)).filter((entry) => entry.kind === 'folder').map((entry) => entry.name)
}

test('a folder that is in use is refused until it is closed', async () => {
  const disk = new MemoryDisk()
  const directory = await openDirectory({ disk, path })
  await assert.rejects(openDirectory({ disk, path }), FolderInUse)
  await directory.close()
  await (await openDirectory({ disk, path })).close()
})

test("a new folder says whose it is, in Kafka's words", async () => {
  const disk = new MemoryDisk()
  const directory = await openDirectory({ disk, path }, { nodeId: 7, clusterId })
  const { directoryId } = directory.meta
  assert.equal(
    await textOf(disk, 'meta.properties'),
    `version=1\ncluster.id=${clusterId}\nnode.id=7\ndirectory.id=${directoryId}\n`,
  )
  await directory.close()
  const again = await openDirectory({ disk, path }, { nodeId: 7 })
  assert.deepEqual(again.meta, { clusterId, nodeId: 7, directoryId })
  await again.close()
})

test("a folder of another node or cluster is refused, Kafka's own included, and stays free", async () => {
  const disk = new MemoryDisk()
  await disk.makeFolder(path)
  await put(
    disk,
    'meta.properties',
    `#\n#Sun Nov 22\nnode.id=1\ndirectory.id=abc\nversion=1\ncluster.id=${clusterId}\n`,
  )
  await assert.rejects(openDirectory({ disk, path }, { nodeId: 2 }), ForeignFolder)
  await assert.rejects(openDirectory({ disk, path }, { clusterId: 'Another0Another0Another' }), ForeignFolder)
  const directory = await openDirectory({ disk, path }, { nodeId: 1, clusterId })
  assert.equal(directory.meta.directoryId, 'abc')
})

test('the mark of a clean shutdown is there only between a close without faults and the next start', async () => {
  const disk = new SimulatedDisk()
  let directory = await openDirectory({ disk, path })
  assert.equal(directory.wasClean, false)
  await openOrders(directory)
  await directory.close()
  assert.notEqual(await textOf(disk, '.kafka_cleanshutdown'), null)
  directory = await openDirectory({ disk, path })
  assert.equal(directory.wasClean, true)
  assert.equal(await textOf(disk, '.kafka_cleanshutdown'), null)
  const log = await openOrders(directory)
  await appended(log, batchOf(['a']))
  disk.failWhen({ kind: 'sync', path: 'orders-0' })
  log.append(batchOf(['b']), 0, 'client')
  await directory.close()
  assert.equal(await textOf(disk, '.kafka_cleanshutdown'), null)
})

test('an empty log costs nothing on disk until its first append, which names its topic', async () => {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path })
  const before = disk.operations
  const logs = await Promise.all(
    Array.from({ length: 50 }, (_, partition) =>
      directory.openLog({ topicName: 'orders', partition, topicId: ordersTopicId, config: smallConfig }),
    ),
  )
  assert.ok(disk.operations - before <= 50, `${disk.operations - before} operations`)
  assert.deepEqual(await foldersOf(disk), [])
  await appended(logs[3]!, batchOf(['a']))
  assert.deepEqual(await foldersOf(disk), ['orders-3'])
  assert.equal(await textOf(disk, 'orders-3/partition.metadata'), `version: 0\ntopic_id: ${ordersTopicId}`)
  assert.deepEqual(directory.existing(), [
    { folder: '/data/orders-3', topicName: 'orders', partition: 3, topicId: ordersTopicId },
  ])
})

test('a log of another topic of the same name is refused', async () => {
  const disk = new MemoryDisk()
  let directory = await openDirectory({ disk, path })
  await appended(await openOrders(directory), batchOf(['a']))
  await directory.close()
  directory = await openDirectory({ disk, path })
  const other = { ...orders, topicId: 'AAAAAAAAAAAAAAAAAAAAAB', config: smallConfig }
  await assert.rejects(directory.openLog(other), ForeignFolder)
  assert.equal((await openOrders(directory)).logEndOffset, 1)
})

test('only what is a log counts as one', async () => {
  const disk = new MemoryDisk()
  for (const name of ['a-b-12', 'orders-0.x-future', 'notes', 'orders-', '-1', '__cluster_metadata-0']) {
    await disk.makeFolder(`${path}/${name}`)
  }
  const directory = await openDirectory({ disk, path })
  assert.deepEqual(
    directory.existing().map(({ topicName, partition }) => [topicName, partition]),
    [['a-b', 12]],
  )
})

test('deleting frees the name at once, and what a crash leaves of it goes at the next start', async () => {
  const disk = new SimulatedDisk()
  let directory = await openDirectory({ disk, path })
  await appended(await openOrders(directory), batchOf(['a']))
  const name = { topicName: 'x'.repeat(249), partition: 0 }
  await appended(await directory.openLog({ ...name, topicId: null, config: smallConfig }), batchOf(['a']))
  disk.failWhen({ kind: 'remove', path: '-delete', times: Infinity })
  await directory.deleteLog(orders)
  await directory.deleteLog(name)
  assert.deepEqual(directory.existing(), [])
  const folders = await foldersOf(disk)
  assert.equal(folders.length, 2)
  for (const folder of folders) assert.match(folder, /^(orders|x{213})-0\.[0-9a-f]{32}-delete$/)
  const fresh = await openOrders(directory)
  assert.equal(fresh.logEndOffset, 0)
  const found = disk.kill()
  directory = await openDirectory({ disk: found, path })
  await directory.close()
  assert.deepEqual(await foldersOf(found), [])
})

test('a log that is deleted while its folder is being made leaves nothing behind, and is no fault', async () => {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path })
  const making = Promise.withResolvers<void>()
  const begun = Promise.withResolvers<void>()
  disk.onOperation = async ({ kind, path }) => {
    if (kind !== 'makeFolder' || !path.endsWith('orders-0')) return
    begun.resolve()
    await making.promise
  }
  const log = await openOrders(directory)
  log.append(batchOf(['a']), 0, 'client')
  await begun.promise
  const deleted = directory.deleteLog(orders)
  making.resolve()
  await deleted
  await directory.close()
  assert.equal(log.fault, null)
  assert.deepEqual(await foldersOf(disk), [])
  assert.notEqual(await textOf(disk, '.kafka_cleanshutdown'), null)
})

test('checkpoints that many logs ask for at once are written together', async () => {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path })
  const logs = await Promise.all(
    Array.from({ length: 20 }, (_, partition) =>
      directory.openLog({ topicName: 'orders', partition, topicId: null, config: smallConfig }),
    ),
  )
  for (const log of logs) await appended(log, batchOf(['a', 'b', 'c']))
  let writes = 0
  disk.onOperation = ({ kind, path }) => {
    if (kind === 'write' && path.includes('log-start-offset-checkpoint')) writes++
  }
  await Promise.all(logs.map((log) => log.advanceStartTo(1)))
  assert.ok(writes <= 3, `${writes} writes`)
  const lines = (await textOf(disk, 'log-start-offset-checkpoint'))!.trim().split('\n')
  assert.equal(lines.length, 22)
})

test('what was checkpointed of a deleted log says nothing about the next one of its name', async () => {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path })
  const log = await openOrders(directory, { ...smallConfig, segmentBytes: 1 << 20 })
  for (let i = 0; i < 9; i++) await appended(log, batchOf([`${i}`]))
  await log.advanceStartTo(5)
  directory.useHighWatermarks(() => [['orders-0', log.logEndOffset]])
  await directory.checkpoint()
  assert.equal(await textOf(disk, 'recovery-point-offset-checkpoint'), '0\n1\norders 0 9\n')
  assert.equal(await textOf(disk, 'log-start-offset-checkpoint'), '0\n1\norders 0 5\n')
  assert.equal(await textOf(disk, 'replication-offset-checkpoint'), '0\n1\norders 0 9\n')
  await directory.deleteLog(orders)
  const next = await openOrders(directory)
  await appended(next, batchOf(['new']))
  for (const name of ['recovery-point', 'log-start', 'replication']) {
    assert.equal(await textOf(disk, `${name}-offset-checkpoint`), '0\n0\n')
  }
  const reopened = await openOrders(await openDirectory({ disk: disk.kill(), path }))
  assert.deepEqual([reopened.fault, reopened.logStartOffset, reopened.logEndOffset], [null, 0, 1])
})

test('a crash right after a deletion does not bring back what was checkpointed of the deleted log', async () => {
  const disk = new SimulatedDisk()
  let directory = await openDirectory({ disk, path })
  const log = await openOrders(directory)
  for (let i = 0; i < 9; i++) await appended(log, batchOf([`${i}`]))
  directory.useHighWatermarks(() => [['orders-0', log.logEndOffset]])
  await directory.checkpoint()
  await directory.deleteLog(orders)
  const afterDeletion = disk.kill()
  assert.match((await textOf(afterDeletion, 'replication-offset-checkpoint'))!, /orders 0 9/)
  directory = await openDirectory({ disk: afterDeletion, path })
  await appended(await openOrders(directory), batchOf(['new']))
  const reopened = await openOrders(await openDirectory({ disk: afterDeletion.kill(), path }))
  assert.deepEqual([reopened.fault, reopened.logEndOffset], [null, 1])
})

test('deleting many logs writes no checkpoint for each', async () => {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path })
  const places = Array.from({ length: 50 }, (_, partition) => ({ topicName: 'orders', partition }))
  for (const place of places) {
    await appended(await directory.openLog({ ...place, topicId: null, config: smallConfig }), batchOf(['a']))
  }
  await directory.checkpoint()
  let writes = 0
  disk.onOperation = ({ kind, path }) => {
    if (kind === 'write' && path.includes('checkpoint')) writes++
  }
  for (const place of places) await directory.deleteLog(place)
  assert.equal(writes, 0)
  for (const place of places) {
    await appended(await directory.openLog({ ...place, topicId: null, config: smallConfig }), batchOf(['a']))
  }
  assert.ok(writes <= 2, `${writes} writes before 50 names were used again`)
})

test('a checkpoint of many logs lets others run in between, and says what became true meanwhile', async () => {
  const disk = new MemoryDisk()
  const directory = await openDirectory({ disk, path })
  const places = Array.from({ length: 2000 }, (_, partition) => ({ topicName: 'orders', partition }))
  const logs = await Promise.all(
    places.map((place) => directory.openLog({ ...place, topicId: null, config: smallConfig })),
  )
  await Promise.all(logs.map((log) => appended(log, batchOf(['a', 'b']))))
  let turns = 0
  let written = false
  const turn = (): void => {
    turns++
    if (!written) setImmediate(turn)
  }
  setImmediate(turn)
  const writing = directory.checkpoint()
  await directory.deleteLog({ topicName: 'orders', partition: 1999 })
  await writing
  written = true
  assert.ok(turns >= 2000 / 500, `${turns} turns of the loop`)
  const lines = (await textOf(disk, 'recovery-point-offset-checkpoint'))!.trim().split('\n')
  assert.equal(Number(lines[1]), lines.length - 2)
  assert.ok(lines.length - 2 >= 1999)
  await directory.close()
  const after = (await textOf(disk, 'recovery-point-offset-checkpoint'))!.trim().split('\n')
  assert.deepEqual(
    after,
    ['0', '1999', ...places.slice(0, 1999).map(({ partition }) => `orders ${partition} 2`)],
    'the deleted log is gone from it',
  )
})

test('checkpoints are written every minute, high watermarks every five seconds, and both when closing', async () => {
  const disk = new MemoryDisk()
  const clock = new SimulatedClock()
  const directory = await openDirectory({ disk, path }, { clock })
  const log = await openOrders(directory)
  await appended(log, batchOf(['a', 'b']))
  let highWatermark = 1
  directory.useHighWatermarks(() => [['orders-0', highWatermark]])
  await clock.advance(5_000)
  assert.equal(await textOf(disk, 'replication-offset-checkpoint'), '0\n1\norders 0 1\n')
  assert.equal(await textOf(disk, 'recovery-point-offset-checkpoint'), null)
  await clock.advance(55_000)
  assert.equal(await textOf(disk, 'recovery-point-offset-checkpoint'), '0\n1\norders 0 2\n')
  highWatermark = 2
  await directory.close()
  assert.equal(await textOf(disk, 'replication-offset-checkpoint'), '0\n1\norders 0 2\n')
  const again = await openDirectory({ disk, path })
  assert.equal(again.highWatermarkOf(orders), 2)
})

test('a high watermark is never checkpointed beyond what is durable', async () => {
  const disk = new SimulatedDisk()
  const checkpointed = Promise.withResolvers<void>()
  const directory = await openDirectory({ disk, path })
  const log = await openOrders(directory)
  await appended(log, batchOf(['a']))
  log.append(batchOf(['b']), 0, 'client')
  directory.useHighWatermarks(() => [['orders-0', 2]])
  disk.onOperation = async ({ kind, path }) => {
    if (kind === 'sync' && path.endsWith('.log')) await checkpointed.promise
  }
  await directory.checkpoint()
  assert.equal(await textOf(disk, 'replication-offset-checkpoint'), '0\n1\norders 0 1\n')
  checkpointed.resolve()
})

test('an unreadable checkpoint is put aside: the logs are read from their beginning', async () => {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path })
  const log = await openOrders(directory)
  for (let i = 0; i < 20; i++) await appended(log, batchOf([`value ${i}`]))
  await directory.checkpoint()
  const found = disk.kill()
  await put(found, 'recovery-point-offset-checkpoint', 'nonsense')
  const reopened = await openOrders(await openDirectory({ disk: found, path }))
  assert.deepEqual([reopened.fault, reopened.logEndOffset], [null, 20])
})

test('a log that was not opened keeps its checkpoints', async () => {
  const disk = new MemoryDisk()
  let directory = await openDirectory({ disk, path })
  const log = await openOrders(directory)
  for (let i = 0; i < 9; i++) await appended(log, batchOf([`${i}`]))
  await log.advanceStartTo(3)
  await directory.close()
  directory = await openDirectory({ disk, path })
  await directory.openLog({ topicName: 'other', partition: 0, topicId: null, config: smallConfig })
  await directory.close()
  directory = await openDirectory({ disk, path })
  assert.equal(directory.wasClean, true)
  assert.deepEqual((await openOrders(directory)).logStartOffset, 3)
})

test('a closed log can be opened again, and needs no recovery', async () => {
  const disk = new MemoryDisk()
  const directory = await openDirectory({ disk, path })
  await appended(await openOrders(directory), batchOf(['a']))
  await directory.closeLog(orders)
  assert.equal(directory.log(orders), undefined)
  const log = await openOrders(directory)
  assert.equal(log.logEndOffset, 1)
  assert.equal(directory.log(orders), log)
})

test('few files are open at once, however many logs there are', async () => {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path }, { limits: { openFilesMax: 5, tailCacheBytes: 0 } })
  const logs = await Promise.all(
    Array.from({ length: 30 }, (_, partition) =>
      directory.openLog({ topicName: 'orders', partition, topicId: null, config: smallConfig }),
    ),
  )
  for (let round = 0; round < 3; round++) {
    for (const log of logs) await appended(log, batchOf(['a']))
    assert.ok(disk.openFiles <= 6, `${disk.openFiles} files are open`)
  }
  for (const log of logs) {
    const read = await log.read(0, 1000, 3, true)
    assert.ok(read.ok && read.sizeBytes > 0)
  }
  await directory.close()
  assert.equal(disk.openFiles, 0)
})

test('with thousands of logs a clean start looks at each folder once, opens each log once, and holds a bounded number open', async () => {
  const disk = new SimulatedDisk()
  const count = 2000
  const config = { ...smallConfig, segmentBytes: 1 << 20 }
  const places = Array.from({ length: count }, (_, partition) => ({
    topicName: 'orders',
    partition,
    topicId: null,
    config,
  }))
  let directory = await openDirectory({ disk, path })
  const logs = await Promise.all(places.map((place) => directory.openLog(place)))
  for (const log of logs) log.append(batchOf(['a', 'b']), 0, 'client')
  await Promise.all(logs.map((log) => log.sync()))
  await directory.close()

  const operations = new Map<string, number>()
  let openMax = 0
  disk.onOperation = ({ kind, path }) => {
    openMax = Math.max(openMax, disk.openFiles)
    if (!path.startsWith('/data/orders-')) return
    const what = `${kind} ${path.split('/').slice(3).join('/')}`
    operations.set(what, (operations.get(what) ?? 0) + 1)
  }
  directory = await openDirectory({ disk, path })
  assert.equal(directory.wasClean, true)
  for (const log of await Promise.all(places.map((place) => directory.openLog(place))))
    assert.equal(log.logEndOffset, 2)
  assert.deepEqual(Object.fromEntries(operations), {
    'readFile partition.metadata': count,
    'list ': count,
    'open 00000000000000000000.log': count,
    'read 00000000000000000000.log': count,
    'close 00000000000000000000.log': count - 1000,
  })
  // Logs of a few records are looked up by time without a file of each.
  const before = disk.operations
  for (const place of places) {
    const found = await directory.log(place)!.findByTimestamp(1_700_000_000_000, 2)
    assert.deepEqual(found, { timestamp: 1_700_000_000_000, offset: 0, leaderEpoch: 0 })
  }
  assert.equal(disk.operations, before)
  // 1,000 by default, and those that are opened while others close.
  assert.ok(openMax <= 1050, `${openMax} files were open at once`)
  await directory.close()
})
