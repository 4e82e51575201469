// DeleteRecords, with what a fetch and ListOffsets say afterwards, and DescribeLogDirs.

import {
  deleteRecords,
  describeLogDirs,
  fetch,
  findCoordinator,
  listOffsets,
  produce,
} from '../../../src/protocol/apis/index.ts'
import type { RequestInput, ResponseOf } from '../../../src/protocol/schema/index.ts'
import { waitFor } from '../../support/wait-for.ts'
import { closed, type Dialogue, rangeOf } from '../dialogue.ts'
import { batch, keyed, longAgo } from './batches.ts'

/** Batches of two records each, in the first partition. */
async function filled(
  dialogue: Dialogue,
  name: string,
  configs: Readonly<Record<string, string>> = {},
  batches = 5,
): Promise<string> {
  const topicId = await dialogue.topic(name, configs, 2)
  for (let i = 0; i < batches; i++) {
    const partitionData = [{ index: 0, records: [batch({ timestamp: longAgo + i * 1000 }, keyed(2))] }]
    const answer = await dialogue.ask(produce, 9, { acks: -1, timeoutMs: 5000, topicData: [{ name, partitionData }] })
    if (answer === closed || answer.responses[0]!.partitionResponses[0]!.errorCode !== 0)
      throw new Error('not produced')
  }
  return topicId
}

type Deletion = readonly [name: string, partitionIndex: number, offset: number | bigint]

function deletion(...deletions: readonly Deletion[]): RequestInput<typeof deleteRecords> {
  const topics = [...Map.groupBy(deletions, ([name]) => name)].map(([name, of]) => ({
    name,
    partitions: of.map(([, partitionIndex, offset]) => ({ partitionIndex, offset: BigInt(offset) })),
  }))
  return { topics, timeoutMs: 10_000 }
}

export async function deletingRecords(dialogue: Dialogue): Promise<void> {
  await dialogue.inEach(rangeOf(deleteRecords), async (version) => {
    const orders = dialogue.name('orders', version)
    await filled(dialogue, orders)
    const ask = (what: string, ...deletions: readonly Deletion[]) =>
      dialogue.step(what, deleteRecords, version, deletion(...deletions))
    const look = async (what: string, fetchOffset: number) => {
      const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }]
      await dialogue.step(`${what}: fetch from ${fetchOffset}`, fetch, 10 + version, {
        maxWaitMs: 0,
        minBytes: 0,
        maxBytes: 1 << 24,
        topics: [{ topic: orders, partitions }],
      })
    }
    const ends = async (what: string) => {
      for (const timestamp of [-2n, -1n, BigInt(longAgo)])
        await dialogue.step(`${what}: offset at ${timestamp}`, listOffsets, 7 + version, {
          replicaId: -1,
          topics: [{ name: orders, partitions: [{ partitionIndex: 0, timestamp }] }],
        })
    }
    await ask('nothing')
    await ask('before the first', [orders, 0, 0])
    await ask('inside a batch', [orders, 0, 3])
    await look('inside a batch', 2)
    await look('inside a batch', 3)
    await ends('inside a batch')
    await ask('the same again', [orders, 0, 3])
    await ask('backwards', [orders, 0, 1])
    await ask('beyond the end', [orders, 0, 11])
    await ask('negative', [orders, 0, -2])
    await ask('the greatest offset', [orders, 0, 2n ** 63n - 1n])
    await ask('the least offset', [orders, 0, -(2n ** 63n)])
    await ask('an empty partition', [orders, 1, 0])
    await ask('an empty partition, all of it', [orders, 1, -1])
    await ask('an empty partition, beyond the end', [orders, 1, 1])
    await ask('no such partition', [orders, 2, 0])
    await ask('a negative partition', [orders, -1, 0])
    await ask('no such topic', [dialogue.name('nowhere'), 0, 0])
    await ask('a topic without a name', ['', 0, 0])
    await ask('a bad name', ['no/such', 0, 0])
    await ask('several', [orders, 0, 4], [orders, 1, 5], [dialogue.name('nowhere'), 0, 0])
    await ask('a partition twice', [orders, 0, 5], [orders, 0, 6])
    await dialogue.step('a topic twice', deleteRecords, version, {
      topics: [...deletion([orders, 0, 7]).topics!, ...deletion([orders, 1, 0]).topics!],
      timeoutMs: 10_000,
    })
    await dialogue.step('without time', deleteRecords, version, { ...deletion([orders, 0, 8]), timeoutMs: 0 })
    await ask('all of it', [orders, 0, -1])
    await look('all of it', 9)
    await look('all of it', 10)
    await ends('all of it')
    await ask('all of it again', [orders, 0, -1])
    for (const policy of ['compact', 'compact,delete', '']) {
      const name = dialogue.name(`policy-${policy.replace(',', '-')}`, version)
      await filled(dialogue, name, { 'cleanup.policy': policy }, 1)
      await ask(`cleanup.policy=${policy}`, [name, 0, 1])
      await ask(`cleanup.policy=${policy}, beyond the end`, [name, 0, 9])
    }
  })
  await dialogue.each('an internal topic that is not there', deleteRecords, () =>
    deletion(['__share_group_state', 0, 0]),
  )
  await waitFor('the coordinator', async () => {
    const found = await dialogue.ask(findCoordinator, 4, { keyType: 0, coordinatorKeys: [dialogue.name('group')] })
    return found !== closed && found.coordinators[0]!.errorCode === 0
  })
  await dialogue.each('an internal topic', deleteRecords, () => deletion(['__consumer_offsets', 0, 0]))
}

export async function describingFolders(dialogue: Dialogue): Promise<void> {
  const [orders, empty] = [dialogue.name('orders'), dialogue.name('empty')]
  await filled(dialogue, orders)
  await dialogue.topic(empty)
  const ask = (what: string, topics: RequestInput<typeof describeLogDirs>['topics']) =>
    dialogue.inEach(rangeOf(describeLogDirs), async (version) => {
      const answer = await dialogue.ask(describeLogDirs, version, { topics })
      dialogue.note(what, version, answer === closed ? closed : ownTopics(answer))
    })
  const ownTopics = (answer: ResponseOf<typeof describeLogDirs>) => ({
    ...answer,
    results: answer.results.map((result) => ({
      ...result,
      topics: result.topics.filter(({ name }) => dialogue.isOwn(name)),
    })),
  })
  await ask('all', null)
  await ask('no topics', [])
  await ask('one', [{ topic: orders, partitions: [0] }])
  await ask('a topic without partitions', [{ topic: orders, partitions: [] }])
  await ask('partitions, one twice', [{ topic: orders, partitions: [1, 0, 1] }])
  await ask('a topic twice', [
    { topic: orders, partitions: [0] },
    { topic: empty, partitions: [0] },
    { topic: orders, partitions: [1] },
  ])
  await ask('no such partition', [{ topic: orders, partitions: [1, 2, -1] }])
  await ask('no such topic', [{ topic: dialogue.name('nowhere'), partitions: [0] }])
  await ask('no name', [{ topic: '', partitions: [0] }])
}
