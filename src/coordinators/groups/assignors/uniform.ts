// The assignor `uniform`: as even as subscriptions allow, then as little movement as that allows, then as near as that allows (KIP-848;
// racks as KIP-881 means them, which Kafka's own server-side assignors leave aside).
//
// Where all read the same, one levelling of all partitions is the whole work. Where not, what nobody has of each topic is spread over its
// readers, the least free to choose first, and then partitions move from the fullest until nothing is gained by it.

import type { Assignor, AssignorInput, GroupAssignment } from './assignor.ts'
import { Board, type BoardTopic, nobody } from './board.ts'
import { moveAlongChains } from './chains.ts'
import { level } from './levelling.ts'

export const uniform: Assignor = {
  name: 'uniform',
  assign(input: AssignorInput): GroupAssignment {
    const board = new Board(input)
    board.bringHome()
    if (input.homogeneous) {
      level(board, [...board.owners.keys()], [...board.members.keys()])
    } else {
      spreadUnowned(board)
      moveAlongChains(board)
      changeBack(board)
    }
    return board.assignment()
  },
}

function partitionsOf({ first, end }: BoardTopic): number[] {
  return Array.from({ length: end - first }, (_, index) => first + index)
}

function spreadUnowned(board: Board): void {
  for (const topic of leastFreeFirst(board)) {
    const unowned = partitionsOf(topic).filter((partition) => board.owners[partition] === nobody)
    level(board, unowned, topic.readers)
  }
}

/** By partitions a reader, most first; then by readers, fewest first; then by name. */
function leastFreeFirst({ topics }: Board): BoardTopic[] {
  const share = ({ first, end, readers }: BoardTopic) => (end - first) / readers.length
  return [...topics].sort((a, b) => share(b) - share(a) || a.readers.length - b.readers.length)
}

/** A member that lost a partition and got another of the same topic changes them back with the holder: loads stay as they are. */
function changeBack(board: Board): void {
  const { owners, homes } = board
  for (const { first, end } of board.topics) {
    const strangers = new Map<number, Set<number>>()
    for (let partition = first; partition < end; partition++) {
      const owner = owners[partition]!
      if (homes[partition] === owner) continue
      const known = strangers.get(owner)
      if (known === undefined) strangers.set(owner, new Set([partition]))
      else known.add(partition)
    }
    for (let partition = first; partition < end; partition++) {
      const home = homes[partition]!
      const holder = owners[partition]!
      if (home === nobody || home === holder) continue
      const [stranger] = strangers.get(home) ?? []
      if (stranger === undefined) continue
      board.give(partition, home)
      board.give(stranger, holder)
      strangers.get(home)!.delete(stranger)
      strangers.get(holder)!.delete(partition)
      if (homes[stranger] !== holder) strangers.get(holder)!.add(stranger)
    }
  }
}
