// How a new topic gets into the store. Few partitions go with the topic's own key in one transaction. For many, an intent comes first
// and the partitions after it; then the topic's key, which is the commit, replaces the intent.

import type { Clock } from '../io/clock.ts'
import { decodeDocument, encodeDocument, type PartitionDocument } from './documents.ts'
import { type BrokerFence, fenceHolds } from './fence.ts'
import { configKey, creationKey, partitionKey, partitionsOfTopicPrefix, topicKey } from './keys.ts'
import { knownOutcome, readAgain } from './known-outcome.ts'
import type { CasItem, Guard, MetaStore, MetaWrite, Revision, TransactionResult } from './meta-store.ts'
import type { WriteAttempts } from './write-attempts.ts'

export interface TopicWriteOptions {
  readonly store: MetaStore
  readonly clock: Clock
  readonly brokerId: number
  readonly fence: BrokerFence
  readonly attempts: WriteAttempts
}

export interface TopicToWrite {
  readonly id: string
  readonly name: string
  readonly partitions: readonly PartitionDocument[]
  readonly configs: ReadonlyMap<string, string>
}

/**
 * `ok: false`: there is a topic of that name. `revision`: from there on the image shows it. `lost`: it is not there, and will not come; it
 * was there perhaps, until somebody deleted it.
 */
export type TopicWritten = { readonly ok: boolean; readonly revision: Revision } | 'fenced' | 'lost'

/** Partitions that one transaction may hold beside the topic's own keys (etcd takes 128 writes). */
export const partitionsPerTransaction = 100

/** Rejects with the store's faults, other than `UnknownOutcome`. */
export async function writeTopic(options: TopicWriteOptions, topic: TopicToWrite): Promise<TopicWritten> {
  const { store, fence, attempts } = options
  const { id, name, configs } = topic
  const key = topicKey(name)
  const intents: Guard[] = []
  const writes: MetaWrite[] = [
    { kind: 'put', key, value: encodeDocument({ id, partitionCount: topic.partitions.length }) },
  ]
  if (configs.size > 0) {
    const entries = Object.fromEntries(configs)
    writes.push({ kind: 'put', key: configKey('topic', name), value: encodeDocument({ entries }) })
  }
  const parts = partitionWrites(id, 0, topic.partitions)
  const atOnce = parts.length <= partitionsPerTransaction
  if (atOnce) {
    writes.push(...parts)
  } else {
    const intent = await intend(options, id)
    if (intent === 'fenced') return intent
    if ((await writePartitions(options, [fence, intent], parts)) === 'fenced') return 'fenced'
    intents.push(intent)
    writes.push({ kind: 'delete', key: intent.key })
  }
  for (;;) {
    const guards: [Guard, ...Guard[]] = [{ key, modRevision: 0 }, fence, await attempts.guard(), ...intents]
    const result = await knownOutcome(store.transact(guards, writes))
    if (result?.ok === true) return { ok: true, revision: result.revision }
    const again = await mayBeTriedAgain(attempts, result)
    const { entry, revision } = await store.get(key)
    if (entry !== null && decodeDocument('topic', entry.value).id === id) return { ok: true, revision }
    if (again && entry === null && result !== null) continue
    if (!atOnce) await drop(options, id)
    if (again && entry === null) return 'lost'
    const refused = result !== null && !fenceHolds(result.current[1], fence)
    return refused ? 'fenced' : { ok: false, revision }
  }
}

export function partitionWrites(
  topicId: string,
  from: number,
  partitions: readonly PartitionDocument[],
): (MetaWrite & { kind: 'put' })[] {
  return partitions.map((partition, i) => ({
    kind: 'put',
    key: partitionKey(topicId, from + i),
    value: encodeDocument(partition),
  }))
}

/** Tells the controller what to clear if this broker stops before the commit. Answers the guard that holds as long as it is there. */
async function intend({ store, brokerId, fence, attempts }: TopicWriteOptions, id: string): Promise<Guard | 'fenced'> {
  const key = creationKey(id)
  const value = encodeDocument({ brokerId, brokerEpoch: fence.createRevision })
  for (;;) {
    const result = await knownOutcome(
      store.transact([{ key, modRevision: 0 }, fence, await attempts.guard()], [{ kind: 'put', key, value }]),
    )
    if (result?.ok === true) return { key, modRevision: result.revision }
    const again = await mayBeTriedAgain(attempts, result)
    const { entry } = await store.get(key)
    if (entry !== null) return { key, modRevision: entry.modRevision }
    if (!again) return 'fenced'
  }
}

/** `refused`: null when the outcome is not known; then it will not apply any more. The third guard is that of `attempts`. */
async function mayBeTriedAgain(attempts: WriteAttempts, refused: TransactionResult | null): Promise<boolean> {
  if (refused === null) {
    await attempts.giveUp()
    return true
  }
  return !refused.ok && attempts.saw(refused.current[2] ?? null)
}

/** Partitions that nobody sees yet: whatever is there under their keys is an earlier attempt, and is replaced. */
export async function writePartitions(
  { store, clock }: Pick<TopicWriteOptions, 'store' | 'clock'>,
  fence: readonly Guard[],
  parts: readonly (MetaWrite & { kind: 'put' })[],
): Promise<'written' | 'fenced'> {
  let waiting = parts.map((part) => ({ part, modRevision: 0 }))
  while (waiting.length > 0) {
    const items = waiting.map(({ part, modRevision }): CasItem => {
      return { guards: [{ key: part.key, modRevision }], writes: [part] }
    })
    const results = await knownOutcome(store.compareAndSwapMany(fence, items))
    if (results === 'fenced') return results
    if (results === null) {
      await readAgain(store, clock, waiting[0]!.part.key)
      continue
    }
    waiting = waiting.flatMap(({ part }, i) => {
      const result = results[i]!
      if (result.ok) return []
      const current = result.current[0] ?? null
      if (current !== null && Buffer.compare(current.value, part.value) === 0) return []
      return [{ part, modRevision: current?.modRevision ?? 0 }]
    })
  }
  return 'written'
}

/** What is left of it when the outcome is not known is cleared when this broker is gone. */
async function drop({ store, fence }: TopicWriteOptions, id: string): Promise<void> {
  await knownOutcome(
    store.transact(
      [fence],
      [
        { kind: 'deletePrefix', prefix: partitionsOfTopicPrefix(id) },
        { kind: 'delete', key: creationKey(id) },
      ],
    ),
  )
}
