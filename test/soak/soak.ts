// A broker under load for as long as one likes: small segments, retention, compaction, a disk budget, kill -9 again and again, real
// clients. Nothing acknowledged may be lost, and what the broker holds (memory, files, disk) may not grow.

import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Admin } from 'kafkajs'
import { BrokerProcess } from '../support/broker-process.ts'
import { kafkaJs } from '../support/kafkajs-client.ts'
import { pause, waitFor } from '../support/wait-for.ts'
import { type Vitals, vitalsOf } from './vitals.ts'
import { Kept, Rolling, Table } from './workloads.ts'

const settings = {
  'log.retention.check.interval.ms': '1000',
  'log.initial.task.delay.ms': '500',
  'log.cleaner.backoff.ms': '500',
  'log.cleaner.dedupe.buffer.size': '4194304',
  'offsets.topic.num.partitions': '2',
  'offsets.topic.segment.bytes': '200000',
  'disk.budget': '400MiB',
  'log.scrub.io.max.bytes.per.second': '20000000',
}

export interface SoakOptions {
  readonly seconds: number
  /** Between two kills, about; in the last fifth of the time there is none. */
  readonly killEverySeconds: number
  readonly say: (line: string) => void
}

export interface SoakReport {
  readonly kills: number
  readonly records: Readonly<Record<string, number>>
  readonly tableRecordsHeld: number
  readonly samples: readonly (Vitals & { readonly seconds: number })[]
}

/** Rejects with the first thing that is wrong. */
export async function soak({ seconds, killEverySeconds, say }: SoakOptions): Promise<SoakReport> {
  const data = await mkdtemp(join(tmpdir(), 'odradek-soak-'))
  let broker = await BrokerProcess.start({ data, settings })
  const { bootstrap, port } = broker
  const kafka = kafkaJs(bootstrap, { requestTimeout: 10_000 })
  const admin = kafka.admin({ retry: { initialRetryTime: 50, maxRetryTime: 1000, retries: 100 } })
  const samples: (Vitals & { seconds: number })[] = []
  let kills = 0
  try {
    await admin.connect()
    await createTopics(admin)
    const kept = await Kept.start(kafka)
    const rolling = await Rolling.start(kafka, bootstrap)
    const table = await Table.start(kafka)
    const begin = performance.now()
    const elapsed = () => (performance.now() - begin) / 1000
    let nextKill = killEverySeconds
    let nextCheck = killEverySeconds / 2
    while (elapsed() < seconds) {
      await pause(Math.min(1000, seconds * 20))
      const vitals = await vitalsOf(broker.pid, data)
      assert.ok(vitals !== null, `the broker ended by itself\n${broker.output.slice(-5000)}`)
      samples.push({ seconds: elapsed(), ...vitals })
      await rolling.watchCommitted(admin)
      if (elapsed() > nextCheck) {
        const held = await table.check(admin)
        say(lineOf(samples.at(-1)!, kills, held, [kept.records, rolling.records, table.records]))
        nextCheck = elapsed() + killEverySeconds
      }
      if (elapsed() > nextKill && elapsed() < seconds * 0.8) {
        await broker.kill()
        kills += 1
        broker = await BrokerProcess.start({ data, settings, port })
        nextKill = elapsed() + killEverySeconds * (0.5 + Math.random())
      }
    }
    await kept.stop()
    await rolling.stop()
    await waitForCompaction(table, admin)
    const tableRecordsHeld = await table.check(admin)
    await table.stop()
    await kept.check(admin)
    const records = { kept: kept.records, rolling: rolling.records, table: table.records }
    await admin.disconnect()
    await broker.stop()
    return { kills, records, tableRecordsHeld, samples }
  } catch (error) {
    say(`the broker said last:\n${broker.output.slice(-5000)}`)
    await broker.kill()
    throw error
  } finally {
    await rm(data, { recursive: true, force: true })
  }
}

/** What the later part of a soak holds at most must not be more than what the earlier part did. */
export function assertNoGrowth(samples: SoakReport['samples'], what: keyof Vitals, slack: number): void {
  const end = samples.at(-1)!.seconds
  const greatest = (from: number, to: number) =>
    Math.max(
      ...samples.filter(({ seconds }) => seconds >= from * end && seconds < to * end).map((sample) => sample[what]),
    )
  const early = greatest(0.3, 0.6)
  const late = greatest(0.7, 1.01)
  assert.ok(late <= early * slack, `${what} grew from ${early} to ${late}`)
}

async function createTopics(admin: Admin): Promise<void> {
  const topics = [Kept.topic, Rolling.topic, Table.topic].map(({ name, partitions, configs }) => ({
    topic: name,
    numPartitions: partitions,
    configEntries: Object.entries(configs).map(([configName, value]) => ({ name: configName, value })),
  }))
  await admin.createTopics({ topics, waitForLeaders: true })
}

/** Segments that nobody writes to any more are compacted in the end. */
async function waitForCompaction(table: Table, admin: Admin): Promise<void> {
  await waitFor('the table to be compacted', async () => (await table.check(admin)) < Table.keys * 12, 60_000)
}

export function lineOf(sample: SoakReport['samples'][number], kills: number, held: number, records: number[]): string {
  const { seconds, rssBytes, openFiles, files, dataBytes } = sample
  const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`
  return (
    `${seconds.toFixed(0).padStart(4)} s  kills ${kills}  rss ${mb(rssBytes)}  open files ${openFiles}  files ${files}  ` +
    `data ${mb(dataBytes)}  written ${records.join('/')}  table holds ${held}`
  )
}
