// What committed offsets cost: commits and appends a second, how long a commit takes, and the broker's processor time; on disk, with an
// fsync before every answer. `node bench/groups/commits.ts [--against <folder of another tree>] [--seconds 5] [--only NAME] [--profile]`.
// With --against both trees take turns, so that what else the machine does meets both alike.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { BrokerProcess, root } from '../broker-process.ts'
import { printMachine } from '../measured.ts'
import type { CommitLoad, CommitLoadResult } from './commit-load.ts'
import { LoadProcess } from './load-process.ts'
import { writtenOffsets } from './offsets-log.ts'

const { values } = parseArgs({
  options: {
    against: { type: 'string' },
    seconds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    profile: { type: 'boolean', default: false },
  },
})
const seconds = Number(values.seconds)

interface Row {
  readonly name: string
  readonly load: Pick<CommitLoad, 'groups' | 'connections' | 'rate' | 'inFlight'>
  readonly settings: readonly string[]
}
const one = ['offsets.topic.num.partitions=1']
const rows: readonly Row[] = [
  { name: 'one at a time', load: { groups: 1, connections: 1, rate: null, inFlight: 1 }, settings: [] },
  { name: '1,000 a second', load: { groups: 1_000, connections: 1_000, rate: 1_000, inFlight: 0 }, settings: [] },
  { name: '4,000 a second', load: { groups: 1_000, connections: 1_000, rate: 4_000, inFlight: 0 }, settings: [] },
  { name: '10,000 a second', load: { groups: 1_000, connections: 1_000, rate: 10_000, inFlight: 0 }, settings: [] },
  {
    name: '10,000 a second, 1 partition',
    load: { groups: 1_000, connections: 1_000, rate: 10_000, inFlight: 0 },
    settings: one,
  },
  { name: '1,000 waiting', load: { groups: 1_000, connections: 1_000, rate: null, inFlight: 1_000 }, settings: [] },
  {
    name: '1,000 waiting, 1 partition',
    load: { groups: 1_000, connections: 1_000, rate: null, inFlight: 1_000 },
    settings: one,
  },
]

async function measure(row: Row, tree: string): Promise<readonly string[]> {
  const data = mkdtempSync(join(tmpdir(), 'odradek-commits-'))
  const nodeFlags = values.profile ? ['--cpu-prof', '--cpu-prof-dir', join(root, 'bench/profile')] : []
  const load = new LoadProcess('commit-load.ts')
  const broker = await BrokerProcess.start({ data, settings: row.settings, nodeFlags, tree })
  try {
    const cpuBefore = broker.cpuSeconds()
    const question: CommitLoad = { bootstrap: broker.bootstrap, seconds, ...row.load }
    const result = (await load.ask(question)) as CommitLoadResult
    const cpu = broker.cpuSeconds() - cpuBefore
    await broker.stop()
    const written = writtenOffsets(data)
    const appendsPerSecond = (written.batches / written.records) * (result.commits / result.seconds)
    return [
      (result.commits / result.seconds).toFixed(0),
      appendsPerSecond.toFixed(0),
      (written.records / written.batches).toFixed(1),
      result.p50Ms.toFixed(1),
      result.p99Ms.toFixed(1),
      result.maxMs.toFixed(0),
      ((cpu / written.records) * 1_000_000).toFixed(0),
    ]
  } finally {
    await load.end()
    await broker.kill()
    rmSync(data, { recursive: true, force: true })
  }
}

printMachine()
const trees = values.against === undefined ? [root] : [values.against, root]
const heads = ['commits/s', 'appends/s', 'per append', 'p50 ms', 'p99 ms', 'max ms', 'CPU us']
const width = Math.max(...rows.map(({ name }) => name.length)) + 2
console.log(''.padEnd(width + 8) + heads.map((head) => head.padStart(12)).join(''))
for (const row of rows) {
  if (!row.name.includes(values.only)) continue
  for (const tree of trees) {
    const cells = await measure(row, tree)
    const which = trees.length === 1 ? '' : tree === root ? 'here' : 'other'
    console.log(row.name.padEnd(width) + which.padEnd(8) + cells.map((cell) => cell.padStart(12)).join(''))
  }
}
