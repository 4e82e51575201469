// `odradek disk` as its users meet it: beside a running broker, after it stopped, and where there was never one.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { DiskReport } from '../../src/storage/disk/disk-report.ts'
import { BrokerProcess } from '../support/broker-process.ts'
import { kafkaJs } from '../support/kafkajs-client.ts'
import { type Finished, run } from '../support/processes.ts'
import { waitFor } from '../support/wait-for.ts'

const main = join(import.meta.dirname, '../../src/cli/main.ts')
const root = await mkdtemp(join(tmpdir(), 'odradek-disk-'))
after(() => rm(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }))

function disk(...args: string[]): Promise<Finished> {
  return run(process.execPath, [main, 'disk', ...args], { anyCode: true })
}

interface Shown extends DiskReport {
  readonly forecast: { readonly kind: string }
  readonly running: boolean
}

async function shown(data: string): Promise<Shown> {
  return JSON.parse((await disk('--data', data, '--json')).stdout) as Shown
}

test('what is used, by whom, what goes next, and the forecast, while a broker runs and after it', async (t) => {
  const data = join(root, 'data')
  const settings = { 'disk.budget': '64MiB' }
  const broker = await BrokerProcess.start({ data, settings })
  t.after(() => (broker.running ? broker.kill() : undefined))
  const kafka = kafkaJs(broker.bootstrap)
  const admin = kafka.admin()
  await admin.connect()
  const configEntries = [{ name: 'disk.budget.weight', value: '2' }]
  await admin.createTopics({ topics: [{ topic: 'orders', configEntries }, { topic: 'clicks' }], waitForLeaders: true })
  await admin.disconnect()
  const producer = kafka.producer()
  await producer.connect()
  const value = 'v'.repeat(100_000)
  for (let i = 0; i < 30; i++) await producer.send({ topic: 'orders', messages: [{ value }] })
  await producer.send({ topic: 'clicks', messages: [{ value: 'few' }] })
  await producer.disconnect()

  const first = await waitFor('a report of all that was sent', async () => {
    const report = await shown(data)
    return report.topics[0]!.bytes > 3_000_000 && report.topics.length === 2 && report
  })
  assert.equal(first.running, true)
  assert.equal(first.limits!.limitBytes, 64 * 1024 * 1024)
  const [orders, clicks] = first.topics
  assert.deepEqual([orders!.topic, orders!.weight, orders!.policy, clicks!.topic], ['orders', 2, 'delete', 'clicks'])
  assert.ok(orders!.segments >= 2 && orders!.rate.minute > 0)
  assert.equal(first.next[0]!.log, 'orders-0')
  assert.equal(first.forecast.kind, 'fills')

  const { stdout, code } = await disk('--data', data, '--next', '1')
  assert.equal(code, 0)
  assert.match(stdout, /MiB used, of a budget of 64\.0 MiB/)
  assert.match(stdout, /a broker is running/)
  assert.match(stdout, /Forecast: the budget is full in .* at this rate/)
  assert.match(stdout, /^orders +\d+\.\d MiB +1 +\d+ +\d+ s +2 +delete/m)
  assert.match(stdout, /^orders-0 +0 to \d+ +\d+(\.\d)? [KM]iB/m)
  assert.equal(stdout.match(/^orders-0/gm)?.length, 1)

  await broker.stop()
  assert.equal((await shown(data)).running, false)
  assert.match((await disk('--data', data)).stdout, /no broker is running/)
})

test('without a report it says what to do', async () => {
  const { code, stdout, stderr } = await disk('--data', join(root, 'nowhere'))
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(stderr, /no disk-report\.json in .*nowhere: .*odradek start --data/)
})

test('what it does not know it refuses', async () => {
  const { code, stderr } = await disk('--next', 'many')
  assert.equal(code, 2)
  assert.match(stderr, /How many is a number/)
})
