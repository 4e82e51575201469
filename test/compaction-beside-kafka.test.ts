// The same log, compacted by Apache Kafka and by Odradek: batch by batch the same is left.

import assert from 'node:assert/strict'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { systemClock } from '../src/io/clock.ts'
import { realDisk } from '../src/io/disk.real.ts'
import {
  attributesOf,
  baseOffsetOf,
  baseSequenceOf,
  computedCrcOf,
  crcOf,
  hasDeleteHorizon,
  lastOffsetOf,
  leaderEpochOf,
  maxTimestampOf,
  producerEpochOf,
  producerIdOf,
} from '../src/records/batch.ts'
import { buildBatch } from '../src/records/batch-builder.ts'
import { batchesIn } from '../src/records/batches-in.ts'
import { recordsOf } from '../src/records/record.ts'
import { CleaningThread } from '../src/storage/compaction/cleaning-engines.ts'
import { cleanerOf, compactedConfig, History } from '../src/storage/compaction/history.contract.ts'
import { openDirectory, openOrders } from '../src/storage/partition-log.contract.ts'
import { KafkaBroker } from './support/kafka-broker.ts'
import { kafkaTool, withoutKafkaTools } from './support/tools.ts'
import { waitFor } from './support/wait-for.ts'

const dayMs = 86_400_000
const config = { ...compactedConfig, deleteRetentionMs: dayMs }
/** Kafka's least segment.bytes: all that is cleaned becomes one segment. */
const groupBytes = 1 << 20

async function folderFor(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-beside-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** What a batch says, save for when its tombstones may go, and how its bytes are packed. */
function told(batch: Uint8Array): object {
  assert.equal(crcOf(batch), computedCrcOf(batch))
  return {
    offsets: [baseOffsetOf(batch), lastOffsetOf(batch)],
    attributes: attributesOf(batch),
    horizon: hasDeleteHorizon(batch),
    maxTimestamp: maxTimestampOf(batch),
    producer: [producerIdOf(batch), producerEpochOf(batch), baseSequenceOf(batch)],
    epoch: leaderEpochOf(batch),
    records: [...recordsOf(batch)].map(({ offset, timestamp, key, value, headers }) => {
      const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('hex'))
      return [offset, timestamp, text(key), text(value), headers.length]
    }),
  }
}

/** The batches of a log's folder, in order, below `end`. */
async function batchesOf(folder: string, end: number): Promise<object[]> {
  const found: object[] = []
  for (const name of (await readdir(folder)).filter((file) => file.endsWith('.log')).toSorted()) {
    for (const batch of batchesIn(await readFile(join(folder, name)))) {
      if (baseOffsetOf(batch) < end) found.push(told(batch))
    }
  }
  return found
}

suite('a log compacted beside Apache Kafka', { skip: withoutKafkaTools() }, () => {
  for (const cleanings of [1, 2]) {
    test(`after ${cleanings === 1 ? 'the first cleaning' : 'one more, with horizons that have passed'}`, async (t) => {
      const [root, kafkaRoot] = [await folderFor(t), await folderFor(t)]
      // Producers that are not yet forgotten; the first of two cleanings was two days ago.
      const directory = await openDirectory({ disk: realDisk, path: root }, { clock: systemClock })
      const log = await openOrders(directory, config)
      const history = new History(log, 20 + cleanings, { fromMs: Date.now() - 600_000, batchesPerEpoch: Infinity })
      await history.append(500)
      await history.finish()
      history.add(buildBatch([{ key: 'active', value: 'v' }]))
      await history.confirm()
      const { baseOffset: end } = log.segments.at(-1)!
      log.configure({ ...config, segmentBytes: groupBytes })
      const engine = new CleaningThread(systemClock)
      const cleaner = (now: number) => cleanerOf(directory, { engine, clock: { ...systemClock, now: () => now } })
      if (cleanings === 2) {
        assert.ok(await cleaner(Date.now() - 2 * dayMs).cleanFilthiest())
        await directory.setCleanedTo(log.name, 0)
        // Markers get their horizon now that their transactions are gone.
        assert.ok(await cleaner(Date.now() - 2 * dayMs).cleanFilthiest())
        await directory.setCleanedTo(log.name, 0)
      }
      await directory.close()

      // Kafka gets the same files under a topic of its own.
      const first = await KafkaBroker.start(kafkaRoot)
      t.after(() => first.stop())
      const topic = ['--create', '--topic', 'orders', '--partitions', '1', '--bootstrap-server', first.bootstrap]
      const settings = {
        'cleanup.policy': 'compact',
        'min.cleanable.dirty.ratio': '0',
        'delete.retention.ms': String(dayMs),
        'segment.bytes': String(groupBytes),
      }
      for (const [name, value] of Object.entries(settings)) topic.push('--config', `${name}=${value}`)
      const created = await kafkaTool('topics', topic)
      assert.equal(created.code, 0, created.stderr)
      await first.stop()
      const kafkaFolder = join(first.data, 'orders-0')
      for (const file of await readdir(kafkaFolder)) {
        if (file !== 'partition.metadata') await rm(join(kafkaFolder, file))
      }
      await mkdir(kafkaFolder, { recursive: true })
      const ours = join(root, 'orders-0')
      for (const file of await readdir(ours)) {
        if (file !== 'partition.metadata') await copyFile(join(ours, file), join(kafkaFolder, file))
      }
      const before = await batchesOf(ours, end)
      assert.deepEqual(await batchesOf(kafkaFolder, end), before)

      const second = await KafkaBroker.start(kafkaRoot, { 'log.cleaner.backoff.ms': '100' })
      t.after(() => second.stop())
      await waitFor(
        'Kafka to compact the log',
        async () => {
          const checkpoint = await readFile(join(second.data, 'cleaner-offset-checkpoint'), 'utf8').catch(() => '')
          return checkpoint.includes(`orders 0 ${end}`)
        },
        30_000,
      )
      await second.stop()

      const again = await openDirectory({ disk: realDisk, path: root }, { clock: systemClock })
      const reopened = await openOrders(again, { ...config, segmentBytes: groupBytes })
      reopened.highWatermark = reopened.logEndOffset
      assert.ok(await cleanerOf(again, { engine }).cleanFilthiest())
      assert.equal(again.cleanedTo(reopened.name), end)
      await again.close()
      await engine.stop()
      const after = await batchesOf(ours, end)
      assert.ok(after.length < before.length)
      assert.deepEqual(after, await batchesOf(kafkaFolder, end))
      const txnIndexes = async (folder: string) => {
        const names = (await readdir(folder)).filter((file) => file.endsWith('.txnindex')).toSorted()
        const contents = await Promise.all(names.map((name) => readFile(join(folder, name))))
        return Buffer.concat(contents).toString('hex')
      }
      assert.equal(await txnIndexes(ours), await txnIndexes(kafkaFolder))
    })
  }
})
