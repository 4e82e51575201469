// How far a member had come when it was removed: the newest offset the group had committed for one of its partitions. The machine
// of the group says which partitions those were; what was committed only the shard knows.

import type { GroupEffect } from '../group-event.ts'
import type { CommittedOffset } from '../group-record.ts'
import type { OffsetPlace } from '../offsets/committed-offsets.ts'
import type { GroupNote, Happening, LastCommit } from './group-note.ts'

export type OffsetLookup = (place: OffsetPlace) => CommittedOffset | undefined

/** The same effects; those that tell of a member's end, and of its partitions, with its last committed offset. */
export function withLastCommits(effects: readonly GroupEffect[], committed: OffsetLookup): readonly GroupEffect[] {
  if (!effects.some((effect) => effect.kind === 'note' && isFarewell(effect.note.what))) return effects
  return effects.map((effect) =>
    effect.kind === 'note' ? { ...effect, note: decorated(effect.note, committed) } : effect,
  )
}

/** Of the kinds that tell of a member that is one no longer. */
const farewells = ['memberLeft', 'memberSilent', 'memberDisconnected', 'memberOverdue'] as const

type LastWords = Extract<Happening, { kind: (typeof farewells)[number] }>

function isFarewell(what: Happening): what is LastWords {
  return (farewells as readonly string[]).includes(what.kind)
}

/** What is told of a member's end, with the partitions it had; anything else as it is. */
export function withOwned(what: Happening, owned: readonly string[]): Happening {
  return isFarewell(what) && what.owned === undefined ? { ...what, owned } : what
}

function decorated({ groupId, what }: GroupNote, committed: OffsetLookup): GroupNote {
  if (!isFarewell(what) || what.owned === undefined) return { groupId, what }
  return { groupId, what: { ...what, lastCommit: lastCommitOf(groupId, what.owned, committed) } }
}

function lastCommitOf(groupId: string, owned: readonly string[], committed: OffsetLookup): LastCommit | null {
  let last: LastCommit | null = null
  for (const name of owned) {
    const dash = name.lastIndexOf('-')
    const found = committed({ groupId, topic: name.slice(0, dash), partition: Number(name.slice(dash + 1)) })
    if (found === undefined || (last !== null && found.commitTimestamp <= last.at)) continue
    last = { partition: name, offset: found.offset, at: found.commitTimestamp }
  }
  return last
}
