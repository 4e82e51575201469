import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { groupRecordCodec } from '../group-record-codec.ts'
import type { ConsumerGroupRecord } from './consumer-group-record.ts'

/** Java's `new Uuid(1, 2)`. */
const topicId = 'AAAAAAAAAAEAAAAAAAAAAg'
const groupId = 'g'
const memberId = 'm'

const partitions = (epochs: readonly (readonly [number, number])[]) => new Map([[topicId, new Map(epochs)]])

/** Bytes as Kafka 4.3.1's GroupCoordinatorRecordSerde writes them. */
const cases: readonly { name: string; key: string; value: string | null; record: ConsumerGroupRecord }[] = [
  {
    name: 'the epoch of a group, with a hash of any 64 bits',
    key: '0003000167',
    value: '000000000007010008fffffffffffffffe',
    record: { kind: 'consumerEpoch', groupId, value: { epoch: 7, metadataHash: -2n } },
  },
  {
    name: 'a group that is gone',
    key: '0003000167',
    value: null,
    record: { kind: 'consumerEpoch', groupId, value: null },
  },
  {
    name: 'the end of what Kafka 4.0 remembered of partitions',
    key: '0004000167',
    value: null,
    record: { kind: 'consumerPartitionMetadata', groupId, value: null },
  },
  {
    name: 'a member',
    key: '000500016700016d',
    value: '0000026902720263032f68030261026204782e2a0000ea600672616e676501000100',
    record: {
      kind: 'consumerMember',
      groupId,
      memberId,
      value: {
        instanceId: 'i',
        rackId: 'r',
        clientId: 'c',
        clientHost: '/h',
        subscribedTopicNames: ['a', 'b'],
        subscribedTopicRegex: 'x.*',
        rebalanceTimeoutMs: 60_000,
        serverAssignor: 'range',
        classicMemberMetadata: null,
      },
    },
  },
  {
    name: 'a member of the classic protocol',
    key: '000500016700016d',
    value: '000000000263032f68010100000001000100110100000009020672616e67650301020000',
    record: {
      kind: 'consumerMember',
      groupId,
      memberId,
      value: {
        instanceId: null,
        rackId: null,
        clientId: 'c',
        clientHost: '/h',
        subscribedTopicNames: [],
        subscribedTopicRegex: '',
        rebalanceTimeoutMs: 1,
        serverAssignor: null,
        classicMemberMetadata: {
          sessionTimeoutMs: 9,
          supportedProtocols: [{ name: 'range', metadata: Uint8Array.of(1, 2) }],
        },
      },
    },
  },
  {
    name: 'a member that is gone',
    key: '000500016700016d',
    value: null,
    record: { kind: 'consumerMember', groupId, memberId, value: null },
  },
  {
    name: 'the epoch of a target',
    key: '0006000167',
    value: '0000000000070100080000011f71fb04cb',
    record: {
      kind: 'consumerTargetEpoch',
      groupId,
      value: { assignmentEpoch: 7, assignmentTimestamp: 1_234_567_890_123 },
    },
  },
  {
    name: 'the target of a member',
    key: '000700016700016d',
    value: '000002000000000000000100000000000000020300000000000000020000',
    record: { kind: 'consumerTarget', groupId, memberId, value: new Map([[topicId, [0, 2]]]) },
  },
  {
    name: 'what a member has, and since when',
    key: '000800016700016d',
    value:
      '0000000000070000000601020000000000000001000000000000000202000000000100050200000005' +
      '02000000000000000100000000000000020200000001010005020000000600',
    record: {
      kind: 'consumerAssignment',
      groupId,
      memberId,
      value: {
        memberEpoch: 7,
        previousMemberEpoch: 6,
        state: 'unrevoked',
        assignedPartitions: partitions([[0, 5]]),
        partitionsPendingRevocation: partitions([[1, 6]]),
      },
    },
  },
  {
    name: 'the topics of a regular expression',
    key: '00100001670003782e2a',
    value: '00000203786100000000000000030000011f71fb04cb00',
    record: {
      kind: 'consumerRegex',
      groupId,
      regex: 'x.*',
      value: { topics: ['xa'], version: 3, timestamp: 1_234_567_890_123 },
    },
  },
]

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'))

describe('records of KIP-848 groups', () => {
  for (const { name, key, value, record } of cases) {
    test(`${name}: written and read as Kafka does`, () => {
      const encoded = groupRecordCodec.encode(record)
      assert.equal(Buffer.from(encoded.key).toString('hex'), key)
      assert.equal(encoded.value && Buffer.from(encoded.value).toString('hex'), value)
      assert.deepEqual(groupRecordCodec.decode({ key: bytes(key), value: value && bytes(value) } as never), record)
    })
  }

  test('what members had before Kafka 4.3 counts as got in the epoch of the member; a state there is not is unknown', () => {
    const decoded = groupRecordCodec.decode({
      key: bytes('000800016700016d'),
      value: bytes('00000000000700000006090200000000000000010000000000000002030000000000000001000100'),
    })
    assert.deepEqual(decoded, {
      kind: 'consumerAssignment',
      groupId,
      memberId,
      value: {
        memberEpoch: 7,
        previousMemberEpoch: 6,
        state: 'unknown',
        assignedPartitions: partitions([
          [0, 7],
          [1, 7],
        ]),
        partitionsPendingRevocation: new Map(),
      },
    })
  })

  test('what a static member of before Kafka 4.3 left behind counts as got in epoch 0', () => {
    const decoded = groupRecordCodec.decode({
      key: bytes('000800016700016d'),
      value: bytes('0000fffffffe000000060002000000000000000100000000000000020200000000000100'),
    })
    assert.ok(decoded?.kind === 'consumerAssignment')
    assert.equal(decoded.value?.memberEpoch, -2)
    assert.deepEqual(decoded.value?.assignedPartitions, partitions([[0, 0]]))
  })

  test('what was remembered of partitions is not read any more', () => {
    const decoded = groupRecordCodec.decode({ key: bytes('0004000167'), value: bytes('00000100') })
    assert.deepEqual(decoded, { kind: 'consumerPartitionMetadata', groupId, value: 'outdated' })
  })
})
