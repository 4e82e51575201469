// What compaction leaves is Kafka's, too: Apache Kafka's own kafka-dump-log reads a compacted folder and finds nothing wrong.

import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { systemClock } from '../src/io/clock.ts'
import { realDisk } from '../src/io/disk.real.ts'
import { openDirectory, openOrders, readAll } from '../src/storage/partition-log.contract.ts'
import { CleaningThread } from '../src/storage/compaction/cleaning-engines.ts'
import { cleanerOf, compactedConfig, History, recordOffsets } from '../src/storage/compaction/history.contract.ts'
import { kafkaTool, withoutKafkaTools } from './support/tools.ts'

suite('kafka-dump-log of a compacted folder', { skip: withoutKafkaTools() }, () => {
  let root = ''
  let files: string[] = []
  let offsets: number[] = []

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'odradek-compacted-'))
    const directory = await openDirectory({ disk: realDisk, path: root }, { clock: systemClock })
    const log = await openOrders(directory, { ...compactedConfig, segmentBytes: 20_000, deleteRetentionMs: 86_400_000 })
    const history = new History(log, 11)
    await history.append(900)
    const engine = new CleaningThread(systemClock)
    const cleaner = cleanerOf(directory, { engine })
    assert.ok(await cleaner.cleanFilthiest())
    await history.append(600)
    await history.finish()
    assert.ok(await cleaner.cleanFilthiest())
    await history.append(3)
    offsets = recordOffsets(await readAll(log))
    await cleaner.stop()
    await directory.close()
    assert.equal(log.fault, null)
    files = (await readdir(join(root, 'orders-0'))).map((file) => join(root, 'orders-0', file))
  })

  after(() => rm(root, { recursive: true, force: true }))

  const dump = async (suffix: string, ...options: string[]) => {
    const chosen = files.filter((file) => file.endsWith(suffix))
    assert.ok(chosen.length > 1, `${chosen.length} ${suffix} files`)
    const { stdout, stderr, code } = await kafkaTool('dump-log', ['--files', chosen.join(','), ...options])
    assert.equal(code, 0, stderr)
    return { text: stdout + stderr, count: chosen.length }
  }
  const count = (text: string, pattern: RegExp) => text.match(pattern)?.length ?? 0

  test('every checksum is right, and every record is where it was', async () => {
    const { text } = await dump('.log', '--deep-iteration')
    assert.equal(count(text, /isvalid: true/g), count(text, /isvalid/g))
    assert.match(text, /deleteHorizonMs: OptionalLong\[\d+\]/)
    assert.match(text, /^baseOffset: .* count: 0 /m)
    // A record of a batch is a line of its own behind a bar; those of control batches say so.
    const found = [...text.matchAll(/^\| offset: (\d+) (?!.*endTxnMarker)/gm)].map(([, offset]) => Number(offset))
    assert.deepEqual(
      found.toSorted((one, other) => one - other),
      offsets,
    )
  })

  test('the indexes are sane, and every entry is where it says', async () => {
    for (const suffix of ['.index', '.timeindex']) {
      const sanity = await dump(suffix, '--index-sanity-check')
      assert.equal(count(sanity.text, /passed sanity check/g), sanity.count, sanity.text)
      const { text } = await dump(suffix)
      // As in Kafka the time index speaks of batches that were emptied, too: the tool finds no record to hold it against.
      const lines = text.split('\n').filter((line) => !/log timestamp: -1|^Found timestamp mismatch in/.test(line))
      assert.doesNotMatch(lines.join('\n'), /log timestamp:|non-consecutive|mismatches|out of order|corrupt/i)
    }
  })
})
