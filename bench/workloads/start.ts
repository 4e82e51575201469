// From the start of the process to what a user waits for: the first answer, the first record through a new group, all of 10,000 partitions.

import { join } from 'node:path'
import { type TopicPartitions, untilAllAnswer } from './answering-partitions.ts'
import { firstRecordGoals, startGoals, startManyGoals } from './goals.ts'
import { createTopic } from './measured-load.ts'
import { removeFolder, withBroker } from './own-broker.ts'
import type { OwnRound, Round, Row, SharedRound } from './workload.ts'

/** No wait for more members: what is measured is the broker. */
const settings = ['group.initial.rebalance.delay.ms=0']

const toServing: Row = {
  id: 'start/serving',
  section: 'start and restart',
  title: 'start on an empty folder to the first answer',
  goals: startGoals,
  brokers: 'own',
  async measure(round) {
    const data = folderOf(round)
    const readyMs = await withBroker(round, async ({ broker }) => broker.readyMs, { data })
    await removeFolder(data)
    return { milliseconds: readyMs }
  },
}

const toFirstRecord: Row = {
  id: 'start/first-record',
  section: 'start and restart',
  title: 'start to the first record that waits there, through a new group',
  goals: firstRecordGoals,
  brokers: 'own',
  async prepare(round) {
    await withBroker(round, putOneRecord, { settings })
  },
  async measure(round) {
    return { milliseconds: await withBroker(round, firstRecordMs, { settings }) }
  },
}

/** What a test or a new user waits for: everything is made for the first time. */
const toFirstRecordFromNothing: Row = {
  id: 'start/first-record-of-all',
  section: 'start and restart',
  title: 'start on an empty folder, new topic, first record to the first reader of the first group',
  goals: firstRecordGoals,
  brokers: 'own',
  async measure(round) {
    const data = folderOf(round)
    const milliseconds = await withBroker(
      round,
      async (shared) => {
        const ready = performance.now()
        await putOneRecord(shared)
        const putMs = performance.now() - ready
        return putMs + (await firstRecordMs(shared))
      },
      { data, settings },
    )
    await removeFolder(data)
    return { milliseconds }
  },
}

async function putOneRecord(round: SharedRound): Promise<void> {
  const topic = { topic: round.name, partitions: 1 }
  await createTopic(round, topic)
  const { bootstrap } = round.broker
  await round.load.run({ kind: 'fill', bootstrap, ...topic, recordBytes: 100, batchBytes: 0, bytes: 1 })
}

/** The time that the broker took to answer at all, and from there to the record: nobody reads before. */
async function firstRecordMs({ broker, load, name, index }: SharedRound): Promise<number> {
  const ready = performance.now()
  let read = Number.NaN
  const command = { kind: 'firstRecord', bootstrap: broker.bootstrap, topic: name, group: `${name}-${index}` } as const
  await load.run(command, { onEnd: () => (read = performance.now()) })
  return broker.readyMs + read - ready
}

const topicsOfMany = 10

const withManyPartitions: Row = {
  id: 'start/10000p',
  section: 'start and restart',
  title: 'start with 10,000 partitions until every one answers',
  goals: startManyGoals,
  roundsMax: 2,
  warmsUp: false,
  brokers: 'own',
  async prepare(round) {
    await withBroker(round, async (shared) => {
      const topics = manyPartitions(round)
      for (const topic of topics) await createTopic(shared, topic)
      // About two records in each partition of one topic: empty logs, and others.
      const { bootstrap } = shared.broker
      const records = { recordBytes: 100, batchBytes: 0, bytes: 300_000 }
      await round.load.run({ kind: 'fill', bootstrap, ...topics[0]!, ...records })
    })
  },
  async measure(round) {
    return {
      milliseconds: await withBroker(round, async ({ broker }) => {
        const ready = performance.now()
        await untilAllAnswer(broker.bootstrap, manyPartitions(round))
        return broker.readyMs + performance.now() - ready
      }),
    }
  },
}

function manyPartitions({ name, quick }: Round): TopicPartitions[] {
  const partitions = quick ? 100 : 1000
  return Array.from({ length: topicsOfMany }, (_, index) => ({ topic: `${name}-${index}`, partitions }))
}

/** A folder that no other round has. */
function folderOf({ data, index }: OwnRound): string {
  return join(data, `round-${index}`)
}

export const startRows: readonly Row[] = [toServing, toFirstRecord, toFirstRecordFromNothing, withManyPartitions]
