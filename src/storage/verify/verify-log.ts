// One log: its segments in order, and every file beside them held against what the batches say. It decides as recovery would
// (recovery.ts) what the next start makes of damage at the end.

import { type Disk, DiskError } from '../../io/disk.ts'
import { CheckpointFormatError } from '../checkpoint-file.ts'
import { judgeDamage } from '../damage.ts'
import { LeaderEpochCache } from '../leader-epoch-cache.ts'
import { decodePartitionMetadata } from '../partition-metadata.ts'
import type { Offset } from '../partition-log.ts'
import { decodeProducerSnapshot } from '../producer-snapshot.ts'
import { ProducerState } from '../producer-state.ts'
import {
  fileNameOf,
  leaderEpochFileName,
  logSuffix,
  partitionMetadataFileName,
  snapshotSuffix,
  swapSuffix,
} from '../segment-names.ts'
import { type BatchDamage, BatchWalk, problemWords } from './batch-walk.ts'
import { EpochCheck } from './epoch-check.ts'
import type { Findings } from './finding.ts'
import { type FolderContent, readFolder } from './log-folder.ts'
import { ProducerCheck } from './producer-check.ts'
import { type ReadAt, verifySegment } from './verify-segment.ts'

/** What is known of a log's topic from elsewhere. */
export interface TopicFacts {
  readonly topicId: string
  readonly compacts: boolean
  readonly flushPolicy: 'fsync' | 'page-cache'
}

export interface LogTask {
  readonly disk: Disk
  readonly folder: string
  /** Null: nothing is known. 'none': the metadata has no such topic, or no replica of it here. */
  readonly topic: TopicFacts | 'none' | null
  /** The folder was closed properly. */
  readonly clean: boolean
  /** From the checkpoints; null: they do not name the log. */
  readonly recoveryPoint: Offset | null
  readonly highWatermark: Offset | null
  readonly logStartOffset: Offset | null
  readonly cleanedTo: Offset | null
  readonly deep: boolean
  readonly window: Buffer
  readonly findings: Findings
  progress(bytes: number): void
}

export interface LogTotals {
  segments: number
  batches: number
  records: number
  bytes: number
}

/** Never rejects for what lies in the folder: what cannot be read is a finding. */
export async function verifyLog(task: LogTask): Promise<LogTotals> {
  const totals: LogTotals = { segments: 0, batches: 0, records: 0, bytes: 0 }
  try {
    const content = await readFolder(task.disk, task.folder, task.findings)
    await new LogVerifier(task, content, totals).run()
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    task.findings.add('damage', '', `cannot be read: ${error.message}`, 'the log is checked up to here only')
  }
  return totals
}

class LogVerifier {
  readonly #task: LogTask
  readonly #content: FolderContent
  readonly #totals: LogTotals
  /** Segments from here on are scanned by the next start, and their side files written again. */
  readonly #rescannedFrom: number
  /** Below it records were confirmed. */
  readonly #confirmed: Offset
  readonly #logStartOffset: Offset
  #producers = new ProducerCheck(null)
  /** Of the segment under way: not compared yet, rising. */
  #snapshots: { readonly offset: Offset; readonly state: ProducerState }[] = []
  #damaged = false

  constructor(task: LogTask, content: FolderContent, totals: LogTotals) {
    const { segments } = content
    this.#task = task
    this.#content = content
    this.#totals = totals
    const recoveryPoint = task.recoveryPoint ?? 0
    const keepsPromises = typeof task.topic !== 'object' || task.topic?.flushPolicy !== 'page-cache'
    // Without fsync the high watermark says nothing about the disk.
    this.#confirmed = Math.max(recoveryPoint, keepsPromises || task.clean ? (task.highWatermark ?? 0) : 0)
    this.#logStartOffset = Math.max(task.logStartOffset ?? 0, segments[0]?.baseOffset ?? 0)
    this.#rescannedFrom = task.clean
      ? segments.length
      : Math.max(
          0,
          segments.findLastIndex((segment) => segment.baseOffset < recoveryPoint),
        )
  }

  async run(): Promise<void> {
    await this.#checkMetadata()
    for (const swap of this.#content.swaps) await this.#checkSwap(swap)
    const { clean } = this.#task
    const { segments } = this.#content
    if (segments.length === 0) {
      this.#checkNoSegments()
      return
    }
    // After an unclean stop the file may lag behind from there on; what it lacks is taken from the batches.
    const trustedTo = clean ? Infinity : segments[this.#rescannedFrom]!.baseOffset
    const epochs = new EpochCheck(await this.#readEpochs(), this.#logStartOffset, trustedTo)
    this.#producers = new ProducerCheck(await this.#initialProducers())
    let end = segments[0]!.baseOffset
    let torn = false
    let endIsDamaged = false
    for (let i = 0; i < segments.length && !torn; i++) {
      const result = await this.#segment(i, end, epochs)
      if (result === null) return
      this.#totals.segments++
      this.#totals.batches += result.batches
      this.#totals.records += result.records
      this.#totals.bytes += segments[i]!.sizeBytes
      endIsDamaged = result.damaged
      end = result.nextOffset
      torn = result.torn
    }
    if (!this.#damaged) {
      this.#compareSnapshots(Infinity, end)
      if (clean) epochs.finish(end)
    }
    if (epochs.wrong !== null && !this.#damaged) {
      this.#task.findings.add(
        'repairable',
        leaderEpochFileName,
        epochs.wrong.what,
        'replicas would cut their logs in the wrong place; delete the file: the broker takes the epochs from the batches',
        { offset: epochs.wrong.offset },
      )
    }
    if (!torn && !endIsDamaged) this.#checkEnd(end)
  }

  async #segment(i: number, end: Offset, epochs: EpochCheck) {
    const { disk, folder, findings, deep, window, topic, cleanedTo } = this.#task
    const { segments, swaps } = this.#content
    const segment = segments[i]!
    const compacted = (typeof topic === 'object' && topic?.compacts === true) || cleanedTo !== null
    await this.#loadSnapshots(i)
    if (i > 0 && segment.baseOffset > end && !this.#damaged) {
      this.#producers.sawGap()
      if (!compacted && swaps.length === 0) {
        findings.add(
          'damage',
          fileNameOf(segment.baseOffset, logSuffix),
          `the segment begins with ${segment.baseOffset}, the one before ends at ${end}`,
          `the records ${end} to ${segment.baseOffset - 1} are lost: a segment is missing, or was cut`,
          { offset: end },
        )
      }
    }
    try {
      return await verifySegment({
        disk,
        folder,
        segment,
        nextBaseOffset: segments[i + 1]?.baseOffset ?? null,
        expectedOffset: end,
        indexesAreRebuilt: i >= this.#rescannedFrom,
        gapsAreExpected: compacted || this.#damaged,
        deep,
        window,
        findings,
        epochs,
        producers: this.#producers,
        beforeBatch: (baseOffset) => this.#compareSnapshots(baseOffset),
        judge: async (file, damage, read) => {
          const verdict = await this.#judge(i, file, damage, read)
          // Behind damage nothing is cut any more.
          this.#damaged ||= verdict === 'damage'
          return verdict
        },
        progress: (bytes) => this.#task.progress(bytes),
      })
    } catch (error) {
      if (!(error instanceof DiskError)) throw error
      const name = fileNameOf(segment.baseOffset, logSuffix)
      findings.add('damage', name, `cannot be read: ${error.message}`, 'the log is checked up to here only', {
        offset: segment.baseOffset,
      })
      return null
    }
  }

  /** Its batches are all that is left of those that it replaces. */
  async #checkSwap({ baseOffset, sizeBytes }: FolderContent['swaps'][number]): Promise<void> {
    const { disk, folder, findings, window } = this.#task
    const name = fileNameOf(baseOffset, logSuffix + swapSuffix)
    const file = await disk.open(`${folder}/${name}`, { readOnly: true })
    try {
      const range = { from: 0, to: sizeBytes, expectedOffset: baseOffset, endOffset: Infinity }
      const walk = new BatchWalk(file, window, range, () => undefined)
      while (!walk.done) this.#task.progress(await walk.step())
      if (walk.damage === null) return
      const { problem, position, offset } = walk.damage
      const meaning = `the compacted records from ${offset} on are lost; the log does not open`
      findings.add('damage', name, problemWords[problem], meaning, { position, offset })
    } finally {
      await file.close()
    }
  }

  /** As recovery does: what nobody was told of is cut, anything else is damage. */
  async #judge(i: number, file: string, damage: BatchDamage, read: ReadAt): Promise<'end' | 'damage'> {
    const { clean, findings, topic } = this.#task
    const { segments } = this.#content
    if (clean || this.#damaged || damage.offset < this.#confirmed) return 'damage'
    const { sizeBytes } = segments[i]!
    if ((await judgeDamage(read, damage.position, sizeBytes, damage.offset)) === 'rot') return 'damage'
    const later = segments.slice(i + 1)
    const syncs = typeof topic !== 'object' || topic?.flushPolicy !== 'page-cache'
    if (syncs && later.some((other) => other.sizeBytes > 0)) return 'damage'
    const rest = later.length === 0 ? '' : ` and ${later.length} later segments`
    findings.add(
      'tornTail',
      file,
      problemWords[damage.problem],
      `nothing from here on was confirmed; the next start cuts ${sizeBytes - damage.position} bytes${rest}`,
      { position: damage.position, offset: damage.offset },
    )
    return 'end'
  }

  #checkNoSegments(): void {
    if (this.#confirmed <= (this.#task.logStartOffset ?? 0)) return
    this.#task.findings.add(
      'damage',
      '',
      `there is no segment, and records below ${this.#confirmed} were confirmed`,
      'all records of the log are lost',
      { offset: this.#task.logStartOffset ?? 0 },
    )
  }

  /** The log ends at `end`: what do the checkpoints say? */
  #checkEnd(end: Offset): void {
    const { clean, findings, recoveryPoint, logStartOffset } = this.#task
    const last = fileNameOf(this.#content.segments.at(-1)!.baseOffset, logSuffix)
    if (logStartOffset !== null && logStartOffset > end) {
      const what = `the log ends at ${end}, before its start, ${logStartOffset}`
      if (clean) findings.add('damage', last, what, `the records from ${end} on are lost`, { offset: end })
      else findings.add('notice', last, what, `all was deleted; the next start begins at ${logStartOffset}`)
      return
    }
    if (end < this.#confirmed) {
      findings.add(
        'damage',
        last,
        `the log ends at ${end}, and records below ${this.#confirmed} were confirmed`,
        `the records ${end} to ${this.#confirmed - 1} are lost`,
        { offset: end },
      )
    } else if (clean && recoveryPoint !== null && end > recoveryPoint && !this.#damaged) {
      findings.add(
        'damage',
        last,
        `the log ends at ${end}, and was closed at ${recoveryPoint}`,
        'an offset was changed, or the file was written to since',
        { offset: recoveryPoint },
      )
    }
  }

  async #checkMetadata(): Promise<void> {
    const { disk, folder, findings, topic } = this.#task
    if (topic === 'none') {
      const meaning = 'the next start sets it aside; delete the folder if nobody needs it'
      findings.add('notice', '', 'the cluster has no such topic, or no replica of it here', meaning)
    }
    const bytes = await disk.readFile(`${folder}/${partitionMetadataFileName}`)
    const topicId = bytes === null ? null : decodePartitionMetadata(bytes)
    if (topicId === null) {
      const what = bytes === null ? 'is missing' : 'names no topic'
      findings.add('repairable', partitionMetadataFileName, what, 'the next start writes it, by the name of the folder')
    } else if (typeof topic === 'object' && topic !== null && topic.topicId !== topicId) {
      findings.add(
        'notice',
        partitionMetadataFileName,
        `the log is of topic ${topicId}, the topic of that name is ${topic.topicId}`,
        'the next start sets the log aside',
      )
    }
  }

  /** Null when it is not there, not readable, or taken from the batches by the next start. */
  async #readEpochs(): Promise<LeaderEpochCache | null> {
    const { disk, folder, findings, clean } = this.#task
    const bytes = await disk.readFile(`${folder}/${leaderEpochFileName}`)
    const meaning = 'the next start takes the epochs from the batches'
    // Kafka makes it empty.
    if (bytes === null || bytes.length === 0) {
      const isNew = !clean || this.#content.segments.every(({ sizeBytes }) => sizeBytes === 0)
      if (!isNew) findings.add('repairable', leaderEpochFileName, 'is missing', meaning)
      return null
    }
    try {
      return LeaderEpochCache.decode(bytes)
    } catch (error) {
      if (!(error instanceof CheckpointFormatError)) throw error
      findings.add('repairable', leaderEpochFileName, error.message, meaning)
      return null
    }
  }

  /** Producer state where the first segment begins; null when nothing tells. */
  async #initialProducers(): Promise<ProducerState | null> {
    const { baseOffset } = this.#content.segments[0]!
    if (baseOffset === 0) return new ProducerState()
    const { disk, folder } = this.#task
    if (!this.#content.snapshots.includes(baseOffset)) return null
    const bytes = await disk.readFile(`${folder}/${fileNameOf(baseOffset, snapshotSuffix)}`)
    return bytes === null ? null : decodeProducerSnapshot(bytes)
  }

  /** The snapshots from this segment's beginning to the next one's. Those that the next start writes again are passed over. */
  async #loadSnapshots(i: number): Promise<void> {
    const { disk, folder, findings, clean } = this.#task
    const { segments, snapshots } = this.#content
    const from = i === 0 ? -1 : segments[i]!.baseOffset
    const to = segments[i + 1]?.baseOffset ?? Infinity
    const trusted = clean ? Infinity : segments[this.#rescannedFrom]!.baseOffset
    for (const offset of snapshots) {
      if (offset < from || offset >= to || offset > trusted) continue
      const name = fileNameOf(offset, snapshotSuffix)
      const bytes = await disk.readFile(`${folder}/${name}`)
      const state = bytes === null ? null : decodeProducerSnapshot(bytes)
      if (state === null) {
        const meaning = 'the broker uses an older one, and the batches after that'
        findings.add('repairable', name, 'it is no producer snapshot with a right checksum', meaning, { offset })
      } else if (offset >= segments[0]!.baseOffset) this.#snapshots.push({ offset, state })
    }
  }

  /** Compares the snapshots up to `upTo`, given all batches below it. `end`: of the log, when that is reached. */
  #compareSnapshots(upTo: Offset, end = Infinity): void {
    while (this.#snapshots.length > 0 && this.#snapshots[0]!.offset <= upTo) {
      const { offset, state } = this.#snapshots.shift()!
      if (this.#damaged) continue
      const name = fileNameOf(offset, snapshotSuffix)
      if (offset > end) {
        const what = `it is of offset ${offset}, the log ends at ${end}`
        this.#task.findings.add('repairable', name, what, 'the next start removes it', { offset })
        continue
      }
      const wrong = this.#producers.wrongSnapshot(state)
      if (wrong === null) continue
      const meaning = 'retries may be taken for new batches, or refused; delete the file: the broker uses the batches'
      this.#task.findings.add('repairable', name, wrong, meaning, { offset })
    }
  }
}
