// InitProducerId, and what the leader makes of producer ids, epochs and sequences.

import { initProducerId, produce } from '../../../src/protocol/apis/index.ts'
import { closed, type Dialogue } from '../dialogue.ts'
import { waitFor } from '../../support/wait-for.ts'
import { batch, keyed } from './batches.ts'

/** A broker may still be fetching its first block of ids. */
async function producerId(dialogue: Dialogue): Promise<{ readonly producerId: number }> {
  return waitFor('a producer id', async () => {
    const given = await dialogue.ask(initProducerId, 4, { transactionalId: null, transactionTimeoutMs: 1000 })
    return given !== closed && given.errorCode === 0 && given
  })
}

export async function producerIds(dialogue: Dialogue): Promise<void> {
  await producerId(dialogue)
  await dialogue.each('without a transactional id', initProducerId, () => ({
    transactionalId: null,
    transactionTimeoutMs: 60_000,
  }))
  await dialogue.each('without a time limit', initProducerId, () => ({
    transactionalId: null,
    transactionTimeoutMs: 0,
  }))
  await dialogue.each('an empty transactional id', initProducerId, () => ({
    transactionalId: '',
    transactionTimeoutMs: 60_000,
  }))
  await dialogue.each(
    'an id and epoch without a transactional id',
    initProducerId,
    () => ({ transactionalId: null, transactionTimeoutMs: 60_000, producerId: 5, producerEpoch: 3 }),
    [3, 5],
  )
  await dialogue.each(
    'an id without an epoch',
    initProducerId,
    () => ({ transactionalId: null, transactionTimeoutMs: 60_000, producerId: 5, producerEpoch: -1 }),
    [3, 5],
  )
}

export async function idempotence(dialogue: Dialogue): Promise<void> {
  const name = dialogue.name('orders')
  const topicId = await dialogue.topic(name, {}, 14 * 3)
  const given = await producerId(dialogue)
  const send = (
    what: string,
    index: number,
    producerId: number,
    producerEpoch: number,
    baseSequence: number,
    count = 2,
  ) =>
    dialogue.each(what, produce, (version) => {
      const records = [batch({ producerId: producerId + version * 1000, producerEpoch, baseSequence }, keyed(count))]
      const topic = version >= 13 ? { topicId } : { name }
      return {
        acks: -1,
        timeoutMs: 5_000,
        topicData: [{ ...topic, partitionData: [{ index: index * 14 + version, records }] }],
      }
    })
  const id = given.producerId
  await send('first batch', 0, id, 0, 0)
  await send('second batch', 0, id, 0, 2)
  await send('the same again', 0, id, 0, 2)
  await send('the first again', 0, id, 0, 0)
  await send('same first sequence, other count', 0, id, 0, 2, 3)
  await send('a gap', 0, id, 0, 7)
  await send('a sequence of the past', 0, id, 0, 1, 1)
  for (const sequence of [4, 6, 8, 10]) await send(`goes on at ${sequence}`, 0, id, 0, sequence)
  await send('five ago, again', 0, id, 0, 4)
  await send('six ago, again', 0, id, 0, 0)
  await send('a new epoch, not at 0', 0, id, 1, 5)
  await send('a new epoch', 0, id, 1, 0)
  await send('the old epoch', 0, id, 0, 12)
  await send('the old epoch, a duplicate', 0, id, 0, 10)
  await send('the new epoch again', 0, id, 1, 0)
  await send('an epoch far ahead', 0, id, 100, 0)
  await send('unknown producer at 0', 1, id + 100, 0, 0)
  await send('unknown producer at 5', 1, id + 101, 0, 5)
  await send('unknown producer at 5 goes on', 1, id + 101, 0, 7)
  await send('unknown producer at the end of sequences', 2, id + 102, 0, 2147483646)
  await send('sequences begin again', 2, id + 102, 0, 0)
  await send('a batch across the end of sequences', 2, id + 103, 0, 2147483647, 3)
  await send('goes on after it', 2, id + 103, 0, 2)
  for (const [index, what] of ['known', 'unknown', 'at the end of sequences'].entries()) {
    dialogue.note(`stored, ${what}`, 3, { records: await dialogue.stored(name, index * 14 + 3, 0) })
  }
}
