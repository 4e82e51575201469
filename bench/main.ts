// `npm run bench`: a broker in its own process, the load generator in another, a table of what came out.
//   npm run bench                        a fresh broker on this machine
//   npm run bench -- --profile           the same, and the broker writes a CPU profile into bench/profile/
//   npm run bench -- --megabytes 256     how much each row sends (default 512)
//   npm run bench -- --only 'page cache' the rows whose names match
// These machines are noisy and the first touch of memory is slow: every row is warmed up first. Read ratios, not figures.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import type { Load, LoadResult } from './load.ts'

const { values: args } = parseArgs({
  options: {
    profile: { type: 'boolean', default: false },
    megabytes: { type: 'string', default: '512' },
    only: { type: 'string', default: '' },
  },
})
const totalBytes = Number(args.megabytes) * 1_000_000
const root = join(import.meta.dirname, '..')

interface Row {
  readonly name: string
  readonly load: Omit<Load, 'bootstrap' | 'topic' | 'kind' | 'totalBytes'>
  readonly settings: readonly string[]
}

const KIB = 1024
const rows: readonly Row[] = [
  { name: '16 KiB batches, acks=all', load: load(1, 16 * KIB, -1), settings: [] },
  { name: '16 KiB batches, acks=all, 16 partitions', load: load(16, 16 * KIB, -1), settings: [] },
  { name: '1 MiB batches, acks=all', load: load(1, 1024 * KIB, -1), settings: [] },
  { name: '16 KiB batches, acks=1', load: load(1, 16 * KIB, 1), settings: [] },
  {
    name: '16 KiB batches, acks=all, page cache',
    load: load(1, 16 * KIB, -1),
    settings: ['log.flush.policy=page-cache'],
  },
  {
    name: '1 MiB batches, acks=all, page cache',
    load: load(1, 1024 * KIB, -1),
    settings: ['log.flush.policy=page-cache'],
  },
]

function load(partitions: number, batchBytes: number, acks: number): Row['load'] {
  return { partitions, recordBytes: 1024, batchBytes, acks, inFlight: 5 }
}

interface Broker {
  readonly process: ChildProcess
  readonly bootstrap: string
  readonly readyMs: number
}

async function startBroker(data: string, settings: readonly string[]): Promise<Broker> {
  const started = performance.now()
  const profile = args.profile ? ['--cpu-prof', `--cpu-prof-dir=${join(root, 'bench/profile')}`] : []
  const flags = [
    'src/cli/main.ts',
    'start',
    '--port',
    '0',
    '--data',
    data,
    ...settings.flatMap((pair) => ['--set', pair]),
  ]
  const child = spawn(process.execPath, [...profile, ...flags], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout })) {
    const ready = /ready, listening on (\S+:\d+)/.exec(line)
    if (ready?.[1] === undefined) continue
    child.stdout.resume()
    return { process: child, bootstrap: ready[1], readyMs: performance.now() - started }
  }
  throw new Error('the broker did not start')
}

async function stopBroker({ process: child }: Broker): Promise<number> {
  const started = performance.now()
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
  return performance.now() - started
}

async function run(load: Load): Promise<LoadResult> {
  const child = spawn(process.execPath, [join(root, 'bench/load.ts'), JSON.stringify(load)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (text: Buffer) => (output += text.toString()))
  const [code] = (await once(child, 'exit')) as [number]
  if (code !== 0) throw new Error(`the load generator ended with ${code}`)
  return JSON.parse(output === '' ? '{}' : output) as LoadResult
}

/** User and system seconds of a process, from /proc; 0 where there is none. */
function cpuSeconds(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    return (Number(fields[11]) + Number(fields[12])) / 100
  } catch {
    return 0
  }
}

function memoryMegabytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  try {
    const kilobytes = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(kilobytes ?? 0) / 1024
  } catch {
    return 0
  }
}

function line(cells: readonly (string | number)[]): void {
  const widths = [46, 9, 9, 11, 9, 9, 10]
  const text = cells.map((cell, index) => {
    const shown = typeof cell === 'number' ? cell.toFixed(cell < 10 ? 2 : 0) : cell
    return index === 0 ? shown.padEnd(widths[0] ?? 0) : shown.padStart(widths[index] ?? 0)
  })
  process.stdout.write(`${text.join('')}\n`)
}

async function measure(row: Row): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), 'odradek-bench-'))
  const broker = await startBroker(data, row.settings)
  const pid = broker.process.pid as number
  try {
    const base = { ...row.load, bootstrap: broker.bootstrap }
    for (const [topic, bytes] of [
      ['warm', totalBytes / 4],
      ['bench', totalBytes],
    ] as const) {
      await run({ ...base, topic, kind: 'create', totalBytes: 0 })
      for (const kind of ['produce', 'fetch'] as const) {
        const before = cpuSeconds(pid)
        const result = await run({ ...base, topic, kind, totalBytes: bytes })
        if (topic === 'warm') continue
        line([
          `${kind} ${row.name}`,
          result.bytes / 1e6 / result.seconds,
          result.records / 1e3 / result.seconds,
          (cpuSeconds(pid) - before) / (result.bytes / 1e9),
          result.latencyP50Ms,
          result.latencyP99Ms,
          memoryMegabytes(pid, 'VmHWM'),
        ])
      }
    }
  } finally {
    await stopBroker(broker)
    rmSync(data, { recursive: true, force: true })
  }
}

const data = mkdtempSync(join(tmpdir(), 'odradek-bench-'))
const idle = await startBroker(data, [])
const idleMegabytes = memoryMegabytes(idle.process.pid as number, 'VmRSS')
const stopMs = await stopBroker(idle)
rmSync(data, { recursive: true, force: true })
process.stdout.write(
  `ready after ${idle.readyMs.toFixed(0)} ms, ${idleMegabytes.toFixed(0)} MB idle, stopped in ${stopMs.toFixed(0)} ms\n\n`,
)
line(['1 KiB records', 'MB/s', 'krec/s', 'CPU s/GB', 'p50 ms', 'p99 ms', 'peak MB'])
for (const row of rows) if (new RegExp(args.only).test(row.name)) await measure(row)
