// Mistakes in what counts as committed: what is acknowledged, how far the high watermark goes, who is in sync.

import type { Mutation } from './mutation.ts'

const partition = 'src/replication/partition.ts'
const leaderReplicas = 'src/replication/leader-replicas.ts'
const isrKeeper = 'src/replication/isr-keeper.ts'

export const commitMistakes: readonly Mutation[] = [
  {
    name: 'ack-before-fsync',
    breaks: 'what is written counts as durable before the disk has synced it',
    edits: [
      {
        file: 'src/storage/segmented-log.ts',
        find: `if (this.#state.config.flushPolicy === 'page-cache') this.#confirm(end)
  }`,
        replace: `this.#confirm(end)
  }`,
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'follower-acks-before-fsync',
    breaks: 'a follower asks on, and so acknowledges, before what it got is durable',
    edits: [
      { file: 'src/replication/fetcher.ts', find: 'await durable.all()', replace: 'void durable' },
      {
        file: 'src/replication/fetcher.ts',
        find: 'if (log.durableOffset < log.logEndOffset) {',
        replace: 'if (log.durableOffset > log.logEndOffset) {',
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'stale-leader-confirms',
    breaks:
      'a leader confirms without the members of the ISR that it no longer hears of, before the cluster agreed to go on without',
    edits: [
      {
        file: leaderReplicas,
        find: 'if (follower.counts || this.#isAboutToJoin(follower, leaderEnd, now, mayBeInSync))',
        replace:
          'if ((follower.counts && this.#isCaughtUp(follower, leaderEnd, now)) || this.#isAboutToJoin(follower, leaderEnd, now, mayBeInSync))',
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'high-watermark-without-a-member',
    breaks: 'a new leader does not wait for the members of the ISR that it has not heard of yet',
    edits: [
      {
        file: leaderReplicas,
        find: 'if (follower.endOffset >= committed) continue',
        replace: 'if (follower.endOffset >= committed || follower.endOffset < 0) continue',
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'high-watermark-by-majority',
    breaks: 'the high watermark is what most replicas have, though any member of the ISR may be elected',
    edits: [
      {
        file: leaderReplicas,
        find: `    let committed = durableOffset
    for (const follower of this.#followers.values()) {`,
        replace: `    const ends = [durableOffset, ...[...this.#followers.values()].map((one) => one.endOffset)].sort((a, b) => b - a)
    const most = ends[Math.floor(ends.length / 2)]
    if (most !== undefined) return Math.min(most, durableOffset)
    let committed = durableOffset
    for (const follower of this.#followers.values()) {`,
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'high-watermark-jumps-at-election',
    breaks: 'a new leader takes all of its log for committed',
    edits: [
      {
        file: partition,
        find: "    if (renews) this.#enter('leading')",
        replace: "    if (renews) this.#rise(log.durableOffset)\n    if (renews) this.#enter('leading')",
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'high-watermark-of-the-leader',
    breaks: 'a follower takes over the high watermark of its leader beyond the end of its own log',
    edits: [
      {
        file: partition,
        find: 'const known = Math.min(this.#leaderHighWatermark, log.durableOffset)',
        replace: 'const known = this.#leaderHighWatermark + log.durableOffset * 0',
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'diverged-follower-counts',
    breaks: 'the offset that a follower asks from counts before its log is known to be the same',
    edits: [
      {
        file: 'src/broker/fetch-round.ts',
        find: '    if (offsetRefusal(wanted, partition) !== null) {',
        replace: `    if (scope.follower !== null) {
      partition.followerFetched({ ...scope.follower, fetchOffset: wanted.fetchOffset, logStartOffset: wanted.logStartOffset })
    }
    if (offsetRefusal(wanted, partition) !== null) {`,
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'leader-that-resigns-confirms',
    breaks: 'who waits for acks=all when the leadership ends is told that it is done',
    edits: [
      {
        file: partition,
        find: '    this.#waitCommitted.loseAll(reason)\n    this.#waitDeleted',
        replace:
          "    if (reason === 'notLeader') this.#waitCommitted.drainTo(Infinity)\n    this.#waitCommitted.loseAll(reason)\n    this.#waitDeleted",
      },
    ],
    seedsMax: 40,
  },
  {
    name: 'duplicate-answered-at-once',
    breaks: 'a batch that is sent again is acknowledged because the leader has it, committed or not',
    edits: [
      {
        file: 'src/broker/handlers/produce.ts',
        find: 'if (acks === -1) waiting.committed(partition, end, answer)',
        replace:
          'if (acks === -1 && appended.duplicate) return answer\n  if (acks === -1) waiting.committed(partition, end, answer)',
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'min-insync-replicas-ignored',
    breaks: 'acks=all is confirmed by an ISR smaller than min.insync.replicas',
    edits: [
      {
        file: partition,
        find: 'return this.#image.isr.length >= Math.min(this.settings.minInsyncReplicas, this.#image.replicas.length)',
        replace: 'return this.#image.isr.length >= 0',
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'min-insync-replicas-only-at-the-door',
    breaks: 'min.insync.replicas is looked at before the append, and not again when the answer leaves',
    edits: [
      {
        file: 'src/broker/waiting-produces.ts',
        find: '  if (!partition.hasEnoughReplicas) answer.errorCode',
        replace: '  if (partition.isr.length === 0) answer.errorCode',
      },
      {
        file: partition,
        find: "if (this.#state !== 'leading' || !this.hasEnoughReplicas) return",
        replace: "if (this.#state !== 'leading') return",
      },
      {
        file: partition,
        find: '    if (!this.hasEnoughReplicas) this.#waitCommitted.tellTooFewReplicas()\n',
        replace: '',
      },
    ],
    seedsMax: 30,
  },
  {
    name: 'isr-change-without-compare',
    breaks: 'the leader writes the ISR over whatever the cluster has decided meanwhile',
    edits: [
      {
        file: isrKeeper,
        find: 'guards: [own, ...elected, ...joining],',
        replace: 'guards: [...elected, ...joining],',
      },
    ],
    seedsMax: 30,
  },
  {
    name: 'isr-grows-with-the-first-fetch',
    breaks: 'a follower that comes back, perhaps after an unclean stop, is in the ISR before it has caught up',
    edits: [
      {
        file: leaderReplicas,
        find: 'return follower.endOffset >= from',
        replace: 'return follower.endOffset >= Math.min(from, 0)',
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'proposed-isr-counts-alone',
    breaks: 'while nobody knows what became of a proposed ISR, the high watermark goes by the proposed one only (F2)',
    edits: [
      {
        file: leaderReplicas,
        find: `this.#image.isr.includes(brokerId) ||
        this.#maybeInSync.has(brokerId) ||`,
        replace: '(this.#proposal === null && this.#image.isr.includes(brokerId)) ||',
      },
    ],
    seedsMax: 50,
  },
  {
    name: 'unknown-outcome-taken-for-failure',
    breaks: 'an ISR whose write was not answered counts as refused (F2)',
    edits: [
      {
        file: isrKeeper,
        find: 'if (error instanceof StoreFull) for (const change of changes) this.#refused(change)',
        replace: 'for (const change of changes) this.#refused(change)',
      },
    ],
    seedsMax: 60,
  },
]
