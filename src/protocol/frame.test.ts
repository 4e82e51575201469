import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apiVersions, findCoordinator, heartbeat, listOffsets, metadata, produce, saslHandshake } from './apis/index.ts'
import { decodeRequest, decodeRequestHeader, decodeResponse, encodeRequest, encodeResponse } from './frame.ts'
import { DecodeError, EncodeError } from './schema/index.ts'

/** Hex in groups, for the reader. */
const spaced = (parts: TemplateStringsArray) => parts.join('').replaceAll(' ', '')

const hex = (chunks: readonly Uint8Array[]) => Buffer.concat(chunks).toString('hex')
const head = { correlationId: 7, clientId: 'me' }

test('a request that is not flexible has header 1', () => {
  const frame = encodeRequest(heartbeat, 3, head, { groupId: 'g', generationId: 1, memberId: 'm' })
  assert.equal(hex(frame), spaced`00000018 000c 0003 00000007 00026d65 000167 00000001 00016d ffff`)
})

test('a flexible request has header 2, with the client id in its old form', () => {
  const frame = encodeRequest(heartbeat, 4, head, { groupId: 'g', generationId: 1, memberId: 'm' })
  assert.equal(hex(frame), spaced`00000017 000c 0004 00000007 00026d65 00 0267 00000001 026d 00 00`)
})

test('a response has header 0, or 1 when it is flexible', () => {
  assert.equal(hex(encodeResponse(heartbeat, 3, 7, { errorCode: 27 })), spaced`0000000a 00000007 00000000 001b`)
  assert.equal(hex(encodeResponse(heartbeat, 4, 7, { errorCode: 27 })), spaced`0000000c 00000007 00 00000000 001b 00`)
})

test('an ApiVersions response has header 0 in every version', () => {
  assert.equal(hex(encodeResponse(apiVersions, 0, 7, { errorCode: 35 })), spaced`0000000a 00000007 0023 00000000`)
  assert.equal(hex(encodeResponse(apiVersions, 3, 7, { errorCode: 35 })), spaced`0000000c 00000007 0023 01 00000000 00`)
})

test('the header says where the body begins', () => {
  const frame = Buffer.concat(encodeRequest(metadata, 12, head, { topics: null })).subarray(4)
  const read = decodeRequestHeader(frame)
  assert.deepEqual(read, { apiKey: 3, apiVersion: 12, ...head, bodyOffset: 13 })
  assert.equal(decodeRequest(metadata, 12, frame, read.bodyOffset).topics, null)
})

test('tags in the header are skipped', () => {
  const frame = Buffer.from(spaced`000c 0004 00000007 00026d65 01 0502abcd 0267 00000001 026d 00 00`, 'hex')
  const read = decodeRequestHeader(frame)
  assert.equal(decodeRequest(heartbeat, 4, frame, read.bodyOffset).memberId, 'm')
})

test('the header of an API or a version that nobody knows still gives the correlation id', () => {
  for (const [apiKey, apiVersion] of [
    ['7fff', '0000'],
    ['0004', '0001'],
    ['0012', '7fff'],
    ['0000', '0000'],
    ['0012', 'ffff'],
  ]) {
    const read = decodeRequestHeader(Buffer.from(`${apiKey}${apiVersion}0000000700026d65ff`, 'hex'))
    assert.equal(read.correlationId, 7)
    assert.equal(read.clientId, 'me')
  }
  for (const rest of ['', '00', '00ff', 'ffff', '0001']) {
    const read = decodeRequestHeader(Buffer.from(`7fff000000000007${rest}`, 'hex'))
    assert.deepEqual([read.apiKey, read.correlationId, read.clientId], [0x7fff, 7, null])
  }
})

test('a header that is cut, or whose client id is malformed, is refused', () => {
  for (const frame of [
    '',
    '0003',
    '00030001000000',
    '000300010000000700',
    '0003000100000007000261',
    '00030001000000070001ff',
  ]) {
    assert.throws(() => decodeRequestHeader(Buffer.from(frame, 'hex')), DecodeError)
  }
})

test('a body must end with its frame', () => {
  const frame = Buffer.concat([
    ...encodeRequest(saslHandshake, 1, head, { mechanism: 'PLAIN' }),
    Buffer.from([0]),
  ]).subarray(4)
  const { bodyOffset } = decodeRequestHeader(frame)
  assert.throws(() => decodeRequest(saslHandshake, 1, frame, bodyOffset), { reason: '1 bytes left over' })
  const answer = Buffer.concat([...encodeResponse(saslHandshake, 1, 7, {}), Buffer.from([0])]).subarray(4)
  assert.throws(() => decodeResponse(saslHandshake, 1, answer), { reason: '1 bytes left over' })
})

test('the batches of a produce request go out by reference and come in as views', () => {
  const batch = Buffer.alloc(5000, 1)
  const topicData = [{ name: 't', partitionData: [{ index: 3, records: [batch] }] }]
  const chunks = encodeRequest(produce, 9, head, { acks: -1, timeoutMs: 1000, topicData })
  assert.ok(chunks.includes(batch))
  const frame = Buffer.concat(chunks).subarray(4)
  const body = decodeRequest(produce, 9, frame, decodeRequestHeader(frame).bodyOffset)
  const [view] = body.topicData[0]!.partitionData[0]!.records!
  assert.deepEqual(view, batch)
  assert.equal(view.buffer, frame.buffer)
})

test('a frame after one that failed is whole', () => {
  assert.throws(() => encodeResponse(metadata, 12, 7, { topics: [{ name: 'a'.repeat(40_000) }] }), EncodeError)
  assert.equal(hex(encodeResponse(heartbeat, 3, 7, {})), spaced`0000000a 00000007 00000000 0000`)
})

test('a response leaves out what its version lacks, a request refuses to', () => {
  const topics = [{ name: 'a', partitions: [{ partitionIndex: 0, leaderEpoch: 7, offset: 1 }] }]
  const [frame] = encodeResponse(listOffsets, 1, 7, { topics })
  const { body } = decodeResponse(listOffsets, 1, frame!.subarray(4))
  assert.equal(body.topics[0]?.partitions[0]?.leaderEpoch, -1)
  const coordinatorKeys = ['a', 'b']
  assert.throws(
    () => encodeRequest(findCoordinator, 3, { correlationId: 1, clientId: null }, { coordinatorKeys }),
    EncodeError,
  )
})
