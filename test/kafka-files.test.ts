// The files of a log are Kafka's: Apache Kafka's own kafka-dump-log reads them and finds nothing wrong.

import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, after, suite, test } from 'node:test'
import { SimulatedClock } from '../src/io/clock.sim.ts'
import { realDisk } from '../src/io/disk.real.ts'
import { seededRandom } from '../src/io/random.sim.ts'
import { silentLogger } from '../src/lib/logger.ts'
import { buildBatch } from '../src/records/batch-builder.ts'
import { codecById } from '../src/records/codec.ts'
import { buildEndTransactionMarker } from '../src/records/control-batch.ts'
import { smallConfig } from '../src/storage/partition-log.contract.ts'
import { LogDirectory } from '../src/storage/log-directory.ts'
import type { SegmentedLog } from '../src/storage/segmented-log.ts'
import { kafkaTool, withoutKafkaTools } from './support/tools.ts'

const start = 1_700_000_000_000

/** 200 batches of every codec, a minute or so apart, not always in order of time, with transactions between them. */
function fill(log: SegmentedLog): void {
  const random = seededRandom(7)
  const append = (batch: Uint8Array, origin: 'client' | 'coordinator' = 'client', epoch = 4) => {
    const answer = log.append(batch, epoch, origin)
    assert.ok(answer.ok, JSON.stringify(answer))
  }
  let sequence = 0
  for (let i = 0; i < 200; i++) {
    const timestamp = start + 60_000 * i - 90_000 * random.below(2)
    const records = Array.from({ length: 1 + random.below(5) }, (_, n) => ({
      key: `key-${n}`,
      value: Buffer.from(random.bytes(100 + random.below(400))).toString('base64'),
      timestamp: timestamp + n,
      headers: n === 0 ? [{ key: 'trace', value: 'abc' }] : [],
    }))
    append(buildBatch(records, { codec: codecById[i % codecById.length]! }), 'client', Math.floor(i / 50))
    if (i % 20 !== 0) continue
    const producer = { producerId: 4000 + (i % 40), producerEpoch: 1, timestamp }
    if (i % 40 === 0) {
      append(buildBatch([{ value: 'mine' }], { ...producer, baseSequence: sequence, transactional: true }), 'client', 3)
      append(
        buildEndTransactionMarker({ kind: i % 80 === 0 ? 'abort' : 'commit', coordinatorEpoch: 2 }, producer),
        'coordinator',
      )
      sequence++
    } else {
      append(buildBatch([{ value: 'once' }], { producerId: 9, producerEpoch: 0, baseSequence: Math.floor(i / 40) }))
    }
  }
}

suite('kafka-dump-log', { skip: withoutKafkaTools() }, () => {
  let root = ''
  let folder = ''
  let files: string[] = []

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'odradek-files-'))
    const directory = await LogDirectory.open({
      disk: realDisk,
      path: root,
      clock: new SimulatedClock(),
      random: seededRandom(1),
      logger: silentLogger,
      nodeId: 1,
    })
    const config = {
      ...smallConfig,
      segmentBytes: 100_000,
      segmentMs: 1e12,
      segmentJitterMs: 0,
      segmentIndexBytes: 10 << 20,
      indexIntervalBytes: 4096,
      flushPolicy: 'fsync',
      producerIdExpirationMs: 86_400_000,
    } as const
    const log = await directory.openLog({ topicName: 'orders', partition: 0, topicId: null, config })
    fill(log)
    await directory.close()
    assert.equal(log.fault, null)
    folder = join(root, 'orders-0')
    files = await readdir(folder)
  })

  after(() => rm(root, { recursive: true, force: true }))

  const dump = async (suffix: string, ...options: string[]) => {
    const chosen = files.filter((file) => file.endsWith(suffix)).map((file) => join(folder, file))
    assert.ok(chosen.length > 1, `${chosen.length} ${suffix} files`)
    const { stdout, stderr, code } = await kafkaTool('dump-log', ['--files', chosen.join(','), ...options])
    assert.equal(code, 0, stderr)
    return { text: stdout + stderr, count: chosen.length }
  }
  const count = (text: string, pattern: RegExp) => text.match(pattern)?.length ?? 0

  test('reads every record of every codec, and every checksum is right', async () => {
    const { text } = await dump('.log', '--deep-iteration')
    assert.equal(count(text, /isvalid: true/g), count(text, /isvalid/g))
    assert.equal(count(text, /^baseOffset: /gm), 215)
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'])
      assert.match(text, new RegExp(`compresscodec: ${codec}`, 'i'))
    assert.equal(count(text, /endTxnMarker: ABORT coordinatorEpoch: 2/g), 3)
    assert.equal(count(text, /endTxnMarker: COMMIT coordinatorEpoch: 2/g), 2)
    assert.doesNotMatch(text, /Found non-consecutive|invalid|corrupt/i)
  })

  test('finds the offset indexes sane, and every entry where it says', async () => {
    const sanity = await dump('.index', '--index-sanity-check')
    assert.equal(count(sanity.text, /passed sanity check/g), sanity.count, sanity.text)
    const { text } = await dump('.index')
    assert.ok(count(text, /^offset: \d+ position: \d+$/gm) > 20)
    assert.doesNotMatch(text, /Mismatches|Non-consecutive|corrupt/i)
  })

  test('finds the time indexes sane, with the greatest timestamps in order', async () => {
    const sanity = await dump('.timeindex', '--index-sanity-check')
    assert.equal(count(sanity.text, /passed sanity check/g), sanity.count, sanity.text)
    const { text } = await dump('.timeindex')
    assert.ok(count(text, /^timestamp: \d+ offset: \d+$/gm) > 20)
    assert.doesNotMatch(text, /mismatch|out of order|corrupt/i)
  })

  test('reads producer snapshots and aborted transactions', async () => {
    const snapshots = await dump('.snapshot')
    assert.match(
      snapshots.text,
      /producerId: 9 producerEpoch: 0 coordinatorEpoch: -1 currentTxnFirstOffset: OptionalLong.empty/,
    )
    assert.match(
      snapshots.text,
      /producerId: 4000 producerEpoch: 1 coordinatorEpoch: 2 currentTxnFirstOffset: OptionalLong.empty/,
    )
    const { text } = await dump('.txnindex')
    assert.equal(count(text, /version: 0 producerId: 4000 firstOffset: \d+ lastOffset: \d+ lastStableOffset: \d+/g), 3)
  })
})
