// A data folder that no broker uses, as a whole: whose it is, what its checkpoints say, and each of its logs, several at a time. Nothing
// is changed. Memory is bounded by the number of logs at a time: a window each, the producers of each, and the findings.

import { type Disk, DiskError } from '../../io/disk.ts'
import { CheckpointFormatError, decodeOffsetCheckpoint, type OffsetCheckpoint } from '../checkpoint-file.ts'
import { checkpointFileNames } from '../directory-checkpoints.ts'
import { cleanShutdownName, metaPropertiesName } from '../directory-start.ts'
import { Gate } from '../gate.ts'
import { deleteSuffix, parseLogFolderName } from '../log-folder-name.ts'
import { decodeMetaProperties } from '../meta-properties.ts'
import { type Finding, Findings, type Severity } from './finding.ts'
import { type LogTotals, type TopicFacts, verifyLog } from './verify-log.ts'

const windowBytes = 1 << 20
const logsAtOnceDefault = 4

export interface VerifyOptions {
  readonly disk: Disk
  readonly path: string
  /** Look inside batches, too. */
  readonly deep?: boolean
  /** Only logs for which it is true. Default: all. */
  readonly wanted?: (topicName: string, partition: number) => boolean
  /** What the cluster's metadata says of a log's topic; null: it does not know it. Left out: nobody knows. */
  readonly topicOf?: (topicName: string, partition: number) => TopicFacts | null
  readonly logsAtOnce?: number
  /** Each log's findings, as soon as it is checked; those of the folder itself come first, without a name. */
  readonly onChecked?: (findings: readonly Finding[], name: string | null) => void
  readonly onProgress?: (progress: Progress) => void
}

export interface Progress {
  readonly bytes: number
  readonly bytesTotal: number
  readonly logs: number
  readonly logsTotal: number
}

export interface Verified extends LogTotals {
  readonly logs: number
  readonly clean: boolean
  readonly counts: Readonly<Record<Severity, number>>
  readonly findings: readonly Finding[]
  /** Findings that are counted but, being too many of one log, not listed. */
  readonly notListed: number
}

/** Whether a broker would take the folder for its data. */
export async function isDataFolder(disk: Disk, path: string): Promise<boolean> {
  const entries = await disk.list(path)
  return entries.some(
    ({ name, kind }) => (kind === 'file' && name === metaPropertiesName) || (kind === 'folder' && isLog(name)),
  )
}

/** The caller holds the folder's lock. Rejects with the disk's faults of the folder itself; what lies in it never makes it reject. */
export async function verifyDirectory(options: VerifyOptions): Promise<Verified> {
  return new DirectoryVerifier(options).run()
}

class DirectoryVerifier {
  readonly #options: VerifyOptions
  readonly #totals: LogTotals = { segments: 0, batches: 0, records: 0, bytes: 0 }
  readonly #counts: Record<Severity, number> = { damage: 0, tornTail: 0, repairable: 0, leftover: 0, notice: 0 }
  readonly #findings: Finding[] = []
  readonly #windows: Buffer[] = []
  #notListed = 0
  #logs = 0
  #bytes = 0

  constructor(options: VerifyOptions) {
    this.#options = options
  }

  async run(): Promise<Verified> {
    const { disk, path, wanted, logsAtOnce = logsAtOnceDefault } = this.#options
    const entries = await disk.list(path)
    const folders = entries.filter(({ kind }) => kind === 'folder').map(({ name }) => name)
    const all = folders.filter(isLog)
    const names = all.filter((name) => {
      const { topicName, partition } = parseLogFolderName(name)!
      return wanted?.(topicName, partition) ?? true
    })
    const clean = entries.some(({ name }) => name === cleanShutdownName)
    const rootFindings = new Findings()
    if (wanted === undefined) {
      reportLeftovers(folders, rootFindings)
      await this.#checkMetaProperties(rootFindings)
    }
    const checkpoints = await this.#readCheckpoints(rootFindings)
    if (wanted === undefined) reportLogsThatAreGone(checkpoints, new Set(all), clean, rootFindings)
    this.#take(rootFindings, null)
    const bytesTotal = await this.#sizeOf(names)
    const gate = new Gate(logsAtOnce)
    await Promise.all(
      names.map((name) =>
        gate.run(async () => {
          await this.#verifyLog(name, clean, checkpoints, { bytesTotal, logsTotal: names.length })
        }),
      ),
    )
    return {
      ...this.#totals,
      logs: this.#logs,
      clean,
      counts: this.#counts,
      findings: this.#findings,
      notListed: this.#notListed,
    }
  }

  async #verifyLog(
    name: string,
    clean: boolean,
    checkpoints: Checkpoints,
    totals: { readonly bytesTotal: number; readonly logsTotal: number },
  ): Promise<void> {
    const { disk, path, deep = false, topicOf, onProgress } = this.#options
    const { topicName, partition } = parseLogFolderName(name)!
    const findings = new Findings(`${name}/`)
    const window = this.#windows.pop() ?? Buffer.allocUnsafe(windowBytes)
    const report = () => onProgress?.({ bytes: this.#bytes, logs: this.#logs, ...totals })
    const found = await verifyLog({
      disk,
      folder: `${path}/${name}`,
      topic: topicOf === undefined ? null : (topicOf(topicName, partition) ?? 'none'),
      clean,
      recoveryPoint: checkpoints.recoveryPoints.get(name) ?? null,
      highWatermark: checkpoints.highWatermarks.get(name) ?? null,
      logStartOffset: checkpoints.logStarts.get(name) ?? null,
      cleanedTo: checkpoints.cleaned.get(name) ?? null,
      deep,
      window,
      findings,
      progress: (bytes) => {
        this.#bytes += bytes
        report()
      },
    })
    this.#windows.push(window)
    this.#logs++
    for (const key of ['segments', 'batches', 'records', 'bytes'] as const) this.#totals[key] += found[key]
    this.#take(findings, name)
    report()
  }

  #take(findings: Findings, name: string | null): void {
    for (const [severity, count] of Object.entries(findings.counts)) this.#counts[severity as Severity] += count
    this.#notListed += findings.notListed
    this.#findings.push(...findings.list)
    this.#options.onChecked?.(findings.list, name)
  }

  async #checkMetaProperties(findings: Findings): Promise<void> {
    const bytes = await this.#options.disk.readFile(`${this.#options.path}/${metaPropertiesName}`)
    if (bytes === null) {
      findings.add('repairable', metaPropertiesName, 'is missing', 'the next start takes the folder for its own')
      return
    }
    const { clusterId, nodeId, directoryId } = decodeMetaProperties(bytes)
    const missing = Object.entries({ 'cluster.id': clusterId, 'node.id': nodeId, 'directory.id': directoryId })
      .filter(([, value]) => value === null)
      .map(([name]) => name)
    if (missing.length === 0) return
    const what = `${missing.join(', ')} is missing or makes no sense`
    findings.add('repairable', metaPropertiesName, what, 'the next start writes what is missing')
  }

  async #readCheckpoints(findings: Findings): Promise<Checkpoints> {
    const read = async (name: keyof typeof fileNames): Promise<OffsetCheckpoint> => {
      const bytes = await this.#options.disk.readFile(`${this.#options.path}/${fileNames[name]}`)
      // Kafka makes them empty.
      if (bytes === null || bytes.length === 0) return new Map()
      try {
        return decodeOffsetCheckpoint(bytes)
      } catch (error) {
        if (!(error instanceof CheckpointFormatError)) throw error
        findings.add('repairable', fileNames[name], error.message, lostMeaning[name])
        return new Map()
      }
    }
    return {
      recoveryPoints: await read('recoveryPoints'),
      logStarts: await read('logStarts'),
      highWatermarks: await read('highWatermarks'),
      cleaned: await read('cleaned'),
    }
  }

  /** Bytes of segments, for the progress. */
  async #sizeOf(names: readonly string[]): Promise<number> {
    const { disk, path, onProgress } = this.#options
    if (onProgress === undefined) return 0
    let sum = 0
    for (const name of names) {
      try {
        for (const entry of await disk.list(`${path}/${name}`)) if (entry.name.endsWith('.log')) sum += entry.sizeBytes
      } catch (error) {
        // What cannot be listed is reported when its turn comes.
        if (!(error instanceof DiskError)) throw error
      }
    }
    return sum
  }
}

const fileNames = {
  recoveryPoints: checkpointFileNames.recoveryPoints,
  logStarts: checkpointFileNames.logStarts,
  highWatermarks: checkpointFileNames.highWatermarks,
  cleaned: 'cleaner-offset-checkpoint',
} as const

type Checkpoints = Readonly<Record<keyof typeof fileNames, OffsetCheckpoint>>

const lostMeaning: Readonly<Record<keyof typeof fileNames, string>> = {
  recoveryPoints:
    'after an unclean stop all logs are read from their beginning; nothing is known of what was confirmed',
  logStarts: 'records that were deleted from the middle of a segment can be read again',
  highWatermarks: 'after an unclean stop less is known of what was confirmed',
  cleaned: 'compaction begins again with the first segment',
}

function isLog(name: string): boolean {
  return parseLogFolderName(name) !== null
}

function reportLeftovers(folders: readonly string[], findings: Findings): void {
  for (const name of folders) {
    if (name.endsWith(deleteSuffix)) {
      findings.add('leftover', name, 'a log that was being deleted', 'the next start removes it')
    } else if (name.endsWith('-stray')) {
      findings.add('leftover', name, 'a log that belonged to no topic', 'delete it if nobody needs it')
    } else if (name.endsWith('-future')) {
      findings.add('leftover', name, 'a log on its way from another folder', 'this broker does not use it')
    }
  }
}

/** A log that the checkpoints know must have a folder: after a clean stop somebody took it away. */
function reportLogsThatAreGone(
  { recoveryPoints, logStarts }: Checkpoints,
  present: ReadonlySet<string>,
  clean: boolean,
  findings: Findings,
): void {
  for (const [name, offset] of recoveryPoints) {
    if (present.has(name) || offset <= (logStarts.get(name) ?? 0)) continue
    const what = `it names ${name}, which has no folder`
    const file = fileNames.recoveryPoints
    if (clean) findings.add('damage', file, what, `all records of the log, up to ${offset}, are lost`, { offset })
    else findings.add('notice', file, what, 'the log was deleted just before the stop, or is lost', { offset })
  }
}
