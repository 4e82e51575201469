// The assignor `range`: of each topic, each reader gets one contiguous range, in the order of the members (KIP-848). Topics with as many
// partitions and the same readers are cut alike, so that records which belong together by key are read together (co-partitioning).
// Static members stand where they stood, whatever their member ids.
//
// Where racks are known, members give up contiguity, but neither their share nor co-partitioning, for partitions with a replica near
// (KIP-881; Kafka's own server-side assignor leaves racks aside).

import type { Assignor, AssignorInput, GroupAssignment } from './assignor.ts'
import { Board, type BoardTopic } from './board.ts'
import { handOut } from './rack-matching.ts'

export const range: Assignor = {
  name: 'range',
  assign(input: AssignorInput): GroupAssignment {
    const board = new Board(input)
    for (const topics of copartitioned(board)) cut(board, topics)
    return board.assignment()
  },
}

/** Topics that are cut alike. */
function copartitioned({ topics }: Board): BoardTopic[][] {
  const alike = new Map<string, BoardTopic[]>()
  for (const topic of topics) {
    const key = `${topic.end - topic.first}:${topic.readers.join()}`
    const known = alike.get(key)
    if (known === undefined) alike.set(key, [topic])
    else known.push(topic)
  }
  return [...alike.values()]
}

function cut(board: Board, topics: readonly BoardTopic[]): void {
  const { readers, first, end } = topics[0]!
  const count = end - first
  const racks = commonRacks(board, topics, count)
  const remaining: number[] = []
  const takers = readers.map((reader, index) => {
    const { rackId } = board.members[reader]!
    let missing = 0
    for (
      let partition = rangeStart(count, readers.length, index);
      partition < rangeStart(count, readers.length, index + 1);
      partition++
    ) {
      if (rackId !== null && racks[partition]!.includes(rackId)) {
        give(partition, reader)
        continue
      }
      remaining.push(partition)
      missing++
    }
    return { rackId, quota: missing, mayTakeExtra: false }
  })
  const given = handOut({ partitions: remaining, takers, extras: 0, racksOf: (partition) => racks[partition]! })
  for (const [index, reader] of readers.entries()) for (const partition of given[index]!) give(partition, reader)

  function give(partition: number, member: number): void {
    for (const topic of topics) board.give(topic.first + partition, member)
  }
}

/** Where reader `index` begins: the first `count % readers` of them have one more. */
function rangeStart(count: number, readers: number, index: number): number {
  return Math.floor(count / readers) * index + Math.min(index, count % readers)
}

/** By partition: racks that hold a replica of it for each of the topics. */
function commonRacks(board: Board, topics: readonly BoardTopic[], count: number): (readonly string[])[] {
  return Array.from({ length: count }, (_, partition) => {
    return topics
      .map(({ first }) => board.racksOf(first + partition))
      .reduce((common, racks) => common.filter((rack) => racks.includes(rack)))
  })
}
