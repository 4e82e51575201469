// Mistakes in what clients are answered: how far they may read, and what a group is told of its offsets.

import type { Mutation } from './mutation.ts'

const commitQueue = 'src/coordinators/commit-queue.ts'
const coordinatorTopic = 'src/start/coordinator-topic.ts'

export const serviceMistakes: readonly Mutation[] = [
  {
    name: 'read-beyond-the-high-watermark',
    breaks: 'consumers see what is written, committed or not',
    edits: [
      {
        file: 'src/broker/fetch-round.ts',
        find: "return isolation === 'readCommitted' ? partition.lastStableOffset : partition.highWatermark",
        replace: "return isolation === 'readCommitted' ? partition.lastStableOffset : partition.readableEnd",
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'commit-answered-before-replicated',
    breaks: 'a group is told that its offsets are committed before other replicas have them',
    edits: [
      {
        file: commitQueue,
        find: 'if (held === null) {',
        replace: 'if (held === null || this.#gathered !== null) {',
      },
    ],
    seedsMax: 60,
  },
  {
    name: 'coordinator-loads-what-is-committed',
    breaks: 'a coordinator reads its log up to the high watermark, which a new leader does not know yet',
    edits: [
      {
        file: coordinatorTopic,
        find: 'read: (from, maxBytes) => partition.read(from, maxBytes, partition.logEndOffset, true),',
        replace: 'read: (from, maxBytes) => partition.read(from, maxBytes, partition.highWatermark, true),',
      },
    ],
    seedsMax: 15,
  },
]
