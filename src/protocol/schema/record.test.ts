import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../consumer-protocol.ts'
import { ControlRecordType, controlRecordKey, endTxnMarker } from '../control-records.ts'
import { groupMetadata, offsetCommit } from '../group-records/index.ts'
import { DecodeError, recordTypeOf } from './index.ts'

/** Hex in groups, for the reader. */
const spaced = (parts: TemplateStringsArray) => parts.join('').replaceAll(' ', '')

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

test('a key begins with its type, a value with its version', () => {
  const key = offsetCommit.encodeKey({ group: 'g', topic: 't', partition: 2 })
  assert.equal(hex(key), spaced`0001 000167 000174 00000002`)
  assert.equal(recordTypeOf(key), 1)
  const value = offsetCommit.encodeValue({ offset: 5, leaderEpoch: 3, metadata: 'm', commitTimestamp: 9 }, 3)
  assert.equal(hex(value), spaced`0003 0000000000000005 00000003 00016d 0000000000000009`)
  assert.equal(hex(offsetCommit.encodeValue({})).slice(0, 4), '0004')
})

test('an expiry is kept by the one version that has it', () => {
  const value = offsetCommit.encodeValue({ offset: 5, expireTimestamp: 77 }, 1)
  assert.equal(offsetCommit.decodeValue(value).expireTimestamp, 77)
  assert.equal(
    offsetCommit.decodeValue(offsetCommit.encodeValue({ offset: 5, expireTimestamp: 77 })).expireTimestamp,
    -1,
  )
})

test('the key of another type and a value of an unknown version are refused', () => {
  const key = groupMetadata.encodeKey({ group: 'g' })
  assert.throws(() => offsetCommit.decodeKey(key), /key of type 2, not of OffsetCommit, 1/)
  assert.throws(() => offsetCommit.decodeValue(Buffer.from('0005', 'hex')), DecodeError)
  assert.throws(() => offsetCommit.decodeValue(Buffer.from('ffff', 'hex')), DecodeError)
  assert.throws(() => recordTypeOf(Buffer.from('00', 'hex')), DecodeError)
})

test('a key or a value with bytes left over is refused', () => {
  const key = offsetCommit.encodeKey({ group: 'g' })
  assert.throws(() => offsetCommit.decodeKey(Buffer.concat([key, Buffer.from([0])])), /left over/)
  const value = offsetCommit.encodeValue({})
  assert.throws(() => offsetCommit.decodeValue(Buffer.concat([value, Buffer.from([0])])), /left over/)
})

test('what is encoded is a copy of its own', () => {
  const content = Buffer.alloc(3000, 1)
  const value = groupMetadata.encodeValue({ members: [{ memberId: 'm', assignment: content }] })
  content.fill(2)
  assert.deepEqual(groupMetadata.decodeValue(value).members[0]!.assignment, Buffer.alloc(3000, 1))
})

test('a subscription of a later version is read as the latest known', () => {
  const bytes = Buffer.from(consumerProtocolSubscription.encode({ topics: ['t'], generationId: 4, rackId: 'r' }))
  bytes.writeInt16BE(4, 0)
  const later = Buffer.concat([bytes, Buffer.from('new field')])
  const { topics, generationId, rackId } = consumerProtocolSubscription.decode(later)
  assert.deepEqual({ topics, generationId, rackId }, { topics: ['t'], generationId: 4, rackId: 'r' })
  bytes.writeInt16BE(-1, 0)
  assert.throws(() => consumerProtocolSubscription.decode(bytes), DecodeError)
})

test('an assignment is a list of partitions for each topic', () => {
  const bytes = consumerProtocolAssignment.encode({ assignedPartitions: [{ topic: 't', partitions: [0, 1] }] }, 0)
  assert.equal(hex(bytes), spaced`0000 00000001 000174 00000002 00000000 00000001 ffffffff`)
})

test('a commit marker is a type and the epoch of its coordinator', () => {
  assert.equal(hex(controlRecordKey.encode({ type: ControlRecordType.COMMIT })), spaced`0000 0001`)
  assert.equal(hex(endTxnMarker.encode({ coordinatorEpoch: 6 })), spaced`0000 00000006`)
})
