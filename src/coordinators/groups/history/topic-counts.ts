// How many partitions the topics have that changed under a group: a machine that keeps no more than a hash of them cannot tell.

import type { GroupEffect } from '../group-event.ts'
import type { TopicsView } from '../topics-view.ts'

/** The same effects; those that tell of changed topics, with the number of partitions each has now. */
export function withTopicCounts(effects: readonly GroupEffect[], topics: TopicsView): readonly GroupEffect[] {
  if (!effects.some((effect) => effect.kind === 'note' && effect.note.what.kind === 'topicsChanged')) return effects
  return effects.map((effect) => {
    if (effect.kind !== 'note') return effect
    const { groupId, what } = effect.note
    if (what.kind !== 'topicsChanged' || what.counts !== undefined) return effect
    const counts = what.topics.map((topic) => ({
      topic,
      before: null,
      after: topics.byName(topic)?.partitionCount ?? 0,
    }))
    return { ...effect, note: { groupId, what: { ...what, counts } } }
  })
}
