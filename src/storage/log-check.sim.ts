// Everything a log can be asked, held against its model. A log that is compacted may lack records and batches, but none that still counts:
// the last of each key, what is not yet decided, and what is known of its producers.

import assert from 'node:assert/strict'
import type { SeededRandom } from '../io/random.sim.ts'
import {
  baseOffsetOf,
  isControl,
  isTransactional,
  leaderEpochOf,
  maxTimestampOf,
  nextOffsetOf,
  producerIdOf,
} from '../records/batch.ts'
import { type LogRecord, recordsOf } from '../records/record.ts'
import type { LogModel } from './log-model.sim.ts'
import { readAll } from './small-log.sim.ts'
import type { ProducerState } from './producer-state.ts'
import type { SegmentedLog } from './segmented-log.ts'
import type { AbortedTransaction } from './txn-index.ts'

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const textOfRecord = ({ offset, timestamp, key, value }: LogRecord) =>
  `${offset} ${timestamp} ${key && textOf(key)} ${value && textOf(value)}`
const rangeOf = (batch: Uint8Array) => `[${baseOffsetOf(batch)}, ${nextOffsetOf(batch)})`

/** All that was appended is written. */
export async function checkLog(log: SegmentedLog, model: LogModel, random: SeededRandom): Promise<void> {
  assert.equal(log.logStartOffset, model.start)
  assert.equal(log.logEndOffset, model.end)
  const found = await readAll(log, log.logStartOffset, 1 + random.below(700))
  checkBatches(found, model)
  const { state, aborted } = model.producers()
  assert.deepEqual(rememberedBy(log.producers, model), rememberedBy(state, model))
  const abortedFound = await log.abortedTransactions(model.start, Infinity)
  const abortedKnown = aborted.filter((transaction) => transaction.lastOffset >= model.start)
  if (model.config.compacts) checkKeys(found, abortedFound, model, abortedKnown)
  else assert.deepEqual(abortedFound, abortedKnown)
  for (const batch of found) {
    assert.equal(log.epochAt(Math.max(baseOffsetOf(batch), model.start)), leaderEpochOf(batch))
  }
  await checkTimes(log, found, model.start, random)
  checkSegments(log, model)
}

/** The batches of a read, all of them from the start on unless the log is compacted, are as they were sent. */
function checkBatches(found: readonly Uint8Array[], model: LogModel): void {
  if (!model.config.compacts) assert.deepEqual(found.map(rangeOf), model.visible.map(rangeOf))
  for (const batch of found) checkBatch(batch, model)
}

/** A batch that a log answered is one that was appended to it, or what compaction has left of one. */
export function checkBatch(batch: Uint8Array, model: LogModel): void {
  const sent = model.batchAt(baseOffsetOf(batch))
  assert.ok(sent !== undefined && nextOffsetOf(batch) <= nextOffsetOf(sent), `${rangeOf(batch)} was never sent`)
  if (Buffer.from(sent).equals(batch)) return
  assert.ok(model.config.compacts, `${rangeOf(batch)} is as it was sent`)
  assert.deepEqual([producerIdOf(batch), leaderEpochOf(batch)], [producerIdOf(sent), leaderEpochOf(sent)])
  const records = new Set([...recordsOf(sent)].map(textOfRecord))
  for (const record of recordsOf(batch))
    assert.ok(records.has(textOfRecord(record)), `${record.offset} is as it was sent`)
}

/** What is left for a reader of committed records is the same for each key. */
function checkKeys(
  found: readonly Uint8Array[],
  abortedFound: readonly AbortedTransaction[],
  model: LogModel,
  aborted: readonly AbortedTransaction[],
): void {
  const expected = valuesOf(model.visible, model.start, aborted)
  assert.deepEqual(valuesOf(found, model.start, abortedFound), expected)
}

/** The last value of each key that has one, without what was aborted. */
function valuesOf(
  batches: readonly Uint8Array[],
  start: number,
  aborted: readonly AbortedTransaction[],
): Map<string, { value: string; offset: number }> {
  const values = new Map<string, { value: string; offset: number }>()
  for (const batch of batches) {
    const offset = baseOffsetOf(batch)
    const isAborted = ({ producerId, firstOffset, lastOffset }: AbortedTransaction) =>
      producerId === producerIdOf(batch) && firstOffset <= offset && offset <= lastOffset
    if (isControl(batch) || (isTransactional(batch) && aborted.some(isAborted))) continue
    for (const record of recordsOf(batch)) {
      if (record.offset < start) continue
      const key = textOf(record.key!)
      values.delete(key)
      if (record.value !== null) values.set(key, { value: textOf(record.value), offset: record.offset })
    }
  }
  return new Map([...values].sort(([, one], [, other]) => one.offset - other.offset))
}

/** As a snapshot keeps it: the last batch only, without a timestamp of its own. */
/** Of a producer's batches compaction may leave no trace, save of the last one. */
function rememberedBy(state: ProducerState, { config }: LogModel): unknown[] {
  return [...state.entries()]
    .map(({ batches, ...entry }) => {
      const known = config.compacts ? batches.slice(-1) : batches
      return { ...entry, batches: known.map((batch) => ({ ...batch, timestamp: 0 })) }
    })
    .sort((one, other) => one.producerId - other.producerId)
}

async function checkTimes(
  log: SegmentedLog,
  found: readonly Uint8Array[],
  start: number,
  random: SeededRandom,
): Promise<void> {
  const records: LogRecord[] = []
  for (const batch of found) for (const record of recordsOf(batch)) if (record.offset >= start) records.push(record)
  for (let i = 0; i < 2 && found.length > 0; i++) {
    const timestamp = maxTimestampOf(random.pick(found)) + random.below(3) - 1
    const expected = records.find((record) => record.timestamp >= timestamp)
    assert.equal((await log.findByTimestamp(timestamp, Infinity))?.offset, expected?.offset, `time ${timestamp}`)
  }
  const greatest = Math.max(...records.map((record) => record.timestamp))
  // As in Kafka: a batch keeps its greatest timestamp when the record that had it is gone, and where that is the greatest there is no answer.
  const hasIt = (record: LogRecord) => record.timestamp >= greatest && record.offset >= start
  if (found.some((batch) => maxTimestampOf(batch) >= greatest && ![...recordsOf(batch)].some(hasIt))) return
  const expected = records.find((record) => record.timestamp === greatest)
  assert.equal((await log.findMaxTimestamp(Infinity))?.offset, expected?.offset)
}

function checkSegments(log: SegmentedLog, model: LogModel): void {
  const { segments, sizeBytes, config } = log
  const first = segments[0]!.baseOffset
  assert.ok(first <= model.start)
  let sum = 0
  for (const segment of segments) {
    sum += segment.sizeBytes
    if (segment.sizeBytes === 0 && !config.compacts) {
      assert.equal(segment, segments.at(-1), 'only the active segment may be empty')
    }
    // The horizon for deletes takes the place of a batch's base timestamp (KIP-534), and differences to it may need more bytes.
    const growth = config.compacts ? 1.2 : 1
    assert.ok(segment.sizeBytes <= growth * config.segmentBytes, 'no segment is larger than segment.bytes')
  }
  assert.equal(sizeBytes, sum)
  let held = 0
  for (const batch of model.batches) if (baseOffsetOf(batch) >= first) held += batch.length
  if (config.compacts) assert.ok(sizeBytes <= 1.2 * held, 'compaction makes nothing much larger')
  else assert.equal(sizeBytes, held, 'the size of the log is that of its batches')
}
