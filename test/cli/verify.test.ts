// `odradek verify` as its users meet it: on a folder that was closed, on one whose broker was killed, on one in use, and on damage.

import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { systemClock } from '../../src/io/clock.ts'
import { realDisk } from '../../src/io/disk.real.ts'
import { systemRandom } from '../../src/io/random.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { buildBatch } from '../../src/records/batch-builder.ts'
import { LogDirectory } from '../../src/storage/log-directory.ts'
import { ordersTopicId, smallConfig } from '../../src/storage/partition-log.contract.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { kafkaJs } from '../support/kafkajs-client.ts'
import { type Finished, run } from '../support/processes.ts'

const main = join(import.meta.dirname, '../../src/cli/main.ts')
const root = await mkdtemp(join(tmpdir(), 'odradek-verify-'))
after(() => rm(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }))

let folders = 0
const newFolder = (): string => join(root, `data-${++folders}`)

function verify(...args: string[]): Promise<Finished> {
  return run(process.execPath, [main, 'verify', ...args], { anyCode: true })
}

/** Two logs of 4 MB in segments of 1 MB, closed. */
async function closedFolder(): Promise<string> {
  const path = newFolder()
  const directory = await LogDirectory.open({
    disk: realDisk,
    path,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
    nodeId: 1,
  })
  const config = { ...smallConfig, segmentBytes: 1 << 20, indexIntervalBytes: 4096, segmentMs: 1e12 }
  for (const partition of [0, 1]) {
    const log = await directory.openLog({ topicName: 'orders', partition, topicId: ordersTopicId, config })
    for (let i = 0; log.sizeBytes < 2 << 20; i++) {
      const records = Array.from({ length: 20 }, (_, n) => ({ key: `${n}`, value: `value ${i}`.repeat(20) }))
      assert.ok(log.append(buildBatch(records, { timestamp: 1000 + i }), 0, 'client').ok)
    }
    await log.sync()
  }
  await directory.close()
  return path
}

/** Every file with its size, time and content. */
async function snapshotOf(path: string): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath, entry.name)
    if (!entry.isFile()) found.set(file, 'no file')
    else found.set(file, `${(await stat(file)).mtimeMs} ${(await readFile(file)).toString('base64')}`)
  }
  return found
}

/** Stores another byte in the middle of the log's first segment. */
async function damage(path: string, log: string): Promise<void> {
  const file = join(path, log, '00000000000000000000.log')
  const bytes = await readFile(file)
  bytes[500_000]! ^= 0x40
  await writeFile(file, bytes)
}

test('a folder that was closed is whole, and verifying leaves it as it was', async () => {
  const data = await closedFolder()
  const before = await snapshotOf(data)
  for (const options of [[], ['--deep']]) {
    const { code, stdout, stderr } = await verify(data, ...options)
    assert.equal(code, 0, stdout + stderr)
    assert.match(stdout, /^2 logs, 6 segments, [\d,]+ batches, [\d,]+ records, 4\.\d MB in [\d.]+ s \([\d.]+ MB\/s\)\n/)
    assert.match(stdout, /\nnothing is wrong\n$/)
    assert.equal(stderr, '')
  }
  assert.deepEqual(await snapshotOf(data), before)
})

test('damage is told with its place, and by the exit status; other findings are told and are none', async () => {
  const data = await closedFolder()
  await truncate(join(data, 'orders-1', '00000000000000000000.timeindex'), 7)
  await mkdir(join(data, 'old-3.0123-delete'))
  const repairable = await verify(data)
  assert.equal(repairable.code, 0, repairable.stdout)
  assert.match(
    repairable.stdout,
    /^leftover +old-3\.0123-delete: a log that was being deleted; the next start removes it$/m,
  )
  assert.match(repairable.stdout, /^repairable +orders-1\/0+\.timeindex, byte 0, offset 0: .*; delete the file/m)
  assert.match(repairable.stdout, /^found: 1 repairable, 1 leftover$/m)

  await damage(data, 'orders-0')
  const damaged = await verify(data)
  assert.equal(damaged.code, 1, damaged.stdout)
  const line =
    /^damage +orders-0\/0+\.log, byte (\d+), offset (\d+): the checksum does not match the bytes; the records (\d+) to/m
  const [, position, offset, lost] = line.exec(damaged.stdout)!
  assert.ok(Number(position) <= 500_000 && Number(position) > 490_000)
  assert.equal(offset, lost)
  assert.match(damaged.stdout, /^found: 1 damage, 1 repairable, 1 leftover$/m)

  const other = await verify(data, '--topic', 'orders', '--partition', '1')
  assert.equal(other.code, 0)
  assert.match(other.stdout, /^1 log, /m)
  assert.equal((await verify(data, '--topic', 'orders')).code, 1)
})

test('programs get one JSON object', async () => {
  const data = await closedFolder()
  await damage(data, 'orders-1')
  const { code, stdout } = await verify(data, '--json')
  assert.equal(code, 1)
  const found = JSON.parse(stdout)
  assert.equal(found.logs, 2)
  assert.equal(found.clean, true)
  assert.deepEqual(found.counts, { damage: 1, tornTail: 0, repairable: 0, leftover: 0, notice: 0 })
  assert.equal(found.findings.length, 1)
  assert.equal(found.findings[0].file, 'orders-1/00000000000000000000.log')
  assert.equal(typeof found.findings[0].position, 'number')
})

test('a folder in use is not looked at, and its broker does not notice', async () => {
  const broker = await BrokerProcess.start({ data: newFolder() })
  try {
    const { code, stderr, stdout } = await verify(broker.data)
    assert.equal(code, 3)
    assert.equal(stdout, '')
    assert.match(stderr, /^odradek: .* is in use by a broker; stop it, then verify\n$/)
    assert.ok(broker.running)
  } finally {
    await broker.stop()
  }
})

test('what a killed broker leaves is no damage, a torn tail is what the next start cuts, and a stopped one leaves nothing to say', async () => {
  const data = newFolder()
  let broker = await BrokerProcess.start({ data, settings: { 'log.segment.bytes': '1048576' } })
  const producer = kafkaJs(broker.bootstrap).producer()
  await producer.connect()
  for (let i = 0; i < 20; i++) {
    const messages = Array.from({ length: 200 }, (_, n) => ({
      key: `${n}`,
      value: `${i}`.padEnd(600, 'x'),
      partition: 0,
    }))
    await producer.send({ topic: 'orders', messages })
  }
  await producer.disconnect()
  await broker.kill()

  const killed = await verify(data, '--deep')
  assert.equal(killed.code, 0, killed.stdout + killed.stderr)
  assert.match(killed.stdout, /^the folder was not closed properly: the next start recovers its logs$/m)
  assert.match(killed.stdout, /^nothing is wrong$/m)
  assert.match(killed.stdout, / 4,\d{3} records/)

  const [last] = (await readdir(join(data, 'orders-0')))
    .filter((name) => name.endsWith('.log'))
    .toSorted()
    .toReversed()
  const file = join(data, 'orders-0', last!)
  const sizeBytes = (await stat(file)).size
  await writeFile(file, Buffer.alloc(100, 0xa5), { flag: 'a' })
  const torn = await verify(data)
  assert.equal(torn.code, 0, torn.stdout)
  assert.match(
    torn.stdout,
    new RegExp(`^torn tail +orders-0/${last}, byte ${sizeBytes}, offset 4000: .* the next start cuts 100 bytes$`, 'm'),
  )

  broker = await BrokerProcess.start({ data })
  await broker.stop()
  assert.equal((await stat(file)).size, sizeBytes)
  const stopped = await verify(data, '--deep')
  assert.equal(stopped.code, 0)
  assert.match(stopped.stdout, /^nothing is wrong$/m)
  assert.doesNotMatch(stopped.stdout, /not closed properly/)

  const metadata = join(data, '__cluster_metadata-0', (await readdir(join(data, '__cluster_metadata-0')))[0]!)
  const bytes = await readFile(metadata)
  bytes[100]! ^= 1
  await writeFile(metadata, bytes)
  const broken = await verify(data)
  assert.equal(broken.code, 1)
  assert.match(broken.stdout, /^damage +__cluster_metadata-0: .* is damaged at byte \d+.*no broker starts on it$/m)
})

test('a folder that is none, a topic that is not there and wrong options are told, with nothing done', async () => {
  const data = await closedFolder()
  const cases: [args: string[], status: number, says: RegExp][] = [
    [[join(root, 'nowhere')], 2, /is no data folder/],
    [[join(data, 'orders-0')], 2, /is no data folder/],
    [[data, '--topic', 'payments'], 2, /there is no log of payments/],
    [[data, '--topic', 'orders', '--partition', '7'], 2, /there is no log of orders-7/],
    [[data, '--partition', '0'], 2, /--partition goes with --topic/],
    [[data, '--topic', 'orders', '--partition', 'x'], 2, /A partition is a whole number/],
    [[], 2, /missing required argument 'data'/],
  ]
  for (const [args, status, says] of cases) {
    const { code, stderr } = await verify(...args)
    assert.equal(code, status, args.join(' '))
    assert.match(stderr, says)
  }
  assert.ok(!(await readdir(root)).includes('nowhere'))
})
