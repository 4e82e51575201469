// Mistakes that some thirty seeds have not shown: a guard behind the one that is taken away holds too, or the moment in which it counts is
// short. They are not part of a usual hunt (`--only NAME` plants one), and are kept so that nobody takes them for seen.

import type { Mutation } from './mutation.ts'

export const unseenMistakes: readonly Mutation[] = [
  {
    name: 'isr-grows-without-broker-epoch',
    breaks: 'a follower joins the ISR by what an earlier life of its broker had (KIP-903)',
    edits: [
      {
        file: 'src/replication/replica-set.ts',
        find: 'return broker !== undefined && broker.epoch === epoch && !broker.leaving',
        replace: 'return broker !== undefined && epoch !== undefined && !broker.leaving',
      },
      {
        file: 'src/replication/isr-keeper.ts',
        find: 'guards: [own, ...elected, ...joining],',
        replace: 'guards: [own, ...elected],',
      },
    ],
    seedsMax: 500,
  },
  {
    name: 'isr-grows-at-the-high-watermark',
    breaks: 'a follower joins the ISR with what the new leader knows to be committed, which may be less than what is',
    edits: [
      {
        file: 'src/replication/partition.ts',
        find: 'return Math.max(this.#highWatermark, this.#epochStartOffset)',
        replace: 'return this.#highWatermark',
      },
    ],
    seedsMax: 500,
  },
  {
    name: 'divergence-by-offset-only',
    breaks: 'the leader sees that logs part by where an epoch ended, not by an epoch that it never had',
    edits: [
      {
        file: 'src/broker/fetch-round.ts',
        find: 'const parted = known.epoch < wanted.lastFetchedEpoch || known.endOffset < wanted.fetchOffset',
        replace: 'const parted = known.endOffset < wanted.fetchOffset',
      },
    ],
    seedsMax: 500,
  },
  {
    name: 'epochs-not-cut',
    breaks: 'the epochs of what was cut off stay in the list',
    edits: [
      {
        file: 'src/storage/leader-epoch-cache.ts',
        find: 'while (this.#entries.length > 0 && this.#entries.at(-1)!.startOffset >= end) this.#entries.pop()',
        replace: 'void end',
      },
    ],
    seedsMax: 500,
  },
  {
    name: 'lease-of-the-answer',
    breaks: 'a lease is counted from when the answer came, not from when it was asked for (F4)',
    edits: [
      {
        file: 'src/cluster/etcd/lease.ts',
        find: '        this.#grantedAt = sentAt\n',
        replace: '        this.#grantedAt = sentAt && momentOf(this.#connection.clock)\n',
      },
    ],
    seedsMax: 500,
  },
  {
    name: 'epoch-not-compared',
    breaks: 'requests under an older or newer leader epoch than the partition’s are served (KIP-320)',
    edits: [
      {
        file: 'src/replication/partition.ts',
        find: 'if (currentLeaderEpoch === -1 || currentLeaderEpoch === known) return null',
        replace: 'if (currentLeaderEpoch === -1 || known !== undefined) return null',
      },
    ],
    seedsMax: 500,
  },
  {
    name: 'coordinator-serves-while-it-loads',
    breaks: 'a coordinator answers before it has read its log: groups that have offsets are told that they have none',
    edits: [
      {
        file: 'src/coordinators/coordinated-partition.ts',
        find: `    const machine = createMachine()
    const started`,
        replace: `    const machine = createMachine()
    this.#machine = machine
    const started`,
      },
    ],
    seedsMax: 500,
  },
  {
    name: 'coordinator-goes-on-when-fenced',
    breaks: 'a broker without a place in the cluster goes on to coordinate groups (F6)',
    edits: [
      {
        file: 'src/start/coordinator-topic.ts',
        find: "append: (batch) => (membership.valid() ? partition.append(batch, 'coordinator') : refused),",
        replace: "append: (batch) => (refused.ok ? refused : partition.append(batch, 'coordinator')),",
      },
      {
        file: 'src/start/coordinator-topic.ts',
        find: 'serves: () => membership.valid(),',
        replace: 'serves: () => membership !== undefined,',
      },
      {
        file: 'src/start/coordinator-topic.ts',
        find: "fenced = standing === 'fenced'",
        replace: 'fenced = standing !== standing',
      },
    ],
    seedsMax: 500,
  },
  {
    name: 'offsets-answered-before-committed',
    breaks: 'a member is told an offset that is written and not yet committed: a new coordinator may not have it',
    workloads: ['groups-eager'],
    edits: [
      {
        file: 'src/coordinators/commit-queue.ts',
        find: 'const held = this.#gathered?.held ?? this.#newest',
        replace: 'const held = this.#gathered?.held ?? null',
      },
    ],
    seedsMax: 500,
  },
]
