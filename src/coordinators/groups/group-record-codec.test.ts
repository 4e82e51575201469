import assert from 'node:assert/strict'
import test from 'node:test'

import * as fc from 'fast-check'

import { ZERO_UUID } from '../../lib/uuid.ts'
import type { GroupRecord } from './group-record.ts'
import { groupRecordCodec as codec } from './group-record-codec.ts'

const bytes = (hex: string) => Buffer.from(hex.replaceAll(/\s/g, ''), 'hex')
const hex = (view: Uint8Array | null) => (view === null ? null : Buffer.from(view).toString('hex'))

/** Laid out by hand from Kafka's definitions of the records. */
const known: { name: string; record: GroupRecord; key: string; value: string | null }[] = [
  {
    name: 'an offset is version 4: flexible, with a tagged topic id',
    record: {
      kind: 'offset',
      groupId: 'g',
      topic: 'ab',
      partition: 3,
      value: {
        offset: 10,
        leaderEpoch: 2,
        metadata: 'm',
        commitTimestamp: 1000,
        expireTimestamp: -1,
        topicId: 'AAAAAAAAAAAAAAAAAAAAAQ',
      },
    },
    key: '0001 0001 67 0002 6162 00000003',
    value: '0004 000000000000000a 00000002 02 6d 00000000000003e8 01 00 10 00000000000000000000000000000001',
  },
  {
    name: 'an offset without topic id has no tag',
    record: {
      kind: 'offset',
      groupId: 'g',
      topic: 'ab',
      partition: 3,
      value: {
        offset: 10,
        leaderEpoch: -1,
        metadata: '',
        commitTimestamp: 1000,
        expireTimestamp: -1,
        topicId: ZERO_UUID,
      },
    },
    key: '0001 0001 67 0002 6162 00000003',
    value: '0004 000000000000000a ffffffff 01 00000000000003e8 00',
  },
  {
    name: 'an offset with an expire time is version 1',
    record: {
      kind: 'offset',
      groupId: 'g',
      topic: 'ab',
      partition: 3,
      value: {
        offset: 10,
        leaderEpoch: -1,
        metadata: 'm',
        commitTimestamp: 1000,
        expireTimestamp: 2000,
        topicId: ZERO_UUID,
      },
    },
    key: '0001 0001 67 0002 6162 00000003',
    value: '0001 000000000000000a 0001 6d 00000000000003e8 00000000000007d0',
  },
  {
    name: 'an offset that is deleted has no value',
    record: { kind: 'offsetDeleted', groupId: 'g', topic: 'ab', partition: 3 },
    key: '0001 0001 67 0002 6162 00000003',
    value: null,
  },
  {
    name: 'a generation is version 3',
    record: {
      kind: 'generation',
      groupId: 'g',
      value: {
        protocolType: 'consumer',
        generation: 5,
        protocol: 'range',
        leader: 'm1',
        currentStateTimestamp: 1000,
        members: [
          {
            memberId: 'm1',
            groupInstanceId: null,
            clientId: 'c',
            clientHost: '/h',
            rebalanceTimeoutMs: 300_000,
            sessionTimeoutMs: 45_000,
            subscription: Uint8Array.of(1, 2),
            assignment: Uint8Array.of(3),
          },
        ],
      },
    },
    key: '0002 0001 67',
    value: `0003 0008 636f6e73756d6572 00000005 0005 72616e6765 0002 6d31 00000000000003e8 00000001
      0002 6d31 ffff 0001 63 0002 2f68 000493e0 0000afc8 00000002 0102 00000001 03`,
  },
  {
    name: 'a group that is deleted has no value',
    record: { kind: 'groupDeleted', groupId: 'g' },
    key: '0002 0001 67',
    value: null,
  },
]
for (const { name, record, key, value } of known) {
  test(`${name}, in Kafka's bytes, both ways`, () => {
    const encoded = codec.encode(record)
    assert.equal(hex(encoded.key), hex(bytes(key)))
    assert.equal(hex(encoded.value), value === null ? null : hex(bytes(value)))
    assert.deepEqual(hexed(codec.decode(encoded)), hexed(record))
  })
}

/** Buffers and plain arrays of bytes compare as text. */
function hexed(record: GroupRecord | null): unknown {
  return JSON.parse(
    JSON.stringify(record, (_key, value: unknown) => (value instanceof Uint8Array ? hex(value) : value)),
  )
}

test('an offset of the oldest form is read', () => {
  const decoded = codec.decode({
    key: bytes('0000 0001 67 0002 6162 00000003'),
    value: bytes('0000 000000000000000a 0001 6d 00000000000003e8'),
  })
  const value = {
    offset: 10,
    leaderEpoch: -1,
    metadata: 'm',
    commitTimestamp: 1000,
    expireTimestamp: -1,
    topicId: ZERO_UUID,
  }
  assert.deepEqual(decoded, { kind: 'offset', groupId: 'g', topic: 'ab', partition: 3, value })
})

test('a member of the oldest form waits for a rebalance as long as its session lasts', () => {
  const decoded = codec.decode({
    key: bytes('0002 0001 67'),
    value: bytes('0000 0001 63 00000001 ffff ffff 00000001 0001 6d 0001 63 0001 68 00001388 00000000 00000000'),
  })
  assert.ok(decoded?.kind === 'generation')
  assert.deepEqual(
    [decoded.value.members[0]!.rebalanceTimeoutMs, decoded.value.currentStateTimestamp, decoded.value.leader],
    [5_000, -1, null],
  )
})

test('what is decoded does not hold on to the bytes it came from', () => {
  const { key, value } = codec.encode(known[4]!.record)
  const decoded = codec.decode({ key, value })
  const before = JSON.stringify(hexed(decoded))
  value!.fill(0)
  assert.equal(JSON.stringify(hexed(decoded)), before)
})

test("records of other kinds are nobody's", () => {
  assert.equal(codec.decode({ key: bytes('000a 0001 67 0001 6d'), value: null }), null) // a share group's
  assert.equal(codec.decode({ key: bytes('7fff'), value: null }), null)
})

test('damaged records are an error', () => {
  assert.throws(() => codec.decode({ key: bytes('0001 0001'), value: null }))
  assert.throws(() => codec.decode({ key: bytes('0002 0001 67'), value: bytes('0003 00') }))
})

test('generations are read as they were written', () => {
  const name = fc.string({ unit: 'grapheme', maxLength: 20 })
  const blob = fc.uint8Array({ maxLength: 50 })
  const member = fc.record({
    memberId: name,
    groupInstanceId: fc.option(name),
    clientId: name,
    clientHost: name,
    rebalanceTimeoutMs: fc.nat(),
    sessionTimeoutMs: fc.nat(),
    subscription: blob,
    assignment: blob,
  })
  const value = fc.record({
    protocolType: name,
    generation: fc.nat(),
    protocol: fc.option(name),
    leader: fc.option(name),
    currentStateTimestamp: fc.integer({ min: -1 }),
    members: fc.array(member, { maxLength: 5 }),
  })
  fc.assert(
    fc.property(name, value, (groupId, generation) => {
      const record: GroupRecord = { kind: 'generation', groupId, value: generation }
      assert.deepEqual(hexed(codec.decode(codec.encode(record))), hexed(record))
    }),
    { numRuns: 200 },
  )
})
