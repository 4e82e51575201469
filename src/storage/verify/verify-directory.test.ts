// Every kind of damage, planted in the folder of a real log: each is found, named, and told from what is no damage. And a folder with
// nothing wrong has no findings, however the broker left it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedDisk } from '../../io/disk.sim.ts'
import type { Disk } from '../../io/disk.ts'
import { seededRandom } from '../../io/random.sim.ts'
import {
  baseOffsetOf,
  batchLayout,
  recordsCountOf,
  stampBaseOffset,
  stampCrc,
  stampLeaderEpoch,
  stampMaxTimestamp,
} from '../../records/batch.ts'
import { buildBatch } from '../../records/batch-builder.ts'
import { batchesIn } from '../../records/batches-in.ts'
import { writeInt16, writeInt32, writeInt64 } from '../../records/big-endian.ts'
import { codecById } from '../../records/codec.ts'
import { buildEndTransactionMarker } from '../../records/control-batch.ts'
import { CorruptLogError } from '../log-errors.ts'
import { appended, batchOf, openDirectory, openOrders, ordersTopicId, smallConfig } from '../partition-log.contract.ts'
import type { LogConfig, Offset } from '../partition-log.ts'
import { decodeProducerSnapshot, encodeProducerSnapshot } from '../producer-snapshot.ts'
import { fileNameOf } from '../segment-names.ts'
import type { SegmentedLog } from '../segmented-log.ts'
import { encodeTxnIndex } from '../txn-index.ts'
import type { Finding, Severity } from './finding.ts'
import { isDataFolder, type Verified, verifyDirectory, type VerifyOptions } from './verify-directory.ts'

const folder = '/data/orders-0'
const config: LogConfig = { ...smallConfig, segmentBytes: 2000 }
const oneSegment: LogConfig = { ...smallConfig, segmentBytes: 1 << 20 }

const pathOf = (offset: Offset, suffix: string) => `${folder}/${fileNameOf(offset, suffix)}`

/** Batches of one to three records under rising epochs, with producers, transactions that end in both ways, and every codec. */
async function fill(log: SegmentedLog, batches: number, random = seededRandom(3)): Promise<void> {
  let sequence = 0
  let transactions = 0
  for (let i = 0; i < batches; i++) {
    const epoch = Math.floor(i / 15)
    const timestamp = 10_000 + 100 * i - 250 * random.below(2)
    const records = Array.from({ length: 1 + random.below(3) }, (_, n) => ({
      key: `k${n}`,
      value: `value ${i} `.repeat(2 + random.below(4)),
      timestamp: timestamp + n,
    }))
    await appended(log, buildBatch(records, { codec: codecById[i % codecById.length]! }), epoch)
    if (i % 4 === 1) {
      const options = { producerId: 9, producerEpoch: 0, baseSequence: sequence++, timestamp }
      await appended(log, batchOf(['once'], options), epoch)
    }
    if (i % 6 !== 3) continue
    const producer = { producerId: 40 + (i % 4), producerEpoch: 1, timestamp }
    const baseSequence = log.producers.entry(producer.producerId)?.batches.at(-1)?.lastSequence ?? -1
    const transactional = { ...producer, baseSequence: baseSequence + 1, transactional: true }
    await appended(log, batchOf(['mine'], transactional), epoch)
    // The last one stays open.
    if (i + 6 >= batches) continue
    const kind = transactions++ % 2 === 0 ? 'abort' : 'commit'
    const marker = log.append(buildEndTransactionMarker({ kind, coordinatorEpoch: 2 }, producer), epoch, 'coordinator')
    assert.ok(marker.ok)
    await log.sync()
  }
}

/** A folder that was closed properly: 40 batches and more in several segments. */
async function cleanFolder(logConfig = config): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path: '/data' })
  await fill(await openOrders(directory, logConfig), 40)
  await directory.close()
  return disk
}

/** As a killed broker leaves it; `checkpointed`: with recovery points and high watermarks written first. */
async function killedFolder(logConfig = config, checkpointed = false): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  const directory = await openDirectory({ disk, path: '/data' })
  const log = await openOrders(directory, logConfig)
  await fill(log, 40)
  if (checkpointed) {
    directory.useHighWatermarks(() => [['orders-0', log.logEndOffset]])
    await directory.checkpoint()
  }
  return disk.kill()
}

async function verified(disk: Disk, options: Partial<VerifyOptions> = {}): Promise<Verified> {
  return verifyDirectory({ disk, path: '/data', ...options })
}

async function overwrite(disk: Disk, path: string, change: (bytes: Buffer) => Uint8Array | void): Promise<void> {
  const found = Buffer.from((await disk.readFile(path))!)
  const bytes = change(found) ?? found
  const file = await disk.open(path)
  await file.truncate(0)
  await file.write([bytes], 0)
  await file.sync()
  await file.close()
}

interface Place {
  readonly base: Offset
  readonly position: number
  readonly offset: Offset
  readonly bytes: Uint8Array
}

/** The batches of a log's files, in order. */
async function batchesOf(disk: Disk): Promise<Place[]> {
  const places: Place[] = []
  for (const { name } of await disk.list(folder)) {
    if (!name.endsWith('.log')) continue
    let position = 0
    for (const bytes of batchesIn((await disk.readFile(`${folder}/${name}`))!)) {
      places.push({ base: Number(name.slice(0, 20)), position, offset: baseOffsetOf(bytes), bytes })
      position += bytes.length
    }
  }
  return places
}

/** A batch in the middle of a segment that is not the last. */
async function middleBatch(disk: Disk): Promise<Place> {
  const places = await batchesOf(disk)
  const last = places.at(-1)!.base
  return places.find(({ position, base }, i) => i > 8 && position > 0 && base < last && places[i + 1]!.base === base)!
}

async function lastBatch(disk: Disk): Promise<Place> {
  return (await batchesOf(disk)).at(-1)!
}

/** Changes a batch where it lies. */
async function changeBatch(
  disk: Disk,
  { base, position, bytes }: Place,
  change: (batch: Buffer) => void,
): Promise<void> {
  await overwrite(disk, pathOf(base, '.log'), (file) => change(file.subarray(position, position + bytes.length)))
}

function only(found: Verified, severity: Severity, what: RegExp): Finding {
  const [finding, ...others] = found.findings
  assert.ok(finding !== undefined, 'nothing was found')
  assert.deepEqual(others, [])
  assert.equal(finding.severity, severity)
  assert.match(finding.what, what)
  assert.deepEqual(found.counts, { damage: 0, tornTail: 0, repairable: 0, leftover: 0, notice: 0, [severity]: 1 })
  return finding
}

for (const [name, make] of [
  ['closed properly', () => cleanFolder()],
  ['closed properly with one short segment', () => cleanFolder(oneSegment)],
  ['left by a killed broker', () => killedFolder()],
  ['left by a killed broker that had checkpointed', () => killedFolder(config, true)],
] as const) {
  test(`a folder ${name} has no findings, and all of it is counted`, async () => {
    const disk = await make()
    const places = await batchesOf(disk)
    const found = await verified(disk, { deep: true })
    assert.deepEqual(found.findings, [])
    assert.equal(found.logs, 1)
    assert.equal(found.batches, places.length)
    assert.equal(found.segments, new Set(places.map(({ base }) => base)).size)
    assert.equal(
      found.bytes,
      places.reduce((sum, { bytes }) => sum + bytes.length, 0),
    )
    assert.ok(found.records > found.batches)
  })
}

test('verifying changes nothing and leaves nothing', async () => {
  for (const disk of [await cleanFolder(), await killedFolder()]) {
    await disk.makeFolder('/data/old-0.0123-delete')
    await overwrite(disk, pathOf(0, '.timeindex'), (bytes) => bytes.subarray(0, 5))
    disk.onOperation = ({ kind, path }) => {
      assert.ok(['open', 'read', 'readFile', 'list', 'close', 'size'].includes(kind), `${kind} ${path}`)
    }
    await verified(disk, { deep: true })
    assert.equal(disk.openFiles, 0)
  }
})

test('a flipped bit anywhere in the batches of a folder that was closed is found', async () => {
  const disk = await cleanFolder()
  const random = seededRandom(11)
  const places = await batchesOf(disk)
  for (let i = 0; i < 150; i++) {
    const { base, position, bytes } = random.pick(places)
    // In the header twice as often as its size would have it.
    const at = position + random.below(random.below(2) === 0 ? 61 : bytes.length)
    const bit = random.below(8)
    disk.flipBit(pathOf(base, '.log'), at, bit)
    const found = await verified(disk)
    assert.ok(
      found.counts.damage + found.counts.repairable > 0,
      `byte ${at} (${at - position} of its batch), bit ${bit} of segment ${base}`,
    )
    disk.flipBit(pathOf(base, '.log'), at, bit)
  }
  assert.deepEqual((await verified(disk)).findings, [])
})

for (const { name, change, what } of [
  { name: 'a changed record', change: (batch: Buffer) => void (batch[70]! ^= 1), what: /checksum/ },
  {
    name: 'a changed length',
    change: (batch: Buffer) => writeInt32(batch, batchLayout.batchLength, 3),
    what: /length/,
  },
  { name: 'another magic', change: (batch: Buffer) => void (batch[batchLayout.magic] = 1), what: /magic/ },
  {
    name: 'a count that does not fit the offsets, under a right checksum',
    change: (batch: Buffer) => {
      writeInt32(batch, batchLayout.recordsCount, 99)
      stampCrc(batch)
    },
    what: /number of records/,
  },
  {
    name: 'a codec that does not exist, under a right checksum',
    change: (batch: Buffer) => {
      batch[batchLayout.attributes + 1]! |= 7
      stampCrc(batch)
    },
    what: /codec/,
  },
]) {
  test(`${name} is damage of that batch alone, and what follows is still checked`, async () => {
    const disk = await cleanFolder()
    const place = await middleBatch(disk)
    await changeBatch(disk, place, change)
    const found = await verified(disk)
    const finding = only(found, 'damage', what)
    assert.equal(finding.file, `orders-0/${fileNameOf(place.base, '.log')}`)
    assert.equal(finding.position, place.position)
    assert.equal(finding.offset, place.offset)
    const next = (await batchesOf(await cleanFolder())).find(({ offset }) => offset > place.offset)!
    assert.match(finding.meaning, new RegExp(`the records ${place.offset} to ${next.offset - 1} are lost`))
    assert.equal(found.batches, (await batchesOf(await cleanFolder())).length - 1)
  })
}

test('an offset that was lowered, and one that was raised, are damage: they lie outside the checksum', async () => {
  for (const change of [-1, 1, 1000]) {
    const disk = await cleanFolder()
    const place = await middleBatch(disk)
    await changeBatch(disk, place, (batch) => stampBaseOffset(batch, 0, place.offset + change))
    const found = await verified(disk)
    assert.ok(found.counts.damage > 0, `${change}`)
    assert.match(found.findings.find(({ severity }) => severity === 'damage')!.what, /offset|begins with/)
  }
})

test('behind an offset that was raised all batches are checked, for they are whole', async () => {
  const disk = await cleanFolder()
  const places = await batchesOf(disk)
  const place = await middleBatch(disk)
  await changeBatch(disk, place, (batch) => stampBaseOffset(batch, 0, place.offset + 1))
  const found = await verified(disk)
  assert.deepEqual(
    found.findings.map(({ what, offset }) => [what.replaceAll(/\d+/g, 'n').slice(0, 23), offset! - place.offset]),
    [
      ['the batch begins with n', 0],
      ['the offsets do not fit ', places.find(({ offset }) => offset > place.offset)!.offset - place.offset + 1],
    ],
  )
  assert.equal(found.batches, places.length)
})

test('a damaged batch is one finding, whatever it was of: nothing that is played from there on is called wrong', async () => {
  const places = await batchesOf(await cleanFolder())
  for (const place of places) {
    const disk = await cleanFolder()
    await changeBatch(disk, place, (batch) => void (batch[batch.length - 1]! ^= 1))
    assert.equal(only(await verified(disk), 'damage', /checksum/).offset, place.offset)
  }
})

test('a last batch whose offset was raised is damage: the log was closed before that offset', async () => {
  const disk = await cleanFolder()
  const place = await lastBatch(disk)
  await changeBatch(disk, place, (batch) => stampBaseOffset(batch, 0, place.offset + 4))
  const found = await verified(disk)
  assert.ok(found.findings.some(({ severity, what }) => severity === 'damage' && /was closed at/.test(what)))
})

test('a leader epoch that falls is damage: it lies outside the checksum', async () => {
  const disk = await cleanFolder()
  const place = (await batchesOf(disk)).findLast(({ position }) => position > 0)!
  await changeBatch(disk, place, (batch) => stampLeaderEpoch(batch, 0, 0))
  const found = await verified(disk)
  const finding = found.findings.find(({ severity }) => severity === 'damage')!
  assert.match(finding.what, /leader epoch 0 comes after 2/)
  assert.equal(finding.offset, place.offset)
})

test('offsets that are missing are damage, unless the topic is compacted', async () => {
  const without = async (): Promise<SimulatedDisk> => {
    const disk = await cleanFolder()
    const places = await batchesOf(disk)
    const place = places.find(({ bytes, base }, i) => i > 3 && base === 0 && bytes[batchLayout.producerId] === 0xff)!
    await overwrite(disk, pathOf(0, '.log'), (file) =>
      Buffer.concat([file.subarray(0, place.position), file.subarray(place.position + place.bytes.length)]),
    )
    // As a compaction would: with indexes that fit what is left.
    await disk.remove(pathOf(0, '.index'))
    await disk.remove(pathOf(0, '.timeindex'))
    return disk
  }
  const found = await verified(await without())
  assert.equal(found.counts.damage, 1)
  assert.match(found.findings[0]!.what, /the batch begins with \d+, where \d+ should come/)
  const compacted = { topicId: ordersTopicId, compacts: true, flushPolicy: 'fsync' } as const
  assert.equal((await verified(await without(), { topicOf: () => compacted })).counts.damage, 0)
  const disk = await without()
  await disk.replaceFile('/data/cleaner-offset-checkpoint', Buffer.from('0\n1\norders 0 5\n'))
  assert.equal((await verified(disk)).counts.damage, 0)
})

test('a segment that is missing from the middle is damage', async () => {
  const disk = await cleanFolder()
  const bases = [...new Set((await batchesOf(disk)).map(({ base }) => base))]
  for (const suffix of ['.log', '.index', '.timeindex', '.txnindex']) await disk.remove(pathOf(bases[1]!, suffix))
  const finding = only(await verified(disk), 'damage', /the segment begins with \d+, the one before ends at/)
  assert.equal(finding.offset, bases[1])
  assert.match(finding.meaning, new RegExp(`${bases[1]} to ${bases[2]! - 1} are lost`))
})

test('a segment that reaches into the next one is damage', async () => {
  const disk = await cleanFolder()
  const bases = [...new Set((await batchesOf(disk)).map(({ base }) => base))]
  await disk.rename(pathOf(bases[1]!, '.log'), pathOf(bases[1]! - 1, '.log'))
  const found = await verified(disk)
  assert.ok(found.findings.some(({ severity, what }) => severity === 'damage' && /offsets do not fit/.test(what)))
})

test('a last segment that is missing, or was cut between two batches, is damage: its records were confirmed', async () => {
  const removed = await cleanFolder()
  const { base } = await lastBatch(removed)
  for (const suffix of ['.log', '.index', '.timeindex', '.txnindex']) await removed.remove(pathOf(base, suffix))
  const found = await verified(removed)
  const lost = found.findings.find(({ severity }) => severity === 'damage')!
  assert.match(lost.what, /the log ends at \d+, and records below \d+ were confirmed/)
  assert.equal(lost.offset, base)

  const cut = await cleanFolder()
  const last = await lastBatch(cut)
  await overwrite(cut, pathOf(last.base, '.log'), (bytes) => bytes.subarray(0, last.position))
  assert.equal((await verified(cut)).counts.damage, 1)
})

test('a folder of a log without any segment is damage when records were confirmed, and fine when none ever was', async () => {
  const disk = await cleanFolder()
  for (const { name } of await disk.list(folder))
    if (name !== 'partition.metadata') await disk.remove(`${folder}/${name}`)
  only(await verified(disk), 'damage', /there is no segment/)
  await disk.remove('/data/recovery-point-offset-checkpoint')
  assert.deepEqual((await verified(disk)).findings, [])
})

test('a log whose folder is gone after a clean stop is damage; after an unclean one it was perhaps deleted', async () => {
  const disk = await cleanFolder()
  await disk.remove(folder)
  only(await verified(disk), 'damage', /it names orders-0, which has no folder/)
  await disk.remove('/data/.kafka_cleanshutdown')
  only(await verified(disk), 'notice', /it names orders-0/)
})

for (const [name, change] of [
  ['cut in the middle of a batch', (file: Buffer, at: number) => file.subarray(0, at + 30)],
  ['with garbage at its end', (file: Buffer) => Buffer.concat([file, Buffer.alloc(300, 0xa5)])],
  ['whose last batch never arrived', (file: Buffer, at: number) => file.fill(0, at)],
] as const) {
  test(`a segment ${name} after an unclean stop is a torn tail, and the next start cuts what the report says`, async () => {
    const disk = await killedFolder(oneSegment)
    const last = await lastBatch(disk)
    await overwrite(disk, pathOf(0, '.log'), (file) => change(file, last.position))
    const sizeBytes = (await disk.readFile(pathOf(0, '.log')))!.length
    const finding = only(await verified(disk), 'tornTail', /./)
    const log = await openOrders(await openDirectory({ disk, path: '/data' }), oneSegment)
    assert.equal(log.fault, null)
    assert.equal(log.sizeBytes, finding.position)
    assert.equal(log.logEndOffset, finding.offset)
    assert.match(finding.meaning, new RegExp(`cuts ${sizeBytes - log.sizeBytes} bytes`))
  })
}

test('the same tail is damage when it was closed, when it was confirmed, and when good batches follow it', async () => {
  const cut = (file: Buffer) => file.subarray(0, file.length - 1)
  const closed = await cleanFolder(oneSegment)
  await overwrite(closed, pathOf(0, '.log'), cut)
  only(await verified(closed), 'damage', /cut short/)

  const confirmed = await killedFolder(oneSegment, true)
  await overwrite(confirmed, pathOf(0, '.log'), cut)
  only(await verified(confirmed), 'damage', /cut short/)

  const rot = await killedFolder(oneSegment)
  const place = (await batchesOf(rot)).find(({ bytes, offset }) => offset > 5 && bytes.length > 100)!
  rot.flipBit(pathOf(0, '.log'), place.position + 80)
  only(await verified(rot), 'damage', /checksum/)
  const log = await openOrders(await openDirectory({ disk: rot, path: '/data' }), oneSegment)
  assert.ok(log.fault instanceof CorruptLogError)
})

test('a tail that is torn behind damage is damage, too: the next start cuts nothing', async () => {
  const disk = await killedFolder(oneSegment)
  const place = (await batchesOf(disk)).find(({ bytes, offset }) => offset > 5 && bytes.length > 100)!
  disk.flipBit(pathOf(0, '.log'), place.position + 80)
  await overwrite(disk, pathOf(0, '.log'), (file) => file.subarray(0, file.length - 1))
  const found = await verified(disk)
  assert.deepEqual({ damage: found.counts.damage, torn: found.counts.tornTail }, { damage: 2, torn: 0 })
})

test('a sealed segment that is torn is damage where segments are synced in order, else the rest goes with it', async () => {
  const disk = await killedFolder()
  const bases = [...new Set((await batchesOf(disk)).map(({ base }) => base))]
  await overwrite(disk, pathOf(bases[1]!, '.log'), (file) => file.subarray(0, file.length - 1))
  assert.ok((await verified(disk)).counts.damage > 0)
  const relaxed = { topicId: ordersTopicId, compacts: false, flushPolicy: 'page-cache' } as const
  const finding = only(await verified(disk, { topicOf: () => relaxed }), 'tornTail', /cut short/)
  assert.match(finding.meaning, new RegExp(`and ${bases.length - 2} later segments$`))
  const log = await openOrders(await openDirectory({ disk, path: '/data' }), { ...config, flushPolicy: 'page-cache' })
  assert.equal(log.fault, null)
  assert.equal(log.logEndOffset, finding.offset)
})

test('a high watermark promises nothing where the topic is not synced', async () => {
  const disk = await killedFolder(oneSegment, true)
  await disk.remove('/data/recovery-point-offset-checkpoint')
  await overwrite(disk, pathOf(0, '.log'), (file) => file.subarray(0, file.length - 1))
  only(await verified(disk), 'damage', /cut short/)
  const relaxed = { topicId: ordersTopicId, compacts: false, flushPolicy: 'page-cache' } as const
  only(await verified(disk, { topicOf: () => relaxed }), 'tornTail', /cut short/)
})

for (const { name, path, change, what } of [
  {
    name: 'an index that is missing',
    path: '.index',
    change: null,
    what: /is missing/,
  },
  { name: 'a time index that is missing', path: '.timeindex', change: null, what: /is missing/ },
  {
    name: 'an index of no whole entries',
    path: '.index',
    change: (bytes: Buffer) => bytes.subarray(0, bytes.length - 3),
    what: /do not rise/,
  },
  {
    name: 'an index that points between two batches',
    path: '.index',
    change: (bytes: Buffer) => writeInt32(bytes, 4, bytes.readInt32BE(4) + 1),
    what: /entry 0 points at byte \d+, where no batch begins/,
  },
  {
    name: 'an index whose last entry points between two batches',
    path: '.index',
    change: (bytes: Buffer) => writeInt32(bytes, bytes.length - 4, bytes.readInt32BE(bytes.length - 4) + 1),
    what: /entry \d+ points at byte \d+, where no batch begins/,
  },
  {
    name: 'an index with an offset that is too low',
    path: '.index',
    change: (bytes: Buffer) => writeInt32(bytes, 0, bytes.readInt32BE(0) - 1),
    what: /entry 0 gives a batch that ends with \d+ the offset/,
  },
  {
    name: 'an index that falls',
    path: '.index',
    change: (bytes: Buffer) => writeInt32(bytes, 0, 1 << 20),
    what: /do not rise/,
  },
  {
    name: 'a time index with another timestamp',
    path: '.timeindex',
    change: (bytes: Buffer) => writeInt64(bytes, 0, Number(bytes.readBigInt64BE(0)) - 1),
    what: /entry 0 says \d+, the batch \d+/,
  },
  {
    name: 'a time index that points at another batch',
    path: '.timeindex',
    change: (bytes: Buffer) => writeInt32(bytes, 8, 0),
    what: /entry 0 says \d+, the batch \d+/,
  },
  {
    name: 'a time index without its last entries',
    path: '.timeindex',
    change: (bytes: Buffer) => bytes.subarray(0, 12),
    what: /it ends with timestamp \d+, the segment has \d+/,
  },
  {
    name: 'a time index of zeros',
    path: '.timeindex',
    change: (bytes: Buffer) => bytes.fill(0),
    what: /it ends with timestamp -1/,
  },
]) {
  test(`${name} is repairable, and so the broker does when the file is deleted`, async () => {
    const disk = await cleanFolder()
    if (change === null) await disk.remove(pathOf(0, path))
    else await overwrite(disk, pathOf(0, path), change)
    const finding = only(await verified(disk), 'repairable', what)
    assert.equal(finding.file, `orders-0/${fileNameOf(0, path)}`)
    await disk.remove(pathOf(0, path))
    const directory = await openDirectory({ disk, path: '/data' })
    const log = await openOrders(directory, config)
    assert.ok((await log.findByTimestamp(0, Infinity)) !== null)
    await directory.close()
    assert.deepEqual((await verified(disk)).findings, [])
  })
}

test('an index entry for several batches that were appended together is right, as Kafka wrote them before 4.0', async () => {
  const disk = await cleanFolder()
  const places = (await batchesOf(disk)).filter(({ base }) => base === 0)
  await overwrite(disk, pathOf(0, '.index'), (bytes) => {
    const i = places.findIndex(({ position }) => position === bytes.readInt32BE(4))
    writeInt32(bytes, 0, places[i + 2]!.offset - 1)
  })
  assert.deepEqual((await verified(disk)).findings, [])
  await overwrite(disk, pathOf(0, '.index'), (bytes) => {
    const i = places.findIndex(({ position }) => position === bytes.readInt32BE(4))
    const inside = places.slice(i + 1).find((place, n) => places[i + n + 2]!.offset - place.offset > 1)!
    writeInt32(bytes, 0, inside.offset)
    return bytes.subarray(0, 8)
  })
  only(await verified(disk), 'repairable', /with which no batch ends/)
})

test('indexes and snapshots of segments that the next start scans are not looked at', async () => {
  const disk = await killedFolder()
  const snapshot = (await disk.list(folder)).findLast(({ name }) => name.endsWith('.snapshot'))!
  disk.flipBit(`${folder}/${snapshot.name}`, 20)
  const { base } = await lastBatch(disk)
  await disk.replaceFile(pathOf(base, '.index'), Buffer.from('none'))
  assert.deepEqual((await verified(disk)).findings, [])
})

test('aborted transactions that are missing, changed or invented are damage; a file that makes no sense is built again', async () => {
  const disk = await cleanFolder()
  const names = (await disk.list(folder)).map(({ name }) => name).filter((name) => name.endsWith('.txnindex'))
  assert.ok(names.length > 1)
  const path = `${folder}/${names.at(-1)!}`
  const original = Buffer.from((await disk.readFile(path))!)
  const changes: [change: (bytes: Buffer) => Uint8Array | void, severity: Severity, what: RegExp][] = [
    [(bytes) => bytes.subarray(34), 'damage', /the transaction of producer \d+ that was aborted at \d+ is missing/],
    [(bytes) => writeInt64(bytes, 10, Number(bytes.readBigInt64BE(10)) - 1), 'damage', /has other offsets/],
    [(bytes) => writeInt64(bytes, 2, 77), 'damage', /has other offsets/],
    [(bytes) => writeInt64(bytes, 26, Number(bytes.readBigInt64BE(26)) + 1), 'damage', /has other offsets/],
    [(bytes) => writeInt16(bytes, 0, 5), 'repairable', /make no sense/],
    [(bytes) => bytes.subarray(1), 'repairable', /make no sense/],
  ]
  for (const [change, severity, what] of changes) {
    await overwrite(disk, path, () => {
      const bytes = Buffer.from(original)
      return change(bytes) ?? bytes
    })
    only(await verified(disk), severity, what)
  }
})

test('a transaction that was never aborted in an index of its own is damage', async () => {
  const disk = await cleanFolder()
  const bases = [...new Set((await batchesOf(disk)).map(({ base }) => base))]
  let base = -1
  for (const candidate of bases) if ((await disk.readFile(pathOf(candidate, '.txnindex'))) === null) base = candidate
  assert.ok(base >= 0)
  const invented = { producerId: 9, firstOffset: base, lastOffset: base + 1, lastStableOffset: base + 2 }
  await disk.replaceFile(pathOf(base, '.txnindex'), encodeTxnIndex([invented]))
  only(await verified(disk), 'damage', /no transaction of producer 9 was aborted at/)
})

test('a snapshot that is damaged, says otherwise than the batches, or reaches beyond the log is repairable', async () => {
  const disk = await cleanFolder()
  const snapshots = (await disk.list(folder)).map(({ name }) => name).filter((name) => name.endsWith('.snapshot'))
  assert.ok(snapshots.length > 2)
  const path = `${folder}/${snapshots.at(-2)!}`
  const original = Buffer.from((await disk.readFile(path))!)
  const restore = () => overwrite(disk, path, () => original)
  disk.flipBit(path, 20)
  only(await verified(disk), 'repairable', /no producer snapshot with a right checksum/)

  const changed = async (change: (state: NonNullable<ReturnType<typeof decodeProducerSnapshot>>) => void) => {
    const state = decodeProducerSnapshot(original)!
    change(state)
    await overwrite(disk, path, () => encodeProducerSnapshot(state))
    return verified(disk)
  }
  only(await changed((state) => void (state.entry(9)!.epoch = 3)), 'repairable', /producer 9 has epoch 0, not 3/)
  const last = (sequence: number) => ({ lastSequence: sequence, lastOffset: 1, offsetDelta: 0, timestamp: 0 })
  only(await changed((state) => void (state.entry(9)!.batches = [last(1)])), 'repairable', /last batch of producer 9/)
  only(
    await changed((state) => void (state.entry(9)!.currentTxnFirstOffset = 3)),
    'repairable',
    /open transaction of producer 9 is another/,
  )
  await restore()
  await disk.rename(`${folder}/${snapshots.at(-1)!}`, pathOf(5000, '.snapshot'))
  only(await verified(disk), 'repairable', /it is of offset 5000, the log ends at/)
})

test('a snapshot without a transaction that is open, or with a producer nobody knows, is repairable', async () => {
  const disk = await cleanFolder()
  const path = `${folder}/${(await disk.list(folder)).findLast(({ name }) => name.endsWith('.snapshot'))!.name}`
  const state = decodeProducerSnapshot((await disk.readFile(path))!)!
  const open = [...state.entries()].find(({ currentTxnFirstOffset }) => currentTxnFirstOffset >= 0)
  assert.ok(open !== undefined)
  const entries = [...state.entries()].filter((entry) => entry !== open)
  const { ProducerState, newEntry } = await import('../producer-state.ts')
  await overwrite(disk, path, () => encodeProducerSnapshot(new ProducerState(entries)))
  only(await verified(disk), 'repairable', /the open transaction of producer \d+ is missing/)
  await overwrite(disk, path, () => encodeProducerSnapshot(new ProducerState([...state.entries(), newEntry(4321)])))
  only(await verified(disk), 'repairable', /producer 4321 has no batch/)
})

test('a file of leader epochs that is missing, unreadable or says otherwise is repairable', async () => {
  const path = `${folder}/leader-epoch-checkpoint`
  const disk = await cleanFolder()
  const text = Buffer.from((await disk.readFile(path))!).toString()
  assert.match(text, /^0\n3\n0 0\n1 \d+\n2 \d+\n$/)
  const second = Number(/\n1 (\d+)\n/.exec(text)![1])
  const cases: [string | null, RegExp][] = [
    [null, /is missing/],
    ['rubbish', /unknown checkpoint version/],
    [text.replace('0\n3\n0 0\n', '0\n2\n'), /the batch is of leader epoch 0, the file says -1/],
    [text.replace(`1 ${second}`, `1 ${second + 1}`), /of leader epoch 1, the file says 0/],
    [text.replace(`1 ${second}`, `1 ${second - 1}`), /of leader epoch 0, the file says 1/],
    [text.replace('0\n3\n', '0\n4\n') + '7 99999\n', /epoch 7 begins beyond the end of the log/],
  ]
  for (const [content, what] of cases) {
    if (content === null) await disk.remove(path)
    else await disk.replaceFile(path, Buffer.from(content))
    assert.equal(only(await verified(disk), 'repairable', what).file, 'orders-0/leader-epoch-checkpoint')
  }
  await disk.remove(path)
  const directory = await openDirectory({ disk, path: '/data' })
  await openOrders(directory, config)
  await directory.close()
  assert.deepEqual((await verified(disk)).findings, [])
})

test('after an unclean stop the file of leader epochs is held against what lies below the recovery point', async () => {
  const disk = await killedFolder(config, true)
  const path = `${folder}/leader-epoch-checkpoint`
  const text = Buffer.from((await disk.readFile(path))!).toString()
  await disk.replaceFile(path, Buffer.from(text.replace('0 0\n', '0 1\n')))
  only(await verified(disk), 'repairable', /of leader epoch 0, the file says -1/)
  await disk.remove('/data/recovery-point-offset-checkpoint')
  assert.deepEqual((await verified(disk)).findings, [])
})

test('partition.metadata and meta.properties that are missing or say nothing are repairable', async () => {
  const disk = await cleanFolder()
  const restore = Buffer.from((await disk.readFile(`${folder}/partition.metadata`))!)
  await disk.remove(`${folder}/partition.metadata`)
  only(await verified(disk), 'repairable', /is missing/)
  await disk.replaceFile(`${folder}/partition.metadata`, Buffer.from('topic_id: 7'))
  only(await verified(disk), 'repairable', /names no topic/)
  await disk.replaceFile(`${folder}/partition.metadata`, restore)
  await disk.replaceFile('/data/meta.properties', Buffer.from('version=1\nnode.id=x\ncluster.id=c\n'))
  only(await verified(disk), 'repairable', /node\.id, directory\.id is missing/)
  await disk.remove('/data/meta.properties')
  only(await verified(disk), 'repairable', /is missing/)
})

test('a log of a topic that is gone, or was made anew, is a notice', async () => {
  const disk = await cleanFolder()
  only(await verified(disk, { topicOf: () => null }), 'notice', /no such topic/)
  const other = { topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', compacts: false, flushPolicy: 'fsync' } as const
  only(await verified(disk, { topicOf: () => other }), 'notice', /the log is of topic/)
})

test('checkpoints that are unreadable are repairable, each with what it means', async () => {
  for (const name of ['recovery-point', 'log-start', 'replication', 'cleaner']) {
    const disk = await cleanFolder()
    await disk.replaceFile(`/data/${name}-offset-checkpoint`, Buffer.from('0\n2\norders 0 1\n'))
    const finding = only(await verified(disk), 'repairable', /1 entries where 2 was announced/)
    assert.equal(finding.file, `${name}-offset-checkpoint`)
  }
})

test('checkpoints that Kafka made and never wrote to say nothing', async () => {
  const disk = await killedFolder()
  for (const name of ['recovery-point', 'log-start', 'replication', 'cleaner']) {
    await disk.replaceFile(`/data/${name}-offset-checkpoint`, new Uint8Array(0))
  }
  await disk.replaceFile(`${folder}/leader-epoch-checkpoint`, new Uint8Array(0))
  assert.deepEqual((await verified(disk)).findings, [])
})

test('checkpoints beyond the end of the log are damage; a start beyond it after an unclean stop is how a deletion ends', async () => {
  for (const name of ['recovery-point', 'replication', 'log-start']) {
    const disk = await cleanFolder()
    await disk.replaceFile(`/data/${name}-offset-checkpoint`, Buffer.from('0\n1\norders 0 9000\n'))
    const found = await verified(disk)
    assert.equal(found.counts.damage, 1, name)
  }
  const disk = await killedFolder()
  await disk.replaceFile('/data/log-start-offset-checkpoint', Buffer.from('0\n1\norders 0 9000\n'))
  only(await verified(disk), 'notice', /before its start, 9000/)
  const log = await openOrders(await openDirectory({ disk, path: '/data' }), config)
  assert.equal(log.logStartOffset, 9000)
})

test('leftovers of deletions and compactions are named', async () => {
  const disk = await cleanFolder()
  const put = (path: string) => disk.replaceFile(path, Buffer.from('x'))
  await put(`${pathOf(0, '.log')}.deleted`)
  await put(`${pathOf(0, '.log')}.cleaned`)
  await put(`${pathOf(0, '.log')}.swap`)
  await put(`${folder}/leader-epoch-checkpoint.tmp`)
  await put(pathOf(9000, '.index'))
  await put(`${folder}/notes.txt`)
  await disk.makeFolder('/data/old-0.0123-delete')
  await disk.makeFolder('/data/old-1.0123-stray')
  const found = await verified(disk)
  assert.equal(found.counts.leftover, 8)
  assert.deepEqual(
    found.findings.map(({ severity }) => severity),
    found.findings.map(() => 'leftover'),
  )
})

test('a file that the disk cannot read is damage, and the other logs are checked', async () => {
  const disk = await cleanFolder()
  const again = await openDirectory({ disk, path: '/data' })
  const other = await again.openLog({ topicName: 'payments', partition: 3, topicId: ordersTopicId, config })
  await fill(other, 10)
  await openOrders(again, config)
  await again.close()
  const fault = disk.failWhen({ kind: 'read', path: `${folder}/`, times: Infinity })
  const found = await verified(disk)
  fault.cancel()
  const finding = only(found, 'damage', /cannot be read: EIO/)
  assert.match(finding.file, /^orders-0\//)
  assert.equal(found.logs, 2)
  assert.ok(found.batches > 10)
  disk.failWhen({ kind: 'list', path: folder })
  only(await verified(disk), 'damage', /cannot be read: EIO/)
})

test('a filter leaves other logs alone, and what is of the whole folder', async () => {
  const disk = await cleanFolder()
  await disk.makeFolder('/data/old-0.0123-delete')
  disk.flipBit(pathOf(0, '.log'), 80)
  assert.deepEqual((await verified(disk, { wanted: (topic) => topic !== 'orders' })).findings, [])
  assert.equal((await verified(disk, { wanted: (topic, partition) => topic === 'orders' && partition === 0 })).logs, 1)
})

test('records inside batches are looked at when asked to', async () => {
  const disk = await cleanFolder()
  const place = (await batchesOf(disk)).find(
    ({ bytes, position }) => position > 0 && (bytes[batchLayout.attributes + 1]! & 0b100111) === 1,
  )!
  await changeBatch(disk, place, (batch) => {
    batch.fill(0xff, batch.length - 12)
    stampCrc(batch)
  })
  assert.deepEqual((await verified(disk)).findings, [])
  const finding = only(await verified(disk, { deep: true }), 'damage', /its records cannot be read: malformed gzip/)
  assert.equal(finding.offset, place.offset)
})

test('a record with an offset outside its batch is damage, one later than its batch claims is a notice', async () => {
  const offsets = await cleanFolder(oneSegment)
  const batch = batchOf(['a', 'b', 'c'])
  const place = (await batchesOf(offsets)).find(
    ({ bytes }) => bytes[batchLayout.attributes + 1] === 0 && recordsCountOf(bytes) === 3,
  )!
  assert.ok(place !== undefined && batch.length > 0)
  await changeBatch(offsets, place, (bytes) => {
    // The first record: length, attributes, timestamp delta, offset delta; each one byte here.
    bytes[batchLayout.records + 3] = 6
    stampCrc(bytes)
  })
  only(await verified(offsets, { deep: true }), 'damage', /record 0 has offset delta 3|record 1 has offset delta 1/)

  const times = await cleanFolder(oneSegment)
  await changeBatch(times, place, (bytes) => stampMaxTimestamp(bytes, 0, 1))
  const found = await verified(times, { deep: true })
  assert.ok(found.findings.some(({ severity, what }) => severity === 'notice' && /claims at most 1/.test(what)))
})

test('batches larger than a window are checked in pieces', async () => {
  const large: LogConfig = { ...smallConfig, segmentBytes: 8 << 20 }
  const make = async (): Promise<SimulatedDisk> => {
    const disk = new SimulatedDisk()
    const directory = await openDirectory({ disk, path: '/data' })
    const log = await openOrders(directory, large)
    await appended(log, batchOf(['small']))
    await appended(log, batchOf(['x'.repeat(3 << 20), 'y']))
    await appended(log, batchOf(['z'.repeat(1 << 20)]))
    await directory.close()
    return disk
  }
  const disk = await make()
  assert.deepEqual((await verified(disk, { deep: true })).findings, [])
  disk.flipBit(pathOf(0, '.log'), 2 << 20)
  const finding = only(await verified(disk), 'damage', /checksum/)
  assert.equal(finding.offset, 1)
  assert.match(finding.meaning, /records 1 to 2 are lost/)
})

test('findings of a log are bounded, and none is lost from the count', async () => {
  const disk = await cleanFolder()
  for (let i = 0; i < 250; i++) await disk.replaceFile(`${folder}/note-${i}`, Buffer.from('x'))
  const found = await verified(disk)
  assert.equal(found.counts.leftover, 250)
  assert.equal(found.findings.length, 200)
  assert.equal(found.notListed, 50)
})

test('a data folder is known by its files', async () => {
  const disk = await cleanFolder()
  assert.equal(await isDataFolder(disk, '/data'), true)
  assert.equal(await isDataFolder(disk, folder), false)
  assert.equal(await isDataFolder(disk, '/nowhere'), false)
})

test('a compaction that stopped while it replaced segments has lost nothing, unless what it wrote is damaged', async () => {
  const disk = await cleanFolder()
  const bases = [...new Set((await batchesOf(disk)).map(({ base }) => base))]
  for (const suffix of ['.log', '.index', '.timeindex']) {
    await disk.rename(pathOf(bases[1]!, suffix), `${pathOf(bases[1]!, suffix)}.swap`)
  }
  await disk.remove(pathOf(bases[1]!, '.txnindex'))
  const found = await verified(disk)
  assert.deepEqual({ ...found.counts, leftover: 0 }, { damage: 0, tornTail: 0, repairable: 0, leftover: 0, notice: 0 })
  assert.equal(found.counts.leftover, 1)
  assert.match(found.findings[0]!.what, /^3 files of \d+ bytes, of a compaction/)
  disk.flipBit(`${pathOf(bases[1]!, '.log')}.swap`, 70)
  const damaged = await verified(disk)
  assert.equal(damaged.counts.damage, 1)
  assert.match(damaged.findings.find(({ severity }) => severity === 'damage')!.file, /\.log\.swap$/)
})
