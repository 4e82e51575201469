import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fetch } from '../../src/protocol/apis/fetch.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { encodeResponse } from '../../src/protocol/frame.ts'
import { buildBatch } from '../../src/records/batch-builder.ts'
import { type FetchHandler, FetchScanner } from './fetch-scanner.ts'
import { versions } from './versions.ts'

/** What was told, in words. */
class Told implements FetchHandler {
  readonly lines: string[] = []

  onBatch(partition: number, baseOffset: number, lastOffset: number, records: number, bytes: number): void {
    this.lines.push(`${partition}: ${baseOffset} to ${lastOffset}, ${records} in ${bytes}`)
  }

  onResponse(): void {
    this.lines.push('end')
  }
}

const small = batch(7, 1)
const large = batch(8, 40)
const far = batch(2 ** 40, 3)
const words = [
  `0: 7 to 7, 1 in ${small.length}`,
  `0: 8 to 47, 40 in ${large.length}`,
  `3: 1099511627776 to 1099511627778, 3 in ${far.length}`,
  'end',
]

function batch(baseOffset: number, records: number): Uint8Array {
  return buildBatch(
    Array.from({ length: records }, () => ({ value: 'x'.repeat(90) })),
    { baseOffset },
  )
}

function response(errorCode: ErrorCode = ErrorCode.NONE, partitionError: ErrorCode = ErrorCode.NONE): Buffer {
  const partition = { errorCode: ErrorCode.NONE, highWatermark: 100, abortedTransactions: null, records: null }
  const aborted = [
    { producerId: 1, firstOffset: 2 },
    { producerId: 3, firstOffset: 4 },
  ]
  const responses = [
    {
      topic: 'a-topic',
      partitions: [
        { ...partition, partitionIndex: 0, records: [small, large] },
        { ...partition, partitionIndex: 1 },
        { ...partition, partitionIndex: 2, abortedTransactions: aborted, records: [] },
        // A broker may cut off the last batch, in its records or in its header.
        { ...partition, partitionIndex: 3, records: [far, large.subarray(0, 100)], errorCode: partitionError },
        { ...partition, partitionIndex: 4, records: [large.subarray(0, 20)] },
      ],
    },
    { topic: 'empty', partitions: [] },
  ]
  return Buffer.concat(encodeResponse(fetch, versions.fetch, 5, { errorCode, responses }))
}

/** As they would come in reads of so many bytes, each in the same buffer. */
function scanned(bytes: Uint8Array, readBytes: number): string[] {
  const told = new Told()
  const scanner = new FetchScanner(told)
  const buffer = new Uint8Array(readBytes)
  for (let at = 0; at < bytes.length; at += readBytes) {
    const read = bytes.subarray(at, at + readBytes)
    buffer.fill(0xff)
    buffer.set(read)
    scanner.receive(buffer, read.length)
  }
  return told.lines
}

test('batches and the ends of responses are told in order, however the bytes were cut', () => {
  const bytes = Buffer.concat([response(), response()])
  for (let readBytes = 1; readBytes <= 300; readBytes += 1) {
    assert.deepEqual(scanned(bytes, readBytes), [...words, ...words], `reads of ${readBytes}`)
  }
  assert.deepEqual(scanned(bytes, bytes.length), [...words, ...words])
})

test('a batch is told when its last byte has come, and the response at once with its own', () => {
  const told = new Told()
  const scanner = new FetchScanner(told)
  const bytes = Buffer.concat(
    encodeResponse(fetch, versions.fetch, 5, {
      responses: [
        {
          topic: 't',
          partitions: [
            { partitionIndex: 0, errorCode: 0, highWatermark: 9, abortedTransactions: null, records: [small] },
          ],
        },
      ],
    }),
  )
  scanner.receive(bytes, bytes.length - 1)
  assert.deepEqual(told.lines, [])
  scanner.receive(bytes.subarray(bytes.length - 1), 1)
  assert.deepEqual(told.lines, [words[0], 'end'])
})

test('a response without topics is one', () => {
  const bytes = Buffer.concat(encodeResponse(fetch, versions.fetch, 5, { responses: [] }))
  assert.deepEqual(scanned(bytes, bytes.length), ['end'])
})

test('an error fails with its name', () => {
  const whole = response(ErrorCode.UNKNOWN_SERVER_ERROR)
  assert.throws(() => scanned(whole, whole.length), /fetch: UNKNOWN_SERVER_ERROR/)
  const ofOne = response(ErrorCode.NONE, ErrorCode.OFFSET_OUT_OF_RANGE)
  assert.throws(() => scanned(ofOne, ofOne.length), /partition 3: OFFSET_OUT_OF_RANGE/)
})
