// The last of the balance where members read different topics: a partition goes from A to B and another from B to C, because A and C
// have no topic in common. When no chain of such moves helps any more, no assignment at all is more even.

import type { Board } from './board.ts'

interface Link {
  readonly from: number
  readonly topic: number
}

/**
 * Moves partitions along chains until no member could give to one that has two fewer, however indirectly.
 *
 * Who is found unable to give is left out from then on, with everybody that was reached from it: nothing leads out of that set, all in
 * it have nearly as much as the fullest, and so no later chain through it could help.
 */
export function moveAlongChains(board: Board): void {
  const { topics, loads } = board
  const owned = ownedByTopic(board)
  const settled = new Uint8Array(loads.length)

  for (let giver = fullest(loads, settled); giver !== null; giver = fullest(loads, settled)) {
    const links = new Map<number, Link | null>([[giver, null]])
    const taker = search(giver, links)
    if (taker === null) for (const member of links.keys()) settled[member] = 1
    else moveAlong(taker, links)
  }

  /** Breadth first: the shortest chain moves least. */
  function search(start: number, links: Map<number, Link | null>): number | null {
    const queue = [start]
    const seen = new Uint8Array(topics.length)
    for (let head = 0; head < queue.length; head++) {
      const from = queue[head]!
      for (const [topic, partitions] of owned[from]!) {
        if (seen[topic] === 1 || partitions.length === 0) continue
        seen[topic] = 1
        let best: number | null = null
        for (const member of topics[topic]!.readers) {
          if (links.has(member) || settled[member] === 1) continue
          links.set(member, { from, topic })
          queue.push(member)
          if (loads[member]! <= loads[start]! - 2 && (best === null || loads[member]! < loads[best]!)) best = member
        }
        if (best !== null) return best
      }
    }
    return null
  }

  function moveAlong(taker: number, links: ReadonlyMap<number, Link | null>): void {
    let to = taker
    for (let link = links.get(to)!; link !== null; link = links.get(to)!) {
      const partitions = owned[link.from]!.get(link.topic)!
      const partition = takeBest(board, partitions, link.from, to)
      const own = owned[to]!.get(link.topic)
      if (own === undefined) owned[to]!.set(link.topic, [partition])
      else own.push(partition)
      board.give(partition, to)
      to = link.from
    }
  }
}

/** Removes one from the list: one that goes home or into the taker's rack, or is not at home or not near where it is. */
function takeBest(board: Board, partitions: number[], from: number, to: number): number {
  let best = partitions.length - 1
  let bestScore = -Infinity
  for (let index = partitions.length - 1; index >= 0; index--) {
    const partition = partitions[index]!
    const home = board.homes[partition]
    const sticky = Number(home === to) - Number(home === from)
    const near = Number(board.inRack(partition, to)) - Number(board.inRack(partition, from))
    const score = sticky * 4 + near
    if (score > bestScore) {
      best = index
      bestScore = score
    }
  }
  return partitions.splice(best, 1)[0]!
}

/** By member: its partitions by topic's number. */
function ownedByTopic({ members, topics, owners }: Board): Map<number, number[]>[] {
  const owned = members.map(() => new Map<number, number[]>())
  for (const [index, { first, end }] of topics.entries()) {
    for (let partition = first; partition < end; partition++) {
      const own = owned[owners[partition]!]!
      const known = own.get(index)
      if (known === undefined) own.set(index, [partition])
      else known.push(partition)
    }
  }
  return owned
}

function fullest(loads: Int32Array, settled: Uint8Array): number | null {
  let best: number | null = null
  for (let member = 0; member < loads.length; member++) {
    if (settled[member] === 0 && (best === null || loads[member]! > loads[best]!)) best = member
  }
  return best
}
