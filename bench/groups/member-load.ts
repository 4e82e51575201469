// Thousands of members of groups, in a process of its own, as its parent asks for them (`MemberQuestion`).

import { createTopics } from '../../src/protocol/apis/create-topics.ts'
import { findCoordinator } from '../../src/protocol/apis/find-coordinator.ts'
import { percentile } from '../measured.ts'
import { RawClient } from '../raw-client.ts'
import { ClassicBenchMember } from './bench-classic-member.ts'
import { ConsumerBenchMember } from './bench-consumer-member.ts'
import { type BenchMember, pause } from './bench-member.ts'
import { answerParent } from './load-process.ts'

export interface Members {
  readonly bootstrap: string
  readonly protocol: 'classic' | 'consumer'
  readonly groups: number
  readonly membersPerGroup: number
  readonly heartbeatMs: number
  readonly sessionMs: number
  readonly commitMs: number
}

export type MemberQuestion =
  | { readonly kind: 'begin'; readonly members: Members }
  | { readonly kind: 'status' }
  /** Heartbeats of the next so many seconds. */
  | { readonly kind: 'measure'; readonly seconds: number }

export interface MemberStatus {
  /** Members that are in their groups, as the broker has told each since it last connected. */
  readonly settled: number
  /** By all members, since the beginning. */
  readonly joins: number
}

export interface HeartbeatFigures {
  readonly heartbeats: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const topic = 'orders'
const members: BenchMember[] = []
let latencies: number[] | null = null

async function begin({ bootstrap, protocol, groups, membersPerGroup, ...rest }: Members): Promise<void> {
  const client = await RawClient.connect(bootstrap)
  await client.request(createTopics, 5, {
    topics: [{ name: topic, numPartitions: 10, replicationFactor: 1 }],
    timeoutMs: 30_000,
  })
  await client.request(findCoordinator, 4, { keyType: 0, coordinatorKeys: ['any'] })
  client.close()
  const Member = protocol === 'classic' ? ClassicBenchMember : ConsumerBenchMember
  const onHeartbeat = (latencyMs: number): void => {
    latencies?.push(latencyMs)
  }
  for (let index = 0; index < groups * membersPerGroup; index++) {
    const groupId = `${protocol}-${index % groups}`
    members.push(new Member({ bootstrap, groupId, topic, onHeartbeat, ...rest }))
  }
  for (const member of members) void member.run()
}

function status(): MemberStatus {
  return {
    settled: members.filter(({ settled }) => settled).length,
    joins: members.reduce((sum, { joins }) => sum + joins, 0),
  }
}

async function measure(seconds: number): Promise<HeartbeatFigures> {
  const measured: number[] = (latencies = [])
  await pause(seconds * 1_000)
  latencies = null
  return {
    heartbeats: measured.length,
    p50Ms: percentile(measured, 0.5),
    p99Ms: percentile(measured, 0.99),
    maxMs: percentile(measured, 1),
  }
}

answerParent(async (question: MemberQuestion) => {
  switch (question.kind) {
    case 'begin':
      await begin(question.members)
      return status()
    case 'status':
      return status()
    case 'measure':
      return measure(question.seconds)
  }
})
