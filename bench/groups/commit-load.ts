// Commits offsets, in a process of its own: the parent sends one `CommitLoad`, and gets one `CommitLoadResult`.

import { createTopics } from '../../src/protocol/apis/create-topics.ts'
import { findCoordinator } from '../../src/protocol/apis/find-coordinator.ts'
import { offsetCommit } from '../../src/protocol/apis/offset-commit.ts'
import { ErrorCode, errorName } from '../../src/protocol/error-code.ts'
import { encodeRequest } from '../../src/protocol/frame.ts'
import { percentile } from '../measured.ts'
import { RawClient } from '../raw-client.ts'
import { answerParent } from './load-process.ts'

export interface CommitLoad {
  readonly bootstrap: string
  /** Each commits one partition of its topic, as a consumer that assigns itself partitions does. */
  readonly groups: number
  readonly connections: number
  /** A second; null: as many as go with `inFlight` waiting at a time. */
  readonly rate: number | null
  readonly inFlight: number
  readonly seconds: number
}

export interface CommitLoadResult {
  /** Answered while it was measured; what was sent meanwhile and answered later counts for the latencies alone. */
  readonly commits: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const topic = 'orders'
const version = 8
const warmUpMs = 1_000

async function prepare(bootstrap: string): Promise<void> {
  const client = await RawClient.connect(bootstrap)
  await client.request(createTopics, 5, {
    topics: [{ name: topic, numPartitions: 1, replicationFactor: 1 }],
    timeoutMs: 30_000,
  })
  await client.request(findCoordinator, 4, { keyType: 0, coordinatorKeys: ['any'] })
  client.close()
}

async function commit(load: CommitLoad): Promise<CommitLoadResult> {
  await prepare(load.bootstrap)
  const clients = await Promise.all(Array.from({ length: load.connections }, () => RawClient.connect(load.bootstrap)))
  const frames = Array.from({ length: load.groups }, (_, index) =>
    encodeRequest(
      offsetCommit,
      version,
      { correlationId: index, clientId: 'odradek-bench' },
      {
        groupId: `bench-commit-group-${index}`,
        generationIdOrMemberEpoch: -1,
        memberId: '',
        topics: [
          {
            name: topic,
            partitions: [{ partitionIndex: 0, committedOffset: index, committedLeaderEpoch: 0, committedMetadata: '' }],
          },
        ],
      },
    ),
  )
  const latencies: number[] = []
  let answered = 0
  let sent = 0
  let failure: Error | null = null
  const began = performance.now()
  const measuredFrom = began + warmUpMs
  const until = measuredFrom + load.seconds * 1_000

  async function one(): Promise<void> {
    const index = sent++
    const started = performance.now()
    const answer = await clients[index % clients.length]!.send(offsetCommit, version, frames[index % frames.length]!)
    const code = answer.topics[0]?.partitions[0]?.errorCode ?? ErrorCode.UNKNOWN_SERVER_ERROR
    if (code !== ErrorCode.NONE) failure ??= new Error(`a commit was refused: ${errorName(code)}`)
    const now = performance.now()
    if (started >= measuredFrom && started < until) latencies.push(now - started)
    if (now >= measuredFrom && now < until) answered++
  }

  const keepCommitting = async (): Promise<void> => {
    while (performance.now() < until && failure === null) await one()
  }
  if (load.rate === null) {
    await Promise.all(Array.from({ length: load.inFlight }, keepCommitting))
  } else {
    const waiting: Promise<void>[] = []
    for (let now = began; now < until && failure === null; now = performance.now()) {
      const due = Math.floor(((now - began) / 1_000) * load.rate)
      while (sent < due) waiting.push(one())
      await new Promise((resolve) => {
        setTimeout(resolve, 1)
      })
    }
    await Promise.all(waiting)
  }
  for (const client of clients) client.close()
  if (failure !== null) throw failure
  return {
    commits: answered,
    seconds: load.seconds,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    maxMs: percentile(latencies, 1),
  }
}

answerParent(commit)
