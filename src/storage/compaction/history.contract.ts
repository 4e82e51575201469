// A random history of a log to compact: keys and tombstones, transactions that commit, abort or stay open, idempotent producers, every
// codec; and what must be true of the log whatever a cleaning has made of it.

import assert from 'node:assert/strict'
import { SimulatedClock } from '../../io/clock.sim.ts'
import { type SeededRandom, seededRandom } from '../../io/random.sim.ts'
import { silentLogger } from '../../lib/logger.ts'
import {
  baseOffsetOf,
  computedCrcOf,
  crcOf,
  isControl,
  isTransactional,
  leaderEpochOf,
  nextOffsetOf,
  noProducerId,
  producerIdOf,
} from '../../records/batch.ts'
import { buildBatch, type NewRecord } from '../../records/batch-builder.ts'
import { codecById } from '../../records/codec.ts'
import { buildEndTransactionMarker, endTransactionMarkerOf } from '../../records/control-batch.ts'
import { type LogRecord, recordsOf } from '../../records/record.ts'
import type { LogDirectory } from '../log-directory.ts'
import { readAll, smallConfig } from '../partition-log.contract.ts'
import type { LogConfig, Offset } from '../partition-log.ts'
import { producerBatchOf } from '../producer-batch.ts'
import { ProducerState } from '../producer-state.ts'
import type { SegmentedLog } from '../segmented-log.ts'
import type { AbortedTransaction } from '../txn-index.ts'
import { cleaningInProcess } from './cleaning-engines.ts'
import type { CleaningLimits } from './cleaning-job.ts'
import { LogCleaner, type LogCleanerOptions } from './log-cleaner.ts'

export const compactedConfig: LogConfig = {
  ...smallConfig,
  segmentBytes: 1200,
  indexIntervalBytes: 150,
  deletes: false,
  compacts: true,
  minCleanableDirtyRatio: 0,
  deleteRetentionMs: 1000,
}

export const roomyLimits: CleaningLimits = {
  keyMapBytes: 1 << 20,
  loadFactor: 0.9,
  bufferBytes: 1024,
  bytesPerSecond: Infinity,
}

export const startMs = 1_767_225_600_000

export function cleanerOf(directory: LogDirectory, options: Partial<LogCleanerOptions> = {}): LogCleaner {
  const { disk, clock } = directory.context
  return new LogCleaner({
    directory,
    disk,
    clock,
    random: seededRandom(3),
    logger: silentLogger,
    engine: cleaningInProcess(disk, clock),
    limits: roomyLimits,
    backoffMs: 15_000,
    ...options,
  })
}

interface Producer {
  readonly producerId: number
  producerEpoch: number
  sequence: number
  open: boolean
}

/** Appends to a log, and remembers every batch as it was. */
export class History {
  readonly batches: Uint8Array[] = []
  readonly #random: SeededRandom
  readonly #producers: Producer[] = [1, 2, 3, 4, 5].map((n) => {
    return { producerId: 1000 + n, producerEpoch: 0, sequence: 0, open: false }
  })
  readonly #batchesPerEpoch: number
  #timestamp: number
  log: SegmentedLog

  constructor(log: SegmentedLog, seed: number, options: { fromMs?: number; batchesPerEpoch?: number } = {}) {
    this.log = log
    this.#timestamp = options.fromMs ?? startMs
    this.#batchesPerEpoch = options.batchesPerEpoch ?? 25
    this.#random = seededRandom(seed)
  }

  /** Appends about `count` batches, and waits until they are durable and below the high watermark. */
  async append(count: number): Promise<void> {
    for (let i = 0; i < count; i++) this.#appendOne(this.#epoch)
    await this.confirm()
  }

  async confirm(): Promise<void> {
    await this.log.sync()
    this.log.highWatermark = this.log.logEndOffset
  }

  /** Ends what is open, and begins a new segment: everything below it may be compacted. */
  async finish(): Promise<void> {
    for (const producer of this.#producers) if (producer.open) this.#end(producer, this.#epoch)
    await this.confirm()
    this.log.roll()
    this.log.highWatermark = this.log.logEndOffset
  }

  get #epoch(): number {
    return Math.floor(this.batches.length / this.#batchesPerEpoch)
  }

  add(batch: Uint8Array, origin: 'client' | 'coordinator' = 'client', epoch = 0): void {
    const answer = this.log.append(batch, epoch, origin)
    assert.ok(answer.ok, JSON.stringify(answer))
    this.batches.push(Buffer.from(batch))
  }

  #appendOne(epoch: number): void {
    const random = this.#random
    this.#timestamp += random.below(50) - 10
    const records: NewRecord[] = Array.from({ length: 1 + random.below(4) }, () => ({
      key: random.chance(0.05) ? null : `key-${random.below(8)}`,
      value: random.chance(0.2) ? null : `value-${random.below(1000)}`.padEnd(10 + random.below(60), '.'),
      timestamp: this.#timestamp + random.below(30),
      headers: random.chance(0.1) ? [{ key: 'h', value: 'x' }] : [],
    }))
    const codec = random.pick(codecById)
    if (random.chance(0.4)) {
      this.add(buildBatch(records, { codec }), 'client', epoch)
      return
    }
    const producer = random.pick(this.#producers)
    const { producerId, producerEpoch } = producer
    const transactional = producerId >= 1003
    if (producer.open && random.chance(0.4)) {
      this.#end(producer, epoch)
      return
    }
    const baseSequence = producer.sequence
    this.add(buildBatch(records, { codec, producerId, producerEpoch, baseSequence, transactional }), 'client', epoch)
    producer.sequence += records.length
    if (transactional) producer.open = true
  }

  #end(producer: Producer, epoch: number): void {
    const { producerId, producerEpoch } = producer
    const kind = this.#random.chance(0.5) ? 'abort' : 'commit'
    const marker = { kind, coordinatorEpoch: 1 } as const
    this.add(
      buildEndTransactionMarker(marker, { producerId, producerEpoch, timestamp: this.#timestamp }),
      'coordinator',
      epoch,
    )
    producer.open = false
    // A transactional id that is initialised again.
    if (this.#random.chance(0.3)) {
      producer.producerEpoch++
      producer.sequence = 0
    }
  }
}

/** A record of the history and what became of its transaction. */
export interface Told {
  readonly record: LogRecord
  readonly fate: 'plain' | 'committed' | 'aborted' | 'open'
}

export function toldBy(batches: readonly Uint8Array[]): Told[] {
  const told: { record: LogRecord; fate: Told['fate'] }[] = []
  const open = new Map<number, typeof told>()
  for (const batch of batches) {
    const producerId = producerIdOf(batch)
    const marker = endTransactionMarkerOf(batch)
    if (marker !== undefined) {
      const fate = marker.kind === 'commit' ? 'committed' : 'aborted'
      for (const entry of open.get(producerId) ?? []) entry.fate = fate
      open.delete(producerId)
    }
    if (isControl(batch)) continue
    for (const record of recordsOf(batch)) {
      const entry: (typeof told)[number] = { record, fate: isTransactional(batch) ? 'open' : 'plain' }
      told.push(entry)
      if (entry.fate === 'open') open.set(producerId, [...(open.get(producerId) ?? []), entry])
    }
  }
  return told
}

/** All of a record, whatever holds its bytes. */
const textOf = ({ offset, timestamp, key, value, headers }: LogRecord) => {
  const hex = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('hex'))
  const plain = headers.map((header) => ({ key: header.key, value: hex(header.value) }))
  return JSON.stringify({ offset, timestamp, key: hex(key), value: hex(value), headers: plain })
}

const keyOf = ({ key }: LogRecord) => Buffer.from(key!).toString()

/** The offset of the last record of each key below `end`, of those that count. */
export function lastOffsets(told: readonly Told[], end: Offset): Map<string, LogRecord> {
  const last = new Map<string, LogRecord>()
  for (const { record, fate } of told) {
    if (record.offset < end && record.key !== null && fate !== 'aborted') last.set(keyOf(record), record)
  }
  return last
}

/** What a consumer of committed records sees: as clients filter, by the list of aborted transactions. */
export async function committedView(log: SegmentedLog, batches: readonly Uint8Array[]): Promise<LogRecord[]> {
  const { highWatermark } = log
  const end = log.firstUnstableOffsetAt(highWatermark) ?? highWatermark
  const aborted = await log.abortedTransactions(log.logStartOffset, end)
  const waiting = aborted.toSorted((one, other) => one.firstOffset - other.firstOffset)
  const open = new Map<number, AbortedTransaction>()
  const seen: LogRecord[] = []
  for (const batch of batches) {
    if (baseOffsetOf(batch) >= end) break
    const producerId = producerIdOf(batch)
    while (waiting.length > 0 && waiting[0]!.firstOffset <= nextOffsetOf(batch) - 1) {
      const transaction = waiting.shift()!
      open.set(transaction.producerId, transaction)
    }
    if (isControl(batch)) {
      if (endTransactionMarkerOf(batch)?.kind === 'abort') open.delete(producerId)
    } else if (!(isTransactional(batch) && open.has(producerId))) {
      seen.push(...recordsOf(batch))
    }
  }
  return seen
}

/** The last sequence and the epoch of each producer, as the batches tell. */
export function producersIn(batches: readonly Uint8Array[]): ProducerState {
  const state = new ProducerState()
  for (const batch of batches) {
    const producerId = producerIdOf(batch)
    if (producerId !== noProducerId) state.apply(producerBatchOf(batch, 0, producerId, baseOffsetOf(batch)))
  }
  return state
}

/** Where a client that goes on has to go on, for each producer that has sequences. */
export function sequences(state: ProducerState): Map<number, unknown> {
  const found = new Map<number, unknown>()
  for (const { producerId, epoch, batches } of state.entries()) {
    const last = batches.at(-1)
    if (last !== undefined)
      found.set(producerId, { epoch, lastSequence: last.lastSequence, lastOffset: last.lastOffset })
  }
  return new Map([...found].sort(([one], [other]) => one - other))
}

/**
 * What holds however far cleanings have come, and after a crash in the middle of one: every record that is there is one of the history, in
 * its place; the last one of each key is there, and seen by readers of committed records; nothing from `untouched` on is missing, save for
 * what was aborted.
 * `tombstonesGo`: the last one may also be missing if it is a tombstone.
 */
export async function assertCompactedFrom(
  history: History,
  { untouched, tombstonesGo = false }: { untouched: Offset; tombstonesGo?: boolean },
): Promise<Uint8Array[]> {
  const { log } = history
  assert.equal(log.fault, null)
  const found = await readAll(log)
  const told = toldBy(history.batches)
  const original = new Map(told.map(({ record }) => [record.offset, record]))
  const batchOfOffset = new Map(history.batches.map((batch) => [nextOffsetOf(batch), batch]))
  let next = 0
  const present = new Set<Offset>()
  for (const batch of found) {
    assert.equal(crcOf(batch), computedCrcOf(batch))
    const source = batchOfOffset.get(nextOffsetOf(batch))
    assert.ok(source !== undefined, `no batch ended at ${nextOffsetOf(batch)}`)
    assert.ok(baseOffsetOf(batch) >= next, 'in order')
    assert.deepEqual(
      [baseOffsetOf(batch), leaderEpochOf(batch), producerIdOf(batch), isTransactional(batch), isControl(batch)],
      [baseOffsetOf(source), leaderEpochOf(source), producerIdOf(source), isTransactional(source), isControl(source)],
    )
    next = nextOffsetOf(batch)
    if (isControl(batch)) continue
    for (const record of recordsOf(batch)) {
      assert.equal(textOf(record), textOf(original.get(record.offset)!))
      present.add(record.offset)
    }
  }
  for (const { record, fate } of told) {
    // Of aborted transactions what lies in the same segment goes, too.
    if (record.offset >= untouched && fate !== 'aborted')
      assert.ok(present.has(record.offset), `${record.offset} is missing`)
  }
  const kept = new Set((await committedView(log, found)).map(({ offset }) => offset))
  const decided = log.firstUnstableOffset ?? log.logEndOffset
  for (const record of lastOffsets(told, decided).values()) {
    if (tombstonesGo && record.value === null) continue
    assert.ok(kept.has(record.offset), `the last ${keyOf(record)}, at ${record.offset}, is missing`)
  }
  for (const { record, fate } of told) {
    if (fate === 'aborted') assert.ok(!kept.has(record.offset), `${record.offset} was aborted, and is seen`)
  }
  assert.deepEqual(sequences(producersIn(found)), sequences(producersIn(history.batches)))
  return found
}

/** The offsets of the records that are there, below `end`. */
export function recordOffsets(batches: readonly Uint8Array[], end = Infinity): Offset[] {
  return batches.flatMap((batch) =>
    isControl(batch) ? [] : [...recordsOf(batch)].map(({ offset }) => offset).filter((offset) => offset < end),
  )
}

export function newClock(): SimulatedClock {
  return new SimulatedClock(startMs + 1_000_000)
}
