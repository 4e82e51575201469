// `npm run bench`: Odradek and Apache Kafka beside each other on this machine, the same load on both, in turn; the probe is the machine's
// own limit. Prints each row as it is measured and writes the report: RESULTS.md, results.json, results.svg.

import { dirname, join } from 'node:path'
import { machine } from './machine.ts'
import { type Options, readOptions, usage } from './options.ts'
import { apacheKafka } from './peers/apache-kafka.ts'
import { diskSpeed } from './peers/disk-speed.ts'
import { odradek } from './peers/odradek.ts'
import type { PeerName } from './peers/peer.ts'
import { probe } from './peers/probe.ts'
import { printRow, printSummary } from './report/console.ts'
import { digits } from './report/numbers.ts'
import type { RowResult, RunResult } from './report/result.ts'
import { readResult, writeReport } from './report/write.ts'
import { type Contender, type Ground, measureRow, messageOf } from './rounds.ts'
import { StandingBrokers } from './standing-brokers.ts'
import { workingFolder } from './working-folder.ts'
import { rows } from './workloads/rows.ts'
import type { Row } from './workloads/workload.ts'

const options = optionsOrExit()
if (options.report !== undefined) {
  const run = readResult(options.report)
  writeReport(dirname(options.report), run)
  printSummary(run)
} else if (options.list) {
  for (const { id, title } of wantedRows()) console.log(`${id.padEnd(64)}${title}`)
} else {
  await bench()
}

function optionsOrExit(): Options {
  try {
    return readOptions(process.argv.slice(2))
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${usage}`)
    return process.exit(2)
  }
}

/** Those that start brokers of their own come last: the standing ones are stopped for them. */
function wantedRows(): Row[] {
  const wanted = rows.filter(options.isWanted)
  const cost = (row: Row): number => (row.brokers === 'own' ? 2 : row.brokerCounts === undefined ? 0 : 1)
  return wanted.toSorted((a, b) => cost(a) - cost(b))
}

async function bench(): Promise<void> {
  const folder = workingFolder()
  const started = performance.now()
  const startedAt = new Date().toISOString()
  const { contenders, versions } = await contendersOf(options.peers)
  const setting = machine(diskSpeed(folder))
  console.log(`${setting.cores} cores of ${setting.processor}`)
  for (const [name, value] of Object.entries(setting.disk)) console.log(`disk: ${name}: ${digits(value)}`)

  const standing = new StandingBrokers({
    folder,
    warmSeconds: options.quick ? 0 : 10,
    ...(options.profile ? { profile: join(import.meta.dirname, 'profile') } : {}),
  })
  const ground: Ground = {
    rounds: options.rounds,
    warmSeconds: options.warmSeconds,
    seconds: options.seconds,
    quick: options.quick,
    folder,
    standing,
  }

  const results: RowResult[] = []
  const result = (): RunResult => ({
    startedAt,
    minutes: (performance.now() - started) / 60_000,
    rounds: options.rounds,
    secondsPerRound: options.seconds,
    machine: setting,
    versions,
    rows: inOrderOfReport(results),
  })
  const wanted = wantedRows()
  for (const [index, row] of wanted.entries()) {
    if (row.brokers === 'own') await standing.stopBrokers()
    const measured = await measureRow(
      row,
      contenders.filter((contender) => takesPart(row, contender)),
      ground,
    )
    const { id, section, title } = row
    const goals = row.goals.filter(({ against }) => options.peers.includes(against))
    const rowResult = { id, section, title, goals, ...measured }
    results.push(rowResult)
    printRow(rowResult, { position: `${index + 1}/${wanted.length}`, minutes: result().minutes })
    // After each row, so that an interrupted run has its report too.
    writeReport(options.out, result())
  }
  await standing.stop()
  printSummary(result())
  console.log(`the report is ${join(options.out, 'RESULTS.md')}`)
}

/** A peer that is not to be had here is left out, and said so. */
async function contendersOf(
  names: readonly PeerName[],
): Promise<{ contenders: Contender<PeerName>[]; versions: Partial<Record<PeerName, string>> }> {
  const all = { odradek, kafka: apacheKafka, probe }
  const contenders: Contender<PeerName>[] = []
  const versions: Partial<Record<PeerName, string>> = {}
  for (const label of names) {
    try {
      const peer = all[label]()
      versions[label] = await peer.version()
      contenders.push({ label, peer })
    } catch (error) {
      console.error(`${label} is left out: ${messageOf(error)}`)
    }
  }
  return { contenders, versions }
}

function takesPart({ peers, goals }: Row, { peer }: Contender): boolean {
  if (peers !== undefined) return peers.includes(peer.name)
  return peer.name !== 'probe' || goals.some(({ against }) => against === 'probe')
}

function inOrderOfReport(results: readonly RowResult[]): RowResult[] {
  const position = new Map(rows.map(({ id }, index) => [id, index]))
  return results.toSorted((a, b) => position.get(a.id)! - position.get(b.id)!)
}
