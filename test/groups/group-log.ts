// What the coordinator kept of a group, read from the files of __consumer_offsets: each commit and each generation, in order.

import { recordTypeOf } from '../../src/protocol/schema/index.ts'
import { consumerGroupMetadata, groupMetadata, offsetCommit } from '../../src/protocol/group-records/index.ts'
import { batchLayout, isControl } from '../../src/records/batch.ts'
import { forEachBatch } from '../../src/records/batches-in.ts'
import { RecordCursor } from '../../src/records/record-cursor.ts'
import { batchesBelow } from '../faults/replicas.ts'
import type { PartitionName } from './journal.ts'

export interface GroupLog {
  readonly commits: readonly { readonly partition: PartitionName; readonly offset: number }[]
  /** Of a classic group its generation, of a consumer group its epoch, whenever it changed. */
  readonly generations: readonly number[]
}

/** Of the replica that is the longest. Its broker may be running. */
export async function readGroupLog(folders: readonly string[], partition: number, group: string): Promise<GroupLog> {
  const replicas = await Promise.all(
    folders.map((folder) => batchesBelow(folder, '__consumer_offsets', partition, Infinity)),
  )
  const commits: { partition: PartitionName; offset: number }[] = []
  const generations: number[] = []
  const longest = replicas.reduce((one, other) => (other.length > one.length ? other : one))
  for (const { key, value } of recordsOf(longest)) {
    if (value === null) continue
    switch (recordTypeOf(key)) {
      case offsetCommit.type: {
        const { group: owner, topic, partition: number } = offsetCommit.decodeKey(key)
        const { offset } = offsetCommit.decodeValue(value)
        if (owner === group) commits.push({ partition: `${topic}:${number}`, offset })
        break
      }
      case groupMetadata.type: {
        const { generation } = groupMetadata.decodeValue(value)
        if (groupMetadata.decodeKey(key).group === group && generation !== generations.at(-1)) {
          generations.push(generation)
        }
        break
      }
      case consumerGroupMetadata.type: {
        const { epoch } = consumerGroupMetadata.decodeValue(value)
        if (consumerGroupMetadata.decodeKey(key).groupId === group && epoch !== generations.at(-1)) {
          generations.push(epoch)
        }
      }
    }
  }
  return { commits, generations }
}

/** Says where a committed offset goes back, or lies behind what a member was told; null when none does. */
export function wrongCommit(log: GroupLog, told: ReadonlyMap<PartitionName, number>): string | null {
  const last = new Map<PartitionName, number>()
  for (const { partition, offset } of log.commits) {
    const before = last.get(partition) ?? 0
    if (offset < before) return `the committed offset of ${partition} went back from ${before} to ${offset}`
    last.set(partition, offset)
  }
  for (const [partition, offset] of told) {
    const kept = last.get(partition) ?? 0
    if (kept < offset) return `${offset} of ${partition} was committed, and ${kept} is kept`
  }
  return null
}

function recordsOf(batches: Uint8Array): { readonly key: Uint8Array; readonly value: Uint8Array | null }[] {
  const records: { key: Uint8Array; value: Uint8Array | null }[] = []
  forEachBatch(batches, (at, size) => {
    if (isControl(batches, at)) return
    const cursor = new RecordCursor(batches, at + batchLayout.records, at + size)
    while (cursor.at < cursor.end) {
      cursor.next()
      const { keyAt, keyLength, valueAt, valueLength } = cursor
      const value = valueLength < 0 ? null : batches.subarray(valueAt, valueAt + valueLength)
      records.push({ key: batches.subarray(keyAt, keyAt + keyLength), value })
    }
  })
  return records
}
