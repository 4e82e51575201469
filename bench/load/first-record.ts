// How long it takes until a new group gives a consumer its first record: the requests a consumer of the classic protocol makes, each as
// soon as it can be made.

import { setTimeout as sleep } from 'node:timers/promises'
import { fetch } from '../../src/protocol/apis/fetch.ts'
import { findCoordinator } from '../../src/protocol/apis/find-coordinator.ts'
import { joinGroup, type JoinGroupResponse } from '../../src/protocol/apis/join-group.ts'
import { leaveGroup } from '../../src/protocol/apis/leave-group.ts'
import { listOffsets } from '../../src/protocol/apis/list-offsets.ts'
import { offsetFetch } from '../../src/protocol/apis/offset-fetch.ts'
import { syncGroup } from '../../src/protocol/apis/sync-group.ts'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../src/protocol/consumer-protocol.ts'
import { ErrorCode, errorName, isRetriable } from '../../src/protocol/error-code.ts'
import { recordsCountOf } from '../../src/records/batch.ts'
import { forEachBatch } from '../../src/records/batches-in.ts'
import { RawClient } from '../raw-client.ts'
import type { FirstRecord, LoadResult } from './load.ts'
import type { Measurement } from './measurement.ts'
import { described, type Leaders, leadersIn, partitionsOf, settled } from './topics.ts'
import { versions } from './versions.ts'

const groupVersions = { findCoordinator: 3, joinGroup: 7, syncGroup: 5, offsetFetch: 7, leaveGroup: 4 } as const
const protocolType = 'consumer'
const protocolName = 'range'
const sessionTimeoutMs = 45_000
const earliest = -2n
const fetchBytes = 1024 * 1024
const fetchWaitMs = 500

/** A group that is not there yet may make the broker create what groups need first: it says so, and is asked again. */
const retryMs = 5
const patienceMs = 60_000

interface Refusable {
  readonly errorCode: number
}

export async function firstRecord(command: FirstRecord, measurement: Measurement): Promise<LoadResult> {
  const consumer = new FirstConsumer(command, measurement)
  measurement.begin()
  await consumer.join()
  await consumer.readFirst()
  measurement.end()
  await consumer.leave()
  return measurement.result()
}

class FirstConsumer {
  readonly #command: FirstRecord
  readonly #measurement: Measurement
  readonly #clients = new Map<string, RawClient>()
  #coordinator!: RawClient
  #memberId = ''
  /** Of all partitions: there is no other member to share them with. */
  #leaders: Leaders = new Map()

  constructor(command: FirstRecord, measurement: Measurement) {
    this.#command = command
    this.#measurement = measurement
  }

  async join(): Promise<void> {
    const { bootstrap, group, topic } = this.#command
    const client = await this.#connected(bootstrap)
    const finding = untilNotRefused('find the coordinator', async () =>
      client.request(findCoordinator, groupVersions.findCoordinator, { key: group }),
    )
    this.#leaders = await settled(`${topic} has no leader`, async () => {
      const leaders = leadersIn(await described(client, topic))
      return leaders.size > 0 ? leaders : null
    })
    const found = await finding
    // Not the connection that fetches: a join keeps its connection waiting.
    this.#coordinator = await this.#connected(`${found.host}:${found.port}`, 'coordinator')
    const joined = await untilNotRefused('join', async () => this.#joined())
    const assignedPartitions = [{ topic, partitions: partitionsOf(this.#leaders) }]
    const assignment = consumerProtocolAssignment.encode({ assignedPartitions, userData: null })
    await untilNotRefused('sync', async () =>
      this.#coordinator.request(syncGroup, groupVersions.syncGroup, {
        groupId: group,
        generationId: joined.generationId,
        memberId: this.#memberId,
        protocolType,
        protocolName,
        assignments: [{ memberId: this.#memberId, assignment }],
      }),
    )
  }

  async #joined(): Promise<JoinGroupResponse> {
    const { group, topic } = this.#command
    const wish = { topics: [topic], userData: null, ownedPartitions: [] }
    for (;;) {
      const joined = await this.#coordinator.request(joinGroup, groupVersions.joinGroup, {
        groupId: group,
        sessionTimeoutMs,
        rebalanceTimeoutMs: sessionTimeoutMs,
        memberId: this.#memberId,
        protocolType,
        protocols: [{ name: protocolName, metadata: consumerProtocolSubscription.encode(wish, 1) }],
      })
      this.#memberId = joined.memberId
      if (joined.errorCode !== ErrorCode.MEMBER_ID_REQUIRED) return joined
    }
  }

  /** The group is new, so nothing is committed; but a consumer asks, and then where the log begins. */
  async readFirst(): Promise<void> {
    const { group, topic } = this.#command
    await untilNotRefused('read what is committed', async () =>
      this.#coordinator.request(offsetFetch, groupVersions.offsetFetch, {
        groupId: group,
        topics: [{ name: topic, partitionIndexes: partitionsOf(this.#leaders) }],
      }),
    )
    const reading = [...this.#leaders].map(async ([address, led]) =>
      this.#readFrom(await this.#connected(address), led),
    )
    await Promise.race(reading)
  }

  async #readFrom(client: RawClient, partitions: readonly number[]): Promise<void> {
    const { topic } = this.#command
    const asked = partitions.map((partitionIndex) => ({ partitionIndex, timestamp: earliest }))
    const begun = await client.request(listOffsets, versions.listOffsets, {
      replicaId: -1,
      topics: [{ name: topic, partitions: asked }],
    })
    const from = (begun.topics[0]?.partitions ?? []).map(({ partitionIndex, errorCode, offset }) => {
      throwIfRefused('where the log begins', errorCode)
      return { partition: partitionIndex, fetchOffset: offset, partitionMaxBytes: fetchBytes }
    })
    for (;;) {
      const { responses } = await client.request(fetch, versions.fetch, {
        maxWaitMs: fetchWaitMs,
        minBytes: 1,
        maxBytes: fetchBytes,
        topics: [{ topic, partitions: from }],
      })
      for (const { errorCode, records } of responses.flatMap((answer) => answer.partitions)) {
        throwIfRefused('fetch', errorCode)
        for (const chunk of records ?? []) {
          forEachBatch(chunk, (at) => this.#measurement.consumed.add(recordsCountOf(chunk, at), 0, 0))
          this.#measurement.consumed.bytes += chunk.length
        }
      }
      this.#measurement.consumed.requests += 1
      if (this.#measurement.consumed.records > 0) return
    }
  }

  async leave(): Promise<void> {
    await this.#coordinator.request(leaveGroup, groupVersions.leaveGroup, {
      groupId: this.#command.group,
      members: [{ memberId: this.#memberId }],
    })
  }

  async #connected(address: string, use = ''): Promise<RawClient> {
    const known = this.#clients.get(address + use)
    if (known !== undefined) return known
    const client = this.#measurement.owns(await RawClient.connect(address))
    this.#clients.set(address + use, client)
    return client
  }
}

/** Throws with the error's name when it is none that passes. */
async function untilNotRefused<T extends Refusable>(what: string, attempt: () => Promise<T>): Promise<T> {
  const giveUpAtMs = performance.now() + patienceMs
  for (;;) {
    const answer = await attempt()
    if (answer.errorCode === ErrorCode.NONE) return answer
    if (!isRetriable(answer.errorCode) || performance.now() > giveUpAtMs) throwIfRefused(what, answer.errorCode)
    await sleep(retryMs)
  }
}

function throwIfRefused(what: string, errorCode: number): void {
  if (errorCode !== ErrorCode.NONE) throw new Error(`${what}: ${errorName(errorCode)}`)
}
