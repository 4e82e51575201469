// `odradek verify`: is everything in a data folder whole? It looks, and changes nothing.

import { Command, InvalidArgumentError } from 'commander'
import { DiskError, type DiskLock } from '../io/disk.ts'
import { realDisk } from '../io/disk.real.ts'
import { lockHolderOf } from '../io/file-lock-holder.ts'
import { lockFile } from '../start/adopt/kafka-folder.ts'
import type { Finding } from '../storage/verify/finding.ts'
import { isDataFolder, type Verified, verifyDirectory } from '../storage/verify/verify-directory.ts'
import { EXIT_DAMAGE, EXIT_NOT_VERIFIED, EXIT_USAGE } from './exit-status.ts'
import { verifyMetadata } from './verify-metadata.ts'
import { findingLine, ProgressLine, summaryLines } from './verify-report.ts'

interface VerifyOptions {
  readonly deep?: boolean
  readonly topic?: string
  readonly partition?: number
  readonly json?: boolean
}

const exitCodes = `
Exit status: 0 when no record is lost or wrong, ${EXIT_DAMAGE} when some are, ${EXIT_USAGE} for a wrong command line, ${EXIT_NOT_VERIFIED} when the folder could not be
looked at. What a stop left behind, and what a broker builds again by itself, is reported and is no damage.

For example: odradek verify ./odradek-data --deep`

export function verifyCommand(): Command {
  return new Command('verify')
    .description('Check a data folder that no broker uses: every batch, index and checkpoint. Nothing is changed.')
    .argument('<data>', 'the data folder')
    .option('--deep', 'look inside batches, too: unpack them and read every record')
    .option('--topic <name>', 'only the logs of this topic')
    .option('--partition <number>', 'only this partition of --topic', partitionNumber)
    .option('--json', 'one JSON object instead of lines')
    .addHelpText('after', exitCodes)
    .action((data: string, options: VerifyOptions) => run(data, options))
}

async function run(data: string, options: VerifyOptions): Promise<void> {
  if (options.partition !== undefined && options.topic === undefined) end(EXIT_USAGE, '--partition goes with --topic')
  try {
    if (!(await isDataFolder(realDisk, data))) {
      end(EXIT_USAGE, `${data} is no data folder: there are neither logs nor meta.properties`)
    }
    const lock = await lockOrEnd(data)
    const release = () => lock?.release() ?? Promise.resolve()
    // Its socket in the folder goes with it.
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        void release().finally(() => process.exit(EXIT_NOT_VERIFIED))
      })
    }
    try {
      process.exitCode = await verify(data, options)
    } finally {
      await release()
    }
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    end(EXIT_NOT_VERIFIED, `${data} cannot be read: ${error.message}`)
  }
}

/** Null where nobody can hold a lock, and nobody write: on a file system that is mounted read-only. */
async function lockOrEnd(data: string): Promise<DiskLock | null> {
  const holder = await lockHolderOf(`${data}/${lockFile}`)
  if (holder.kind === 'process') {
    end(EXIT_NOT_VERIFIED, `${data} is in use by process ${holder.pid}; stop it, then verify`)
  }
  try {
    const lock = await realDisk.lock(data)
    if (lock === null) end(EXIT_NOT_VERIFIED, `${data} is in use by a broker; stop it, then verify`)
    return lock
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    if (error.code !== 'EROFS') end(EXIT_NOT_VERIFIED, `the lock of ${data} cannot be taken: ${error.message}`)
    process.stderr.write(`odradek: ${data} is read-only here and was not locked; no broker may use it elsewhere\n`)
    return null
  }
}

/** Answers the exit status. */
async function verify(data: string, options: VerifyOptions): Promise<number> {
  const startedAt = performance.now()
  const { topic, partition, deep = false, json = false } = options
  const metadata = await verifyMetadata(realDisk, data)
  const progress = !json && process.stderr.isTTY ? new ProgressLine(process.stderr) : null
  const print = (findings: readonly Finding[]) => {
    if (json || findings.length === 0) return
    progress?.clear()
    for (const finding of findings) process.stdout.write(`${findingLine(finding, process.stdout.isTTY)}\n`)
  }
  if (topic === undefined) print(metadata.findings.list)
  const found = await verifyDirectory({
    disk: realDisk,
    path: data,
    deep,
    ...(topic !== undefined && { wanted: wantedLogs(topic, partition) }),
    ...(metadata.topicOf !== null && { topicOf: metadata.topicOf }),
    onChecked: print,
    ...(progress !== null && { onProgress: (now) => progress.show(now) }),
  })
  progress?.clear()
  if (topic !== undefined && found.logs === 0) {
    process.stderr.write(`odradek: there is no log of ${partition === undefined ? topic : `${topic}-${partition}`}\n`)
    return EXIT_USAGE
  }
  const verified = topic === undefined ? withMetadata(found, metadata.findings) : found
  const seconds = (performance.now() - startedAt) / 1000
  if (json) process.stdout.write(`${JSON.stringify({ data, deep, seconds, ...verified })}\n`)
  else process.stdout.write(`${summaryLines(verified, seconds).join('\n')}\n`)
  return verified.counts.damage > 0 ? EXIT_DAMAGE : 0
}

function withMetadata(found: Verified, { list }: { readonly list: readonly Finding[] }): Verified {
  const counts = { ...found.counts }
  for (const { severity } of list) counts[severity]++
  return { ...found, counts, findings: [...list, ...found.findings] }
}

function wantedLogs(topic: string, partition: number | undefined) {
  return (name: string, index: number) => name === topic && (partition === undefined || index === partition)
}

function partitionNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('A partition is a whole number.')
  return Number(text)
}

function end(status: number, problem: string): never {
  process.stderr.write(`odradek: ${problem}\n`)
  process.exit(status)
}
