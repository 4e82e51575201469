// What `npm run bench` can be told.

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { PeerName } from './peers/peer.ts'
import type { Row } from './workloads/workload.ts'

export const usage = `npm run bench -- [options]
  --only REGEX      rows whose ids match (see --list)
  --full            every combination of the produce workloads: hours
  --rounds N        counted rounds of each row, after one that warms up (default 3)
  --seconds N       how long a round of steady work is measured (default 2)
  --peers LIST      of odradek,kafka,probe (default all)
  --quick           one round of one second on small amounts: whether it runs, not how fast
  --out FOLDER      where RESULTS.md, results.json and results.svg go (default bench/, or a folder for temporary files when
                    the run is not a whole one)
  --profile         Odradek's standing brokers write CPU profiles into bench/profile/ (read them with bench/profile-top.ts)
  --list            the ids and titles of the rows that would be measured, and nothing more
  --report JSON     draws RESULTS.md and results.svg again, beside this results.json`

const peerNames = ['odradek', 'kafka', 'probe'] as const satisfies readonly PeerName[]

export interface Options {
  readonly rounds: number
  readonly warmSeconds: number
  readonly seconds: number
  readonly peers: readonly PeerName[]
  readonly quick: boolean
  readonly out: string
  readonly profile: boolean
  readonly list: boolean
  readonly report?: string
  readonly isWanted: (row: Row) => boolean
}

/** Throws on what it does not understand. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      full: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      peers: { type: 'string' },
      quick: { type: 'boolean', default: false },
      out: { type: 'string' },
      profile: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      report: { type: 'string' },
    },
  })
  const { only, full, quick } = values
  const pattern = only === undefined ? undefined : new RegExp(only)
  const isWhole = only === undefined && values.peers === undefined && !quick
  return {
    rounds: positive('rounds', values.rounds ?? (quick ? '1' : '3')),
    warmSeconds: quick ? 0.3 : 1,
    seconds: positive('seconds', values.seconds ?? (quick ? '1' : '2')),
    peers: values.peers === undefined ? peerNames : values.peers.split(',').map(peerName),
    quick,
    out: values.out ?? (isWhole ? import.meta.dirname : join(tmpdir(), 'odradek-bench-results')),
    profile: values.profile,
    list: values.list,
    ...(values.report === undefined ? {} : { report: values.report }),
    isWanted: (row) => (full || row.fullOnly !== true) && (pattern === undefined || pattern.test(row.id)),
  }
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`--${name} is to be a number above 0, not '${text}'`)
  return value
}

function peerName(text: string): PeerName {
  const name = peerNames.find((each) => each === text)
  if (name === undefined) throw new Error(`there is no peer '${text}', only ${peerNames.join(', ')}`)
  return name
}
