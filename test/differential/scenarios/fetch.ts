// Fetch, with and without sessions, ListOffsets and OffsetForLeaderEpoch.

import { deleteTopics, fetch, listOffsets, offsetForLeaderEpoch, produce } from '../../../src/protocol/apis/index.ts'
import type { RequestInput, ResponseOf } from '../../../src/protocol/schema/index.ts'
import { waitFor } from '../../support/wait-for.ts'
import { closed, type Dialogue, rangeOf } from '../dialogue.ts'
import { batch, keyed, longAgo } from './batches.ts'

type FetchInput = RequestInput<typeof fetch>
type FetchPartitionInput = Partial<{
  partition: number
  currentLeaderEpoch: number
  fetchOffset: number
  lastFetchedEpoch: number
  partitionMaxBytes: number
}>

interface Named {
  readonly name: string
  readonly topicId: string
}

function topicOf(version: number, { name, topicId }: Named): { topic?: string; topicId?: string } {
  return version >= 13 ? { topicId } : { topic: name }
}

function request(
  version: number,
  topic: Named,
  partition: FetchPartitionInput = {},
  rest: FetchInput = {},
): FetchInput {
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 << 20, ...partition }]
  return { maxWaitMs: 0, minBytes: 1, maxBytes: 1 << 24, topics: [{ ...topicOf(version, topic), partitions }], ...rest }
}

/** A topic whose first partition has five batches of two records, with growing timestamps. */
async function filled(dialogue: Dialogue, stem: string, version?: number): Promise<Named> {
  const name = dialogue.name(stem, version)
  const topicId = await dialogue.topic(name, {}, 3)
  for (let i = 0; i < 5; i++) await fill({ name, topicId }, dialogue, longAgo + i * 1000)
  return { name, topicId }
}

async function fill({ name }: Named, dialogue: Dialogue, timestamp: number, index = 0): Promise<void> {
  const records = [batch({ timestamp }, keyed(2))]
  const partitionData = [{ index, records }]
  const answer = await dialogue.ask(produce, 9, { acks: -1, timeoutMs: 5000, topicData: [{ name, partitionData }] })
  if (answer === closed || answer.responses[0]!.partitionResponses[0]!.errorCode !== 0) throw new Error('not produced')
}

/** Partitions of a topic may come in several pieces, in whatever order they were looked at. */
function grouped(answer: ResponseOf<typeof fetch> | typeof closed): unknown {
  if (answer === closed) return answer
  const topics = Map.groupBy(answer.responses, ({ topic, topicId }) => topic + topicId)
  const responses = [...topics.values()].map((pieces) => ({
    ...pieces[0]!,
    partitions: pieces.flatMap(({ partitions }) => partitions),
  }))
  return { ...answer, responses }
}

export async function fetching(dialogue: Dialogue): Promise<void> {
  const orders = await filled(dialogue, 'orders')
  const unknown = { name: dialogue.name('nowhere'), topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' }
  const none = { name: '', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }
  const eachGrouped = (what: string, body: (version: number) => FetchInput) =>
    dialogue.inEach(rangeOf(fetch), async (version) => {
      dialogue.note(what, version, grouped(await dialogue.ask(fetch, version, body(version))))
    })
  const ask = (what: string, topic: Named, partition: FetchPartitionInput = {}, rest: FetchInput = {}) =>
    dialogue.each(what, fetch, (version) => request(version, topic, partition, rest))

  await ask('from the start', orders)
  await ask('read committed', orders, {}, { isolationLevel: 1 })
  await ask('an isolation level there is not', orders, {}, { isolationLevel: 5 })
  await ask('from within a batch', orders, { fetchOffset: 3 })
  await ask('at the end', orders, { fetchOffset: 10 })
  await ask('behind the end', orders, { fetchOffset: 11 })
  await ask('offset -1', orders, { fetchOffset: -1 })
  await ask('an empty partition', orders, { partition: 1 })
  await ask('unknown partition', orders, { partition: 9 })
  await ask('negative partition', orders, { partition: -1 })
  await ask('unknown topic', unknown)
  await ask('no topic', none)
  await ask('a bad topic name', { name: 'no/such', topicId: unknown.topicId })
  await ask('no bytes', orders, { partitionMaxBytes: 0 })
  await ask('negative bytes', orders, { partitionMaxBytes: -1 })
  await ask('one byte', orders, { partitionMaxBytes: 1 })
  await ask('no bytes in all', orders, {}, { maxBytes: 0 })
  await ask('one byte in all', orders, {}, { maxBytes: 1 })
  await ask('nothing to wait for', orders, { fetchOffset: 10 }, { minBytes: 0, maxWaitMs: 20 })
  await ask('a little wait', orders, { fetchOffset: 10 }, { maxWaitMs: 20 })
  await ask('a negative wait', orders, { fetchOffset: 10 }, { maxWaitMs: -5 })
  await ask('negative min bytes', orders, { fetchOffset: 10 }, { minBytes: -5 })
  await ask('no topics', orders, {}, { topics: [] })
  await dialogue.each('no partitions', fetch, (version) =>
    request(version, orders, {}, { topics: [{ ...topicOf(version, orders), partitions: [] }] }),
  )
  const epochs: readonly [number, number] = [9, 18]
  for (const currentLeaderEpoch of [0, 1, 99, -2]) {
    await dialogue.each(
      `leader epoch ${currentLeaderEpoch}`,
      fetch,
      (version) => request(version, orders, { currentLeaderEpoch }),
      epochs,
    )
  }
  await dialogue.each(
    'leader epoch 5 of an unknown partition',
    fetch,
    (version) => request(version, orders, { partition: 9, currentLeaderEpoch: 5 }),
    epochs,
  )
  await dialogue.each(
    'leader epoch 5, behind the end',
    fetch,
    (version) => request(version, orders, { fetchOffset: 99, currentLeaderEpoch: 5 }),
    epochs,
  )
  for (const lastFetchedEpoch of [0, 1, 7, -1]) {
    for (const fetchOffset of [5, 10, 11]) {
      await dialogue.each(
        `last fetched epoch ${lastFetchedEpoch} at ${fetchOffset}`,
        fetch,
        (version) => request(version, orders, { fetchOffset, lastFetchedEpoch }),
        [12, 18],
      )
    }
  }
  await dialogue.each('a rack', fetch, (version) => request(version, orders, {}, { rackId: 'somewhere' }), [11, 18])
  await dialogue.each(
    'another cluster',
    fetch,
    (version) => request(version, orders, {}, { clusterId: 'other' }),
    [12, 18],
  )
  await eachGrouped('many partitions', (version) => ({
    ...request(version, orders),
    topics: [
      {
        ...topicOf(version, orders),
        partitions: [0, 1, 2, 3].map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 200 })),
      },
      {
        ...topicOf(version, unknown),
        partitions: [0, 1].map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 200 })),
      },
    ],
  }))
  await dialogue.each('the same partition twice', fetch, (version) => ({
    ...request(version, orders),
    topics: [
      {
        ...topicOf(version, orders),
        partitions: [0, 4].map((fetchOffset) => ({ partition: 0, fetchOffset, partitionMaxBytes: 200 })),
      },
    ],
  }))
  await dialogue.each('the same topic twice', fetch, (version) => ({
    ...request(version, orders),
    topics: [0, 1].map((partition) => ({
      ...topicOf(version, orders),
      partitions: [{ partition, fetchOffset: 0, partitionMaxBytes: 200 }],
    })),
  }))
}

export async function fetchSessions(dialogue: Dialogue): Promise<void> {
  await dialogue.inEach([7, 18], async (version) => {
    const orders = await filled(dialogue, 'orders', version)
    const topic = topicOf(version, orders)
    const unknown = topicOf(version, { name: dialogue.name('nowhere'), topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' })
    const step = async (what: string, sessionId: number, sessionEpoch: number, rest: FetchInput = {}) => {
      const answer = await dialogue.ask(fetch, version, { maxWaitMs: 0, minBytes: 1, sessionId, sessionEpoch, ...rest })
      dialogue.note(what, version, grouped(answer))
      return answer === closed ? 0 : answer.sessionId
    }
    const at = (...offsets: number[]) => [
      {
        ...topic,
        partitions: offsets.map((fetchOffset, partition) => ({ partition, fetchOffset, partitionMaxBytes: 200 })),
      },
    ]
    await step('no session', 0, -1, { topics: at(0) })
    await step('an epoch without a session', 0, 5, { topics: at(0) })
    await step('a session there is not', 123, 1)
    await step('a session there is not, to be closed', 123, -1, { topics: at(0) })
    await step('a session there is not, to be renewed', 123, 0, { topics: at(0) })
    await step('a new session without partitions', 0, 0)
    const id = await step('a new session', 0, 0, { topics: at(0, 0) })
    await step('more of it', id, 1, { topics: at(2) })
    await step('moved to the end', id, 2, { topics: at(10) })
    await step('nothing new', id, 3)
    await fill(orders, dialogue, longAgo, 1)
    await step('something new', id, 4)
    await step('not read further', id, 5)
    await step('the same epoch again', id, 5)
    await step('an epoch too far', id, 9)
    await step('a negative epoch', id, -2)
    await step('an offset out of range', id, 6, { topics: at(99) })
    await step('and back', id, 7, { topics: at(10) })
    await step('forgotten', id, 8, { forgottenTopicsData: [{ ...topic, partitions: [1] }] })
    await step('added again', id, 9, {
      topics: [{ ...topic, partitions: [{ partition: 1, fetchOffset: 0, partitionMaxBytes: 1000 }] }],
    })
    await step('an unknown partition joins', id, 10, {
      topics: [{ ...topic, partitions: [{ partition: 7, fetchOffset: 0, partitionMaxBytes: 1 }] }],
    })
    await step('it stays unknown', id, 11)
    await step('an unknown topic joins', id, 12, {
      topics: [{ ...unknown, partitions: [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1 }] }],
    })
    await step('it stays unknown too', id, 13)
    await step('all forgotten', id, 14, {
      forgottenTopicsData: [
        { ...topic, partitions: [0, 1, 7] },
        { ...unknown, partitions: [0] },
      ],
    })
    await step('after that', id, 15)
    const other = await step('another session', 0, 0, { topics: at(0) })
    await step('renewed', other, 0, { topics: at(10) })
    await step('the old id', other, 1)
    const third = await step('a third session', 0, 0, { topics: at(0) })
    await step('closed', third, -1, { topics: at(0) })
    await step('after closing', third, 1)
  })
}

export async function offsets(dialogue: Dialogue): Promise<void> {
  const orders = await filled(dialogue, 'orders')
  const partitionOf = (timestamp: bigint, partitionIndex = 0, currentLeaderEpoch = -1) => ({
    partitionIndex,
    timestamp,
    currentLeaderEpoch,
  })
  const ask = (
    what: string,
    partition: ReturnType<typeof partitionOf>,
    rest: { name?: string; isolationLevel?: number; replicaId?: number } = {},
    from = 1,
  ) => {
    const { name = orders.name, ...others } = rest
    return dialogue.each(
      what,
      listOffsets,
      () => ({ replicaId: -1, ...others, topics: [{ name, partitions: [partition] }] }),
      [from, 11],
    )
  }
  for (const timestamp of [
    -1n,
    -2n,
    -3n,
    -4n,
    -5n,
    -6n,
    -7n,
    -100n,
    0n,
    1n,
    1_700_000_000_000n,
    1_700_000_000_001n,
    1_700_000_002_000n,
    1_700_000_004_000n,
    1_700_000_004_001n,
    9_000_000_000_000_000_000n,
  ]) {
    await ask(`timestamp ${timestamp}`, partitionOf(timestamp))
    await ask(`timestamp ${timestamp} of an empty partition`, partitionOf(timestamp, 1))
    await ask(`timestamp ${timestamp}, read committed`, partitionOf(timestamp), { isolationLevel: 1 }, 2)
    await ask(`timestamp ${timestamp}, unknown partition`, partitionOf(timestamp, 9))
    await ask(`timestamp ${timestamp}, a debugging replica`, partitionOf(timestamp), { replicaId: -2 })
    for (const epoch of [0, 5])
      await ask(`timestamp ${timestamp}, epoch ${epoch}`, partitionOf(timestamp, 0, epoch), {}, 4)
  }
  await ask('unknown topic', partitionOf(-1n), { name: dialogue.name('nowhere') })
  await ask('a bad name', partitionOf(-1n), { name: 'no/such' })
  await ask('no name', partitionOf(-1n), { name: '' })
  await dialogue.each('a partition twice', listOffsets, () => ({
    replicaId: -1,
    topics: [{ name: orders.name, partitions: [partitionOf(-1n), partitionOf(-2n), partitionOf(-1n, 1)] }],
  }))
  await dialogue.each('a topic twice', listOffsets, () => ({
    replicaId: -1,
    topics: [
      { name: orders.name, partitions: [partitionOf(-1n)] },
      { name: orders.name, partitions: [partitionOf(-2n, 1)] },
    ],
  }))
  await dialogue.each('nothing', listOffsets, () => ({ replicaId: -1, topics: [] }))
  await dialogue.each('no partitions', listOffsets, () => ({
    replicaId: -1,
    topics: [{ name: orders.name, partitions: [] }],
  }))

  const epochs = (what: string, leaderEpoch: number, currentLeaderEpoch = -1, name = orders.name, partition = 0) =>
    dialogue.each(`epoch: ${what}`, offsetForLeaderEpoch, () => ({
      topics: [{ topic: name, partitions: [{ partition, currentLeaderEpoch, leaderEpoch }] }],
    }))
  for (const leaderEpoch of [0, 1, 7, -1, -2]) {
    await epochs(`${leaderEpoch}`, leaderEpoch)
    await epochs(`${leaderEpoch} of an empty partition`, leaderEpoch, -1, orders.name, 1)
  }
  for (const current of [0, 1, 9]) await epochs(`0, the current one being ${current}`, 0, current)
  await epochs('of an unknown topic', 0, -1, dialogue.name('nowhere'))
  await epochs('of an unknown partition', 0, -1, orders.name, 9)
  await dialogue.each('epoch: nothing', offsetForLeaderEpoch, () => ({ topics: [] }))
}

/** A topic is deleted, and another created by its name, while clients hold on to the first. */
export async function anew(dialogue: Dialogue): Promise<void> {
  await dialogue.inEach([12, 18], async (version) => {
    const orders = await filled(dialogue, 'orders', version)
    const note = (what: string, answer: unknown) => dialogue.note(what, version, answer)
    const body = request(version, orders, {}, { sessionId: 0, sessionEpoch: 0 })
    const opened = await dialogue.ask(fetch, version, body)
    if (opened === closed) throw new Error('no session')
    const more = (sessionEpoch: number) =>
      dialogue.ask(fetch, version, { maxWaitMs: 0, minBytes: 1, sessionId: opened.sessionId, sessionEpoch })
    const write = () => {
      const partitionData = [{ index: 0, records: [batch()] }]
      const topicData = [
        version >= 13 ? { topicId: orders.topicId, partitionData } : { name: orders.name, partitionData },
      ]
      return dialogue.ask(produce, Math.min(version, 13), { acks: -1, timeoutMs: 5000, topicData })
    }
    await dialogue.ask(deleteTopics, 5, { topicNames: [orders.name], timeoutMs: 10_000 })
    await waitFor('the deletion', async () => {
      const partitions = [{ partitionIndex: 0, timestamp: -1n }]
      const found = await dialogue.ask(listOffsets, 6, { replicaId: -1, topics: [{ name: orders.name, partitions }] })
      return found !== closed && found.topics[0]!.partitions[0]!.errorCode === 3
    })
    note('fetched in its session when deleted', await more(1))
    note('fetched without a session when deleted', await dialogue.ask(fetch, version, request(version, orders)))
    note('written when deleted', await write())
    await dialogue.topic(orders.name, {}, 3)
    note('fetched in its session when created anew', await more(2))
    note('fetched without a session when created anew', await dialogue.ask(fetch, version, request(version, orders)))
    note('written when created anew', await write())
  })
}
