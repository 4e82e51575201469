// Balance where members read different topics. A partition may have to go from A to B and another from B to C, because A and C have no
// topic in common. When no chain of such moves helps any more, no assignment at all is more even.

import type { Board } from './board.ts'

/** How many partitions of one member and topic are looked at to find the one that had best go: a bound on time, of no effect on balance. */
const candidatesMax = 64

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
  // Of members reached in the present search: from whom, and by which topic.
  const from = new Int32Array(loads.length)
  const by = new Int32Array(loads.length)
  const reachedIn = new Int32Array(loads.length)
  const seenIn = new Int32Array(topics.length)
  let search = 0

  for (let giver = fullest(loads, settled); giver !== null; giver = fullest(loads, settled)) {
    search++
    const reached = [giver]
    const taker = shortestChain(giver, reached)
    if (taker === null) for (const member of reached) settled[member] = 1
    else moveAlong(giver, taker)
  }

  /** Breadth first: the shortest chain moves least. */
  function shortestChain(giver: number, reached: number[]): number | null {
    reachedIn[giver] = search
    for (let head = 0; head < reached.length; head++) {
      const member = reached[head]!
      for (const [topic, partitions] of owned[member]!) {
        if (seenIn[topic] === search || partitions.length === 0) continue
        seenIn[topic] = search
        let best: number | null = null
        for (const reader of topics[topic]!.readers) {
          if (reachedIn[reader] === search || settled[reader] === 1) continue
          reachedIn[reader] = search
          from[reader] = member
          by[reader] = topic
          reached.push(reader)
          if (loads[reader]! <= loads[giver]! - 2 && (best === null || loads[reader]! < loads[best]!)) best = reader
        }
        if (best !== null) return best
      }
    }
    return null
  }

  function moveAlong(giver: number, taker: number): void {
    for (let to = taker; to !== giver; to = from[to]!) {
      const [member, topic] = [from[to]!, by[to]!]
      const partition = takeBest(board, owned[member]!.get(topic)!, member, to)
      const own = owned[to]!.get(topic)
      if (own === undefined) owned[to]!.set(topic, [partition])
      else own.push(partition)
      board.give(partition, to)
    }
  }
}

/** Removes one from the list: one that goes home or into the taker's rack, or is not at home or not near where it is. */
function takeBest(board: Board, partitions: number[], from: number, to: number): number {
  let best = partitions.length - 1
  let bestScore = -Infinity
  for (let index = partitions.length - 1; index >= Math.max(0, partitions.length - candidatesMax); index--) {
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
