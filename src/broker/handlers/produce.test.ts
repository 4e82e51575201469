import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ProduceRequest, ProduceResponse } from '../../protocol/apis/produce.ts'
import { ErrorCode } from '../../protocol/error-code.ts'
import { ZERO_UUID } from '../../lib/uuid.ts'
import { buildBatch } from '../../records/batch-builder.ts'
import { idOf, type TopicSketch } from '../../replication/image.sim.ts'
import { CloseConnection } from '../handler.ts'
import { batchOf, ServedTopics } from '../served-topics.sim.ts'
import { handleProduce } from './produce.ts'

interface Sent {
  readonly acks?: number
  readonly timeoutMs?: number
  readonly transactionalId?: string | null
  /** By topic: batches by partition. */
  readonly data?: Readonly<Record<string, readonly (Uint8Array | null)[]>>
  readonly byId?: boolean
}

function requestOf({
  acks = -1,
  timeoutMs = 30_000,
  transactionalId = null,
  data,
  byId = false,
}: Sent): ProduceRequest {
  const topics = Object.entries(data ?? { orders: [batchOf(['a'])] })
  return {
    transactionalId,
    acks,
    timeoutMs,
    topicData: topics.map(([name, batches]) => ({
      name: byId ? '' : name,
      topicId: byId ? idOf(name) : ZERO_UUID,
      partitionData: batches.map((batch, index) => ({ index, records: batch === null ? null : [batch] })),
    })),
  }
}

async function broker(sketch: Partial<TopicSketch> = {}, options: ConstructorParameters<typeof ServedTopics>[0] = {}) {
  const topics = new ServedTopics(options)
  await topics.become({ name: 'orders', partitions: 3, ...sketch })
  return topics
}

async function produced(
  topics: ServedTopics,
  sent: Sent = {},
  apiVersion = 9,
  clientId = 'test',
): Promise<ProduceResponse> {
  const response = await handleProduce(topics.context(apiVersion, clientId), requestOf(sent))
  assert.notEqual(response, null)
  return response!
}

const codesOf = ({ responses }: ProduceResponse): ErrorCode[] =>
  responses.flatMap(({ partitionResponses }) => partitionResponses.map(({ errorCode }) => errorCode))

const firstOf = ({ responses }: ProduceResponse) => responses[0]!.partitionResponses[0]!

describe('a produce that is accepted', () => {
  test('gets the offset of its first record, and the records are in the log', async () => {
    const topics = await broker()
    await topics.fill('orders', 1, ['x', 'y'])
    const response = await produced(topics, { data: { orders: [batchOf(['a', 'b', 'c']), batchOf(['d'])] } })
    assert.deepEqual(
      response.responses[0]!.partitionResponses.map(({ index, errorCode, baseOffset }) => [
        index,
        errorCode,
        baseOffset,
      ]),
      [
        [0, ErrorCode.NONE, 0],
        [1, ErrorCode.NONE, 2],
      ],
    )
    assert.equal(topics.log('orders', 0).logEndOffset, 3)
    assert.equal(topics.log('orders', 1).logEndOffset, 3)
  })

  test('is answered with everything a client may ask for', async () => {
    const topics = await broker()
    await topics.log('orders', 0).advanceStartTo(0)
    assert.deepEqual(await produced(topics), {
      responses: [
        {
          name: 'orders',
          topicId: ZERO_UUID,
          partitionResponses: [
            {
              index: 0,
              errorCode: ErrorCode.NONE,
              baseOffset: 0,
              logAppendTimeMs: -1,
              logStartOffset: 0,
              recordErrors: [],
              errorMessage: null,
              currentLeader: { leaderId: -1, leaderEpoch: -1 },
            },
          ],
        },
      ],
      throttleTimeMs: 0,
      nodeEndpoints: [],
    })
  })

  test('learns the append time of a LogAppendTime topic', async () => {
    const topics = await broker({ configs: { 'message.timestamp.type': 'LogAppendTime' } })
    assert.equal(firstOf(await produced(topics)).logAppendTimeMs, topics.clock.now())
  })

  test('may name its topics by id from v13', async () => {
    const topics = await broker()
    const response = await produced(topics, { byId: true }, 13)
    assert.deepEqual(codesOf(response), [ErrorCode.NONE])
    assert.equal(response.responses[0]!.topicId, idOf('orders'))
  })

  test('is appended before the handler waits, so that batches keep their order', async () => {
    const topics = await broker({}, { immediate: false })
    const first = handleProduce(topics.context(9), requestOf({ data: { orders: [batchOf(['a'])] } }))
    const second = handleProduce(topics.context(9), requestOf({ data: { orders: [batchOf(['b'])] } }))
    assert.equal(topics.log('orders').logEndOffset, 2)
    topics.log('orders').flush()
    assert.equal(firstOf((await first)!).baseOffset, 0)
    assert.equal(firstOf((await second)!).baseOffset, 1)
  })
})

describe('acks', () => {
  test('1 waits until the record is visible where the leader is the whole ISR', async () => {
    const topics = await broker({}, { immediate: false })
    let answered = false
    const response = Promise.resolve(handleProduce(topics.context(9), requestOf({ acks: 1 }))).then((response) => {
      answered = true
      return response!
    })
    topics.log('orders').write()
    await topics.clock.settle()
    assert.equal(answered, false)
    topics.log('orders').flush()
    assert.deepEqual(codesOf(await response), [ErrorCode.NONE])
    assert.equal(topics.partition('orders').highWatermark, 1)
  })

  test('1 asks for no more replicas than the leader', async () => {
    const configs = { 'min.insync.replicas': '2' }
    const topics = await broker({ replicas: [1, 2], isr: [1], configs })
    assert.deepEqual(codesOf(await produced(topics, { acks: 1 })), [ErrorCode.NONE])
  })

  test('1 waits for the page cache where other replicas are in sync', async () => {
    const topics = await broker({ replicas: [1, 2] }, { immediate: false })
    let answered = false
    const response = Promise.resolve(handleProduce(topics.context(9), requestOf({ acks: 1 }))).then((response) => {
      answered = true
      return response!
    })
    await topics.clock.settle()
    assert.equal(answered, false)
    topics.log('orders').write()
    assert.deepEqual(codesOf(await response), [ErrorCode.NONE])
  })

  test('all waits for every partition to be committed', async () => {
    const topics = await broker({}, { immediate: false })
    let answered = false
    const data = { orders: [batchOf(['a']), batchOf(['b'])] }
    const response = Promise.resolve(handleProduce(topics.context(9), requestOf({ data }))).then((response) => {
      answered = true
      return response!
    })
    topics.log('orders', 0).flush()
    topics.log('orders', 1).write()
    await topics.clock.settle()
    assert.equal(answered, false)
    topics.log('orders', 1).flush()
    assert.deepEqual(codesOf(await response), [ErrorCode.NONE, ErrorCode.NONE])
    assert.equal(topics.clock.pendingTimers, 0)
  })

  test('all times out for partitions that are not committed in time; their records stay', async () => {
    const topics = await broker({}, { immediate: false })
    const data = { orders: [batchOf(['a']), batchOf(['b'])] }
    const response = handleProduce(topics.context(9), requestOf({ data, timeoutMs: 100 }))
    topics.log('orders', 0).flush()
    await topics.clock.advance(100)
    assert.deepEqual(codesOf((await response)!), [ErrorCode.NONE, ErrorCode.REQUEST_TIMED_OUT])
    topics.log('orders', 1).flush()
    assert.equal(topics.partition('orders', 1).highWatermark, 1)
  })

  test('all reports an ISR that became too small while waiting', async () => {
    const configs = { 'min.insync.replicas': '2' }
    const topics = await broker({ replicas: [1, 2], configs }, { immediate: false })
    const response = handleProduce(topics.context(9), requestOf({}))
    topics.log('orders').flush()
    await topics.become({ name: 'orders', partitions: 3, replicas: [1, 2], isr: [1], configs })
    assert.deepEqual(codesOf((await response)!), [ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND])
  })

  test('a log on a disk that hangs takes no more than all requests may hold', async () => {
    const topics = await broker({}, { immediate: false, settings: { 'queued.max.request.bytes': '1000' } })
    const send = () => handleProduce(topics.context(9), requestOf({ data: { orders: [batchOf(['x'.repeat(800)])] } }))
    const first = [Promise.resolve(send()), Promise.resolve(send())]
    assert.deepEqual(codesOf((await send())!), [ErrorCode.REQUEST_TIMED_OUT])
    assert.equal(topics.log('orders').logEndOffset, 2)
    topics.log('orders').flush()
    await Promise.all(first)
    const last = send()
    topics.log('orders').flush()
    assert.deepEqual(codesOf((await last)!), [ErrorCode.NONE])
  })

  test('0 gets no answer', async () => {
    const topics = await broker({}, { immediate: false })
    assert.equal(handleProduce(topics.context(9), requestOf({ acks: 0 })), null)
    assert.equal(topics.log('orders').logEndOffset, 1)
  })

  test('0 closes the connection on any error', async () => {
    const topics = await broker()
    const request = requestOf({ acks: 0, data: { orders: [batchOf(['a'])], nothing: [batchOf(['b'])] } })
    assert.throws(() => handleProduce(topics.context(9), request), CloseConnection)
    assert.equal(topics.log('orders').logEndOffset, 1)
  })

  test('0 waits for the disk once much is unconfirmed, and closes the connection when the disk fails', async () => {
    const topics = await broker({ configs: { 'max.message.bytes': '30000000' } }, { immediate: false })
    const large = () => requestOf({ acks: 0, data: { orders: [batchOf(['x'.repeat(17_000_000)])] } })
    const held = handleProduce(topics.context(9), large())
    assert.ok(held instanceof Promise)
    topics.log('orders').write()
    assert.equal(await held, null)
    const doomed = handleProduce(topics.context(9), large())
    topics.log('orders').fail(new Error('EIO'))
    await assert.rejects(async () => doomed, CloseConnection)
  })
})

describe('a produce that is refused', () => {
  const plain = () => batchOf(['a'])
  const cases: {
    readonly name: string
    readonly sent: () => Sent
    readonly code: ErrorCode
    readonly version?: number
    readonly sketch?: Partial<TopicSketch>
  }[] = [
    {
      name: 'an unknown topic',
      sent: () => ({ data: { nothing: [plain()] } }),
      code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    },
    {
      name: 'an unknown partition',
      sketch: { partitions: 1 },
      sent: () => ({ data: { orders: [plain(), plain()] } }),
      code: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
    },
    {
      name: 'an unknown topic id',
      version: 13,
      sent: () => ({ byId: true, data: { nothing: [plain()] } }),
      code: ErrorCode.UNKNOWN_TOPIC_ID,
    },
    { name: 'no records', sent: () => ({ data: { orders: [null] } }), code: ErrorCode.INVALID_RECORD },
    {
      name: 'an empty record set',
      sent: () => ({ data: { orders: [new Uint8Array(0)] } }),
      code: ErrorCode.INVALID_RECORD,
    },
    {
      name: 'two batches for one partition',
      sent: () => ({ data: { orders: [Buffer.concat([plain(), plain()])] } }),
      code: ErrorCode.INVALID_RECORD,
    },
    {
      name: 'zstd before v7',
      version: 6,
      sent: () => ({ data: { orders: [batchOf(['a'], { codec: 'zstd' })] } }),
      code: ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
    },
    { name: 'acks of 2', sent: () => ({ acks: 2 }), code: ErrorCode.INVALID_REQUIRED_ACKS },
    {
      name: 'an internal topic',
      sketch: { internal: true },
      sent: () => ({}),
      code: ErrorCode.INVALID_TOPIC_EXCEPTION,
    },
    {
      name: 'a partition led elsewhere',
      sketch: { leader: 2, replicas: [1, 2] },
      sent: () => ({}),
      code: ErrorCode.NOT_LEADER_OR_FOLLOWER,
    },
    {
      name: 'a partition held elsewhere',
      sketch: { leader: 2, replicas: [2] },
      sent: () => ({}),
      code: ErrorCode.NOT_LEADER_OR_FOLLOWER,
    },
    {
      name: 'too small an ISR',
      sketch: { replicas: [1, 2], isr: [1], configs: { 'min.insync.replicas': '2' } },
      sent: () => ({}),
      code: ErrorCode.NOT_ENOUGH_REPLICAS,
    },
    {
      name: 'a base offset',
      sent: () => ({ data: { orders: [batchOf(['a'], { baseOffset: 5 })] } }),
      code: ErrorCode.INVALID_RECORD,
    },
    {
      name: 'a batch over max.message.bytes',
      sketch: { configs: { 'max.message.bytes': '70' } },
      sent: () => ({ data: { orders: [batchOf(['x'.repeat(100)])] } }),
      code: ErrorCode.MESSAGE_TOO_LARGE,
    },
    {
      name: 'a flipped bit',
      sent: () => {
        const batch = plain()
        batch[batch.length - 1]! ^= 1
        return { data: { orders: [batch] } }
      },
      code: ErrorCode.CORRUPT_MESSAGE,
    },
    {
      name: 'a control batch',
      sent: () => ({ data: { orders: [batchOf(['a'], { control: true })] } }),
      code: ErrorCode.INVALID_RECORD,
    },
    {
      name: 'a keyless record for a compacted topic',
      sketch: { configs: { 'cleanup.policy': 'compact' } },
      sent: () => ({}),
      code: ErrorCode.INVALID_RECORD,
    },
    {
      name: 'a timestamp from the future',
      sent: () => ({ data: { orders: [batchOf(['a'], { timestamp: 4e12 })] } }),
      code: ErrorCode.INVALID_TIMESTAMP,
    },
    {
      name: 'a transactional batch without a transactional id',
      sent: () => ({
        data: { orders: [batchOf(['a'], { transactional: true, producerId: 1, producerEpoch: 0, baseSequence: 0 })] },
      }),
      code: ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    },
    {
      name: 'a transactional batch: there are no transactions',
      sent: () => ({
        transactionalId: 't',
        data: { orders: [batchOf(['a'], { transactional: true, producerId: 1, producerEpoch: 0, baseSequence: 0 })] },
      }),
      code: ErrorCode.INVALID_TXN_STATE,
    },
  ]
  for (const { name, sent, code, version, sketch } of cases) {
    test(`for ${name} leaves the log as it was`, async () => {
      const topics = await broker(sketch)
      const response = await produced(topics, sent(), version)
      const answer = response.responses.at(-1)!.partitionResponses.at(-1)!
      assert.equal(answer.errorCode, code)
      assert.equal(answer.baseOffset, -1)
      if (!sketch?.partitions) assert.equal(topics.log('orders')?.logEndOffset ?? 0, 0)
    })
  }

  test('is refused for its form before anything is asked of the partition', async () => {
    const topics = await broker({ replicas: [1, 2], leader: 2 })
    const oldMagic = plain()
    oldMagic[16] = 1
    assert.deepEqual(codesOf(await produced(topics, { acks: 5, data: { orders: [oldMagic] } })), [
      ErrorCode.INVALID_RECORD,
    ])
    const corrupt = plain()
    corrupt[corrupt.length - 1]! ^= 1
    assert.deepEqual(codesOf(await produced(topics, { data: { orders: [corrupt] } })), [
      ErrorCode.NOT_LEADER_OR_FOLLOWER,
    ])
  })

  test('tells where the log starts only for the errors that Kafka tells it with', async () => {
    const topics = await broker()
    const corrupt = plain()
    corrupt[corrupt.length - 1]! ^= 1
    const control = batchOf(['a'], { control: true })
    const response = await produced(topics, { data: { orders: [corrupt, control] } })
    assert.deepEqual(
      response.responses[0]!.partitionResponses.map(({ errorCode, logStartOffset }) => [errorCode, logStartOffset]),
      [
        [ErrorCode.CORRUPT_MESSAGE, -1],
        [ErrorCode.INVALID_RECORD, 0],
      ],
    )
  })

  test('that names a partition twice is about the last batch, and answered once', async () => {
    const topics = await broker()
    const request = requestOf({ data: { orders: [batchOf(['a'])], nothing: [] } })
    const [orders, nothing] = request.topicData
    const again = { ...orders!, partitionData: [{ index: 0, records: [batchOf(['b', 'c'])] }] }
    const response = await handleProduce(topics.context(9, 'test'), {
      ...request,
      topicData: [orders!, nothing!, again],
    })
    assert.deepEqual(
      response?.responses.map(({ name, partitionResponses }) => [name, partitionResponses.length]),
      [['orders', 1]],
    )
    assert.equal(topics.log('orders').logEndOffset, 2)
  })

  test('in one partition does not keep the others from being appended', async () => {
    const topics = await broker()
    const response = await produced(topics, { data: { nothing: [plain()], orders: [plain(), null, plain()] } })
    assert.deepEqual(codesOf(response), [
      ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
      ErrorCode.NONE,
      ErrorCode.INVALID_RECORD,
      ErrorCode.NONE,
    ])
  })

  test('for transactional batches of two producers is refused whole', async () => {
    const topics = await broker()
    const of = (producerId: number) =>
      batchOf(['a'], { transactional: true, producerId, producerEpoch: 0, baseSequence: 0 })
    const response = await produced(topics, { transactionalId: 't', data: { orders: [plain(), of(1), of(2)] } })
    assert.deepEqual(codesOf(response), Array(3).fill(ErrorCode.INVALID_PRODUCER_ID_MAPPING))
    assert.equal(topics.log('orders').logEndOffset, 0)
  })

  test('names the bad records and says what is wrong with them', async () => {
    const topics = await broker({ configs: { 'cleanup.policy': 'compact' } })
    const batch = buildBatch([{ key: 'k', value: 'a' }, { value: 'b' }])
    const answer = firstOf(await produced(topics, { data: { orders: [batch] } }))
    assert.deepEqual(
      answer.recordErrors.map(({ batchIndex }) => batchIndex),
      [1],
    )
    assert.match(answer.recordErrors[0]!.batchIndexErrorMessage!, /key/)
    assert.match(answer.errorMessage!, /key/)
    assert.equal(answer.logStartOffset, 0)
  })

  test('for a partition whose disk failed is a storage error', async () => {
    const topics = new ServedTopics()
    topics.broken.add('orders-0')
    await topics.become({ name: 'orders' })
    assert.deepEqual(codesOf(await produced(topics)), [ErrorCode.KAFKA_STORAGE_ERROR])
  })

  for (const [refusal, code] of [
    ['recordListTooLarge', ErrorCode.RECORD_LIST_TOO_LARGE],
    ['invalidProducerEpoch', ErrorCode.INVALID_PRODUCER_EPOCH],
    ['outOfOrderSequence', ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER],
    ['invalidTxnState', ErrorCode.INVALID_TXN_STATE],
    ['offline', ErrorCode.KAFKA_STORAGE_ERROR],
  ] as const) {
    test(`by the log (${refusal}) gets code ${code}`, async () => {
      const topics = await broker()
      topics.log('orders').refusal = refusal
      assert.deepEqual(codesOf(await produced(topics)), [code])
    })
  }

  test('an internal topic takes records of the admin client', async () => {
    const topics = await broker({ internal: true })
    assert.deepEqual(codesOf(await produced(topics, {}, 9, '__admin_client')), [ErrorCode.NONE])
  })
})

describe('a produce whose partition is lost while it waits', () => {
  const lose = async (how: (topics: ServedTopics) => Promise<void> | void, version = 9) => {
    const topics = await broker({ partitions: 1, replicas: [1, 2], isr: [1] }, { immediate: false })
    const response = handleProduce(topics.context(version), requestOf({}))
    await how(topics)
    return (await response)!
  }

  test('to another leader is told so, and who it is', async () => {
    const response = await lose(
      (topics) => topics.become({ name: 'orders', replicas: [1, 2], leader: 2, leaderEpoch: 4 }),
      10,
    )
    assert.equal(firstOf(response).errorCode, ErrorCode.NOT_LEADER_OR_FOLLOWER)
    assert.deepEqual(firstOf(response).currentLeader, { leaderId: 2, leaderEpoch: 4 })
    assert.deepEqual(response.nodeEndpoints, [{ nodeId: 2, host: 'broker-2', port: 9092, rack: 'rack-b' }])
  })

  test('names each leader once, however many partitions it leads', async () => {
    const topics = await broker({ replicas: [1, 2], leader: 2 })
    const data = { orders: [batchOf(['a']), batchOf(['b'])] }
    const { nodeEndpoints } = await produced(topics, { data }, 10)
    assert.deepEqual(
      nodeEndpoints.map(({ nodeId }) => nodeId),
      [2],
    )
  })

  test('is not told who leads before v10', async () => {
    const response = await lose((topics) =>
      topics.become({ name: 'orders', replicas: [1, 2], leader: 2, leaderEpoch: 4 }),
    )
    assert.deepEqual(firstOf(response).currentLeader, { leaderId: -1, leaderEpoch: -1 })
    assert.deepEqual(response.nodeEndpoints, [])
  })

  test('to a deletion finds its topic unknown', async () => {
    assert.deepEqual(codesOf(await lose((topics) => topics.become())), [ErrorCode.UNKNOWN_TOPIC_OR_PARTITION])
  })

  test('to a disk fault gets a storage error', async () => {
    const response = await lose((topics) => topics.log('orders').fail(new Error('EIO')))
    assert.deepEqual(codesOf(response), [ErrorCode.KAFKA_STORAGE_ERROR])
  })
})
