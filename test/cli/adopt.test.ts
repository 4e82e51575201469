// `odradek adopt` as its users meet it: what it prints, what it refuses, and how it ends. What it does to real data of Apache Kafka is in
// test/adopt.test.ts.

import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { metadataValue, writeMetadataLog } from '../../src/cluster/kraft-log.sim.ts'
import { realDisk } from '../../src/io/disk.real.ts'
import { partitionRecord, topicRecord } from '../../src/protocol/metadata-records.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { kafkaJs } from '../support/kafkajs-client.ts'
import { type Finished, run } from '../support/processes.ts'

const main = join(import.meta.dirname, '../../src/cli/main.ts')
const root = await mkdtemp(join(tmpdir(), 'odradek-cli-adopt-'))
after(() => rm(root, { recursive: true, force: true }))

const topicId = 'b3JkZXJzb3JkZXJzb3JkZQ'
let folders = 0

/** A data folder of a Kafka that was node 7 and had one topic without records. */
async function kafkaFolder(): Promise<string> {
  const folder = join(root, `kafka-${++folders}`)
  await realDisk.makeFolder(`${folder}/orders-0`)
  const files = {
    'meta.properties': '#\n#Thu Jan 01 00:00:00 UTC 2026\ncluster.id=WRGz3xh-QLSJO9k7oiLxjw\nnode.id=7\nversion=1\n',
    '.kafka_cleanshutdown': '{"version":0,"brokerEpoch":9}',
    'orders-0/partition.metadata': `version: 0\ntopic_id: ${topicId}`,
    'orders-0/00000000000000000000.log': '',
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  const partition = { topicId, partitionId: 0, replicas: [7], isr: [7], leader: 7, leaderEpoch: 2, partitionEpoch: 2 }
  await writeMetadataLog(realDisk, `${folder}/__cluster_metadata-0`, [
    [metadataValue(topicRecord, { name: 'orders', topicId }), metadataValue(partitionRecord, partition)],
  ])
  return folder
}

/** Where the system does not tell that nobody runs on the folder, the test knows. */
const force = process.platform === 'linux' ? [] : ['--force']

async function adopt(...args: readonly string[]): Promise<Finished> {
  return run(process.execPath, [main, 'adopt', ...force, ...args], { anyCode: true, cwd: root })
}

test('takes a folder over, says each step, and ends with the command that starts it', async (t) => {
  const folder = await kafkaFolder()
  const { code, stdout, stderr } = await adopt(folder)
  assert.equal(code, 0, stderr)
  assert.equal(stderr, '')
  assert.match(stdout, /cluster WRGz3xh-QLSJO9k7oiLxjw, node 7, stopped cleanly/)
  assert.match(stdout, /1 topic, 1 partition/)
  assert.match(stdout, /orders: without retention.ms of their own, .* 7 days/)
  assert.ok(stdout.endsWith(`Start it with: odradek start --data ${folder} --set node.id=7\n`), stdout)

  const broker = await BrokerProcess.start({ data: folder, settings: { 'node.id': '7' } })
  t.after(() => broker.stop())
  const admin = kafkaJs(broker.bootstrap).admin()
  await admin.connect()
  assert.deepEqual(await admin.listTopics(), ['orders'])
  await admin.disconnect()
})

test('finds folders and settings in server.properties, and says what must come along', async () => {
  const folder = await kafkaFolder()
  const config = join(root, 'server.properties')
  const lines = [`log.dirs=${folder}/`, 'node.id=7', 'log.retention.hours=-1', 'authorizer.class.name=x.Y']
  await writeFile(config, lines.join('\n'))
  const { code, stdout, stderr } = await adopt('--config', config, '--data', join(root, 'copy'), '--broker-id', '1')
  assert.equal(code, 0, stderr)
  assert.match(stdout, /server.properties sets log.retention.hours=-1. Topics without configs of their own follow it/)
  assert.match(
    stdout,
    /Before it starts, change in .*server.properties: setting 'authorizer.class.name' is not supported/,
  )
  assert.match(stdout, /Start it with: odradek start --data .*copy --config .* --set node.id=1\n$/)
  assert.ok((await readdir(join(root, 'copy'))).includes('orders-0'))
})

for (const { title, args, words } of [
  { title: 'no folder', args: [], words: /say which of Kafka's folders/ },
  { title: 'a broker id that is none', args: ['/kafka', '--broker-id', '-1'], words: /A broker id is a whole number/ },
  { title: 'an unknown way with unknown configs', args: ['/kafka', '--unknown-configs', 'guess'], words: /keep-all/ },
  { title: 'a config that is not there', args: ['--config', '/nowhere.properties'], words: /there is no such file/ },
]) {
  test(`${title} is wrong usage`, async () => {
    const { code, stdout, stderr } = await adopt(...args)
    assert.equal(code, 2)
    assert.equal(stdout, '')
    assert.match(stderr, words)
  })
}

test('every reason of a refusal is a line, and nothing is changed', async () => {
  const folder = await kafkaFolder()
  const before = await readdir(folder, { recursive: true })
  const { code, stdout, stderr } = await adopt(`${folder},/nowhere`, '--data', folder)
  assert.equal(code, 1)
  assert.equal(stdout, '')
  assert.match(stderr, /^odradek: .* lies in Kafka's own folder/)
  const missing = await adopt(`${folder},/nowhere`, '--data', join(root, 'unused'))
  assert.equal(missing.code, 1)
  assert.match(missing.stderr, /^odradek: \/nowhere is empty, or not there$/m)
  assert.deepEqual(await readdir(folder, { recursive: true }), before)
  assert.ok(!(await readdir(root)).includes('unused'))
})
