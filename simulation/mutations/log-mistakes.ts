// Mistakes in how the logs of one partition are kept the same: where they are cut, which epochs they remember, what is rebuilt from them.

import type { Mutation } from './mutation.ts'

const fetcher = 'src/replication/fetcher.ts'
const segmentedLog = 'src/storage/segmented-log.ts'

export const logMistakes: readonly Mutation[] = [
  {
    name: 'truncation-by-high-watermark',
    breaks: 'a follower cuts its log at its high watermark instead of where the epochs part (before KIP-101)',
    edits: [
      {
        file: fetcher,
        find: `    this.#stale.add(followed)
    this.#goOn()
  }

  leave`,
        replace: `    this.#stale.add(followed)
    this.#inBackground(followed, () => partition.truncateTo(partition.highWatermark, leaderEpoch))
  }

  leave`,
      },
      {
        file: fetcher,
        find: 'const { logEndOffset: fetchOffset, latestEpoch: lastFetchedEpoch } = log',
        replace: 'const { logEndOffset: fetchOffset } = log\n    const lastFetchedEpoch = -1',
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'fetch-without-last-epoch',
    breaks: 'a follower does not say which epoch its log ends in, so nobody sees that the logs part',
    edits: [
      {
        file: fetcher,
        find: 'const { logEndOffset: fetchOffset, latestEpoch: lastFetchedEpoch } = log',
        replace: 'const { logEndOffset: fetchOffset } = log\n    const lastFetchedEpoch = -1',
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'leader-epoch-not-bumped',
    breaks: 'a new leader leads under the epoch of the one before',
    edits: [
      {
        file: 'src/cluster/partition-change.ts',
        find: 'leaderEpoch: partition.leaderEpoch + (newEpoch ? 1 : 0),',
        replace: 'leaderEpoch: partition.leaderEpoch,',
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'same-epoch-after-restart',
    breaks: 'a leader that comes back leads on under its old epoch, in which it has lost what was not synced',
    edits: [
      {
        file: 'src/cluster/elections.ts',
        find: 'leaderEpoch: partition.leaderEpoch + 1,',
        replace: 'leaderEpoch: partition.leaderEpoch,',
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'epochs-of-the-leadership',
    breaks: 'a follower remembers its leader’s epoch for what it copies, not the epoch of each batch',
    edits: [
      {
        file: segmentedLog,
        find: 'this.#admit(batch, baseOffset, lastOffset, leaderEpochOf(batch), maxTimestampOf(batch), producerBatch)',
        replace:
          'this.#admit(batch, baseOffset, lastOffset, leaderEpochMax + leaderEpochOf(batch) * 0, maxTimestampOf(batch), producerBatch)',
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'producers-not-cut',
    breaks: 'what was cut off is still remembered as a batch that its producer has sent',
    edits: [
      {
        file: 'src/storage/log-shape.ts',
        find: '    state.producers = producers\n',
        replace: '    void producers\n',
      },
    ],
    seedsMax: 60,
  },
  {
    name: 'producers-not-replicated',
    breaks: 'a follower does not learn the producers of what it copies, so a new leader takes a retry for new',
    edits: [
      {
        file: segmentedLog,
        find: 'const producerBatch = producerId > noProducerId ? producerBatchOf(batch, 0, producerId, baseOffset) : null',
        replace:
          'const producerBatch = producerId > producerId ? producerBatchOf(batch, 0, producerId, baseOffset) : null',
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'log-start-not-propagated',
    breaks: 'a follower does not hear that records were deleted, and shows them again as leader',
    edits: [
      {
        file: 'src/replication/partition.ts',
        find: 'const start = Math.min(this.#leaderLogStart, this.#highWatermark)',
        replace: 'const start = Math.min(this.#leaderLogStart, -1)',
      },
      {
        file: 'src/replication/leader-replicas.ts',
        find: 'if (startOffset < low && isThere(brokerId)) low = startOffset',
        replace: 'if (startOffset < low && isThere(brokerId)) low = low + startOffset * 0',
      },
    ],
    seedsMax: 15,
  },
  {
    name: 'stays-away-after-an-error',
    breaks: 'a follower never asks again after its leader has answered an error',
    edits: [
      {
        file: fetcher,
        find: 'followed.resumeAt = clock.monotonic() + Math.min(pauseMs, settings.replicaFetchBackoffMs)',
        replace: 'followed.resumeAt = clock.monotonic() + Math.max(pauseMs, Infinity)',
      },
    ],
    seedsMax: 20,
  },
]
