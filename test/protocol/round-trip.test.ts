import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { allApis, ownApis } from '../../src/protocol/apis/index.ts'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../src/protocol/consumer-protocol.ts'
import { controlRecordKey, endTxnMarker } from '../../src/protocol/control-records.ts'
import {
  decodeRequest,
  decodeRequestHeader,
  decodeResponse,
  encodeRequest,
  encodeResponse,
} from '../../src/protocol/frame.ts'
import { groupRecords } from '../../src/protocol/group-records/index.ts'
import type { AnyApi, AnyRecordType } from '../../src/protocol/schema/index.ts'
import { shareSnapshot, shareUpdate } from '../../src/protocol/share-records.ts'
import { transactionLog } from '../../src/protocol/transaction-records.ts'
import { valuesOf } from './arbitrary.ts'

const spokenApis = [...allApis, ...ownApis]

const RUNS = { numRuns: 20 }

function* versionsOf({ versions: [oldest, latest] }: Pick<AnyApi, 'versions'>): Generator<number> {
  for (let version = oldest; version <= latest; version++) yield version
}

/** The frame without its size, which must be right. */
function frameOf(chunks: readonly Uint8Array[]): Buffer {
  const whole = Buffer.concat(chunks)
  assert.equal(whole.readInt32BE(0), whole.length - 4)
  return whole.subarray(4)
}

for (const api of spokenApis) {
  test(`${api.name} requests come back as they were sent, in every version`, () => {
    for (const version of versionsOf(api)) {
      const heads = fc.record({ correlationId: fc.integer(), clientId: fc.option(fc.string()) })
      fc.assert(
        fc.property(heads, valuesOf(api.request.at(version)), (head, body) => {
          const frame = frameOf(encodeRequest(api, version, head, body))
          const { bodyOffset, ...read } = decodeRequestHeader(frame)
          assert.deepEqual(read, { apiKey: api.key, apiVersion: version, ...head })
          const decoded = decodeRequest(api, version, frame, bodyOffset)
          assert.deepEqual(decoded, body)
          assert.deepEqual(Object.keys(decoded), Object.keys(api.request.absent))
        }),
        RUNS,
      )
    }
  })

  test(`${api.name} responses come back as they were sent, in every version`, () => {
    for (const version of versionsOf(api)) {
      fc.assert(
        fc.property(fc.integer(), valuesOf(api.response.at(version)), (correlationId, body) => {
          const frame = frameOf(encodeResponse(api, version, correlationId, body))
          assert.deepEqual(decodeResponse(api, version, frame), { correlationId, body })
        }),
        RUNS,
      )
    }
  })

  test(`an empty ${api.name} request or response stands for the defaults`, () => {
    for (const version of versionsOf(api)) {
      const request = frameOf(encodeRequest(api, version, { correlationId: 1, clientId: null }, {}))
      const { bodyOffset } = decodeRequestHeader(request)
      assert.deepEqual(decodeRequest(api, version, request, bodyOffset), api.request.absent)
      const response = frameOf(encodeResponse(api, version, 1, {}))
      assert.deepEqual(decodeResponse(api, version, response).body, api.response.absent)
    }
  })
}

const records: readonly AnyRecordType[] = [...groupRecords, transactionLog, shareSnapshot, shareUpdate]
for (const record of records) {
  test(`${record.name} records come back as they were stored, in every version`, () => {
    fc.assert(
      fc.property(valuesOf(record.key.at(0)), (key) => {
        assert.deepEqual(record.decodeKey(record.encodeKey(key)), key)
      }),
      RUNS,
    )
    for (const version of versionsOf(record.value)) {
      fc.assert(
        fc.property(valuesOf(record.value.at(version)), (value) => {
          const bytes = Buffer.from(record.encodeValue(value, version))
          assert.equal(bytes.readInt16BE(0), version)
          assert.deepEqual(record.decodeValue(bytes), value)
        }),
        RUNS,
      )
    }
  })
}

for (const [name, message] of Object.entries({
  consumerProtocolSubscription,
  consumerProtocolAssignment,
  controlRecordKey,
  endTxnMarker,
})) {
  test(`${name} comes back as it was written, in every version`, () => {
    for (const version of versionsOf(message)) {
      fc.assert(
        fc.property(valuesOf<object>(message.at(version)), (value) => {
          assert.deepEqual(message.decode(message.encode(value, version)), value)
        }),
        RUNS,
      )
    }
  })
}
