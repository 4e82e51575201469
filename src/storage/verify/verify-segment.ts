// One segment: its batches from front to back, past damage where a good batch follows it, with its indexes held against them.

import type { Disk } from '../../io/disk.ts'
import { baseOffsetOf, lastOffsetOf, leaderEpochOf, maxTimestampOf, recordsCountOf } from '../../records/batch.ts'
import { nextGoodBatch } from '../damage.ts'
import type { Offset } from '../partition-log.ts'
import { fileNameOf, logSuffix, offsetIndexSuffix, timeIndexSuffix, txnIndexSuffix } from '../segment-names.ts'
import { type AbortedTransaction, decodeTxnIndex } from '../txn-index.ts'
import { type BatchDamage, BatchWalk, problemWords } from './batch-walk.ts'
import type { EpochCheck } from './epoch-check.ts'
import type { Findings } from './finding.ts'
import { OffsetIndexCheck, TimeIndexCheck, type WrongEntry } from './index-check.ts'
import type { ProducerCheck } from './producer-check.ts'
import { recordProblemOf } from './record-check.ts'

/** Where the last segment ends at the latest: no index can point further. */
const relativeOffsetEnd = 2147483648

export interface SegmentTask {
  readonly disk: Disk
  readonly folder: string
  readonly segment: { readonly baseOffset: Offset; readonly sizeBytes: number }
  /** Base offset of the next one; null: it is the last. */
  readonly nextBaseOffset: Offset | null
  /** End of the segment before. */
  readonly expectedOffset: Offset
  /** The next start builds them again whatever they are: they are not looked at. */
  readonly indexesAreRebuilt: boolean
  readonly gapsAreExpected: boolean
  readonly deep: boolean
  readonly window: Buffer
  readonly findings: Findings
  readonly epochs: EpochCheck
  readonly producers: ProducerCheck
  /** Each good batch, before the producers hear of it. */
  beforeBatch(baseOffset: Offset): void
  /** Decides what damage is; 'end': it is a torn tail, reported, and nothing after it is looked at. */
  judge(file: string, damage: BatchDamage, read: ReadAt): Promise<'end' | 'damage'>
  /** Told of each window. */
  progress(bytes: number): void
}

export type ReadAt = { read(into: Uint8Array, position: number): Promise<number> }

export interface SegmentResult {
  readonly nextOffset: Offset
  readonly batches: number
  readonly records: number
  readonly damaged: boolean
  /** A torn tail ends the log here. */
  readonly torn: boolean
}

/** Rejects with the disk's faults. */
export async function verifySegment(task: SegmentTask): Promise<SegmentResult> {
  const file = await task.disk.open(`${task.folder}/${fileNameOf(task.segment.baseOffset, logSuffix)}`, {
    readOnly: true,
  })
  try {
    return await new SegmentVerifier(task, file).run()
  } finally {
    await file.close()
  }
}

class SegmentVerifier {
  readonly #task: SegmentTask
  readonly #file: ReadAt
  readonly #name: string
  readonly #endOffset: Offset
  #offsets: OffsetIndexCheck | null = null
  #times: TimeIndexCheck | null = null
  #nextOffset: Offset
  #batches = 0
  #records = 0
  #damaged = false

  constructor(task: SegmentTask, file: ReadAt) {
    this.#task = task
    this.#file = file
    this.#name = fileNameOf(task.segment.baseOffset, logSuffix)
    this.#endOffset = task.nextBaseOffset ?? task.segment.baseOffset + relativeOffsetEnd
    this.#nextOffset = Math.max(task.expectedOffset, task.segment.baseOffset)
  }

  async run(): Promise<SegmentResult> {
    const aborted = await this.#readSideFiles()
    this.#task.producers.beginSegment(aborted ?? [])
    const torn = await this.#walkAll()
    if (!torn && !this.#damaged) this.#reportSideFiles(aborted)
    return {
      nextOffset: this.#nextOffset,
      batches: this.#batches,
      records: this.#records,
      damaged: this.#damaged,
      torn,
    }
  }

  /** True when a torn tail ends the log here. */
  async #walkAll(): Promise<boolean> {
    const { segment, window, findings } = this.#task
    let from = 0
    while (from < segment.sizeBytes) {
      const walk = new BatchWalk(
        this.#file,
        window,
        {
          from,
          to: segment.sizeBytes,
          expectedOffset: this.#nextOffset,
          endOffset: this.#endOffset,
          whole: this.#task.deep,
        },
        (bytes, at, size, position) => this.#batch(bytes, at, size, position),
      )
      while (!walk.done) this.#task.progress(await walk.step())
      this.#nextOffset = walk.nextOffset
      if (walk.damage === null) return false
      if ((await this.#task.judge(this.#name, walk.damage, this.#file)) === 'end') return true
      this.#damaged = true
      this.#task.producers.lost()
      const next = await this.#afterDamage(walk.damage)
      findings.add('damage', this.#name, problemWords[walk.damage.problem], this.#meaningOf(walk.damage, next), {
        position: walk.damage.position,
        offset: walk.damage.offset,
      })
      if (next === null) return false
      from = next.position
      this.#nextOffset = next.offset
    }
    return false
  }

  /** The next batch that makes sense, and its offset. */
  async #afterDamage({ problem, position, offset }: BatchDamage): Promise<{ position: number; offset: Offset } | null> {
    const { segment } = this.#task
    // When offsets are at odds, it may be those of the batch before that are wrong: this one may be good.
    const wrongOffset = problem === 'badOffset'
    const expected = wrongOffset ? segment.baseOffset : offset
    let from = wrongOffset ? position : position + 1
    for (;;) {
      const found = await nextGoodBatch(this.#file, from, segment.sizeBytes, expected)
      if (found === null) return null
      const header = Buffer.alloc(61)
      await this.#file.read(header, found)
      if (lastOffsetOf(header) < this.#endOffset && lastOffsetOf(header) >= baseOffsetOf(header)) {
        return { position: found, offset: baseOffsetOf(header) }
      }
      from = found + 1
    }
  }

  #meaningOf({ problem, offset }: BatchDamage, next: { position: number; offset: Offset } | null): string {
    if (problem === 'badOffset') return 'an offset here or in the batch before was changed: readers get wrong offsets'
    const { nextBaseOffset } = this.#task
    const end = next?.offset ?? nextBaseOffset
    if (end === null) return `the records from ${offset} on are lost; no reader gets past them`
    if (end <= offset) return 'no reader gets past it'
    return `the records ${offset} to ${end - 1} are lost; no reader gets past them`
  }

  #batch(bytes: Uint8Array, at: number, size: number, position: number): void {
    const { findings, epochs, producers, deep } = this.#task
    const baseOffset = baseOffsetOf(bytes, at)
    const lastOffset = lastOffsetOf(bytes, at)
    const place = { position, offset: baseOffset }
    this.#task.beforeBatch(baseOffset)
    if (baseOffset > this.#nextOffset) this.#gap(baseOffset, position)
    this.#nextOffset = lastOffset + 1
    this.#batches++
    this.#records += recordsCountOf(bytes, at)
    const wrongEpoch = epochs.batch(baseOffset, lastOffset, leaderEpochOf(bytes, at))
    if (wrongEpoch !== null) {
      const meaning = 'an epoch was changed: replicas cannot tell where their logs part'
      findings.add('damage', this.#name, wrongEpoch, meaning, place)
    }
    this.#offsets?.batch(position, lastOffset)
    this.#times?.batch(baseOffset, lastOffset, maxTimestampOf(bytes, at))
    producers.batch(bytes, at)
    if (!deep) return
    const problem = recordProblemOf(bytes.subarray(at, at + size))
    if (problem === null) return
    const meaning = problem.severe
      ? 'the checksum is right, so it was written like this: consumers stop here'
      : 'it was written like this: lookups by time may miss records of the batch'
    findings.add(problem.severe ? 'damage' : 'notice', this.#name, problem.what, meaning, place)
  }

  #gap(baseOffset: Offset, position: number): void {
    this.#task.producers.sawGap()
    if (this.#task.gapsAreExpected) return
    this.#task.findings.add(
      'damage',
      this.#name,
      `the batch begins with ${baseOffset}, where ${this.#nextOffset} should come`,
      `the records ${this.#nextOffset} to ${baseOffset - 1} are lost, or an offset was changed`,
      { position, offset: this.#nextOffset },
    )
  }

  /** The aborted transactions as stored; null when the file cannot be theirs. */
  async #readSideFiles(): Promise<readonly AbortedTransaction[] | null> {
    const { disk, folder, segment, indexesAreRebuilt } = this.#task
    if (indexesAreRebuilt) return []
    const read = (suffix: string) => disk.readFile(`${folder}/${fileNameOf(segment.baseOffset, suffix)}`)
    const extent = { ...segment, endOffset: this.#endOffset }
    const offsets = await read(offsetIndexSuffix)
    const times = await read(timeIndexSuffix)
    const aborted = await read(txnIndexSuffix)
    if (offsets !== null) this.#offsets = new OffsetIndexCheck(offsets, extent)
    if (times !== null) this.#times = new TimeIndexCheck(times, extent)
    return aborted === null ? [] : decodeTxnIndex(aborted, segment.baseOffset, this.#endOffset)
  }

  #reportSideFiles(aborted: readonly AbortedTransaction[] | null): void {
    const { findings, segment, indexesAreRebuilt, producers } = this.#task
    if (indexesAreRebuilt) return
    this.#offsets?.finish()
    this.#times?.finish()
    this.#reportIndex(offsetIndexSuffix, this.#offsets)
    this.#reportIndex(timeIndexSuffix, this.#times)
    const name = fileNameOf(segment.baseOffset, txnIndexSuffix)
    if (aborted === null) {
      findings.add('repairable', name, 'its entries make no sense', 'the broker takes them from the batches')
      return
    }
    const wrong = producers.wrongAborted()
    if (wrong === null) return
    findings.add(
      'damage',
      name,
      wrong,
      'consumers with read_committed get aborted records, or miss committed ones; a start without .kafka_cleanshutdown and ' +
        'recovery-point-offset-checkpoint builds it again',
    )
  }

  #reportIndex(suffix: string, check: { readonly wrong: WrongEntry | null } | null): void {
    const { findings, segment } = this.#task
    const name = fileNameOf(segment.baseOffset, suffix)
    if (check === null) {
      if (segment.sizeBytes > 0) findings.add('repairable', name, 'is missing', 'the broker builds it again')
    } else if (check.wrong !== null) {
      const { position, offset, what } = check.wrong
      findings.add('repairable', name, what, 'delete the file: the broker builds it again', { position, offset })
    }
  }
}
