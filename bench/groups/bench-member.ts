// A member of a group, as a client would be one and no more: the raw protocol over a connection of its own, which it opens again when the
// broker goes. What both protocols have in common; how a member joins and beats is its own.

import type { AnyApi, RequestInput, ResponseOf } from '../../src/protocol/schema/index.ts'
import { offsetCommit } from '../../src/protocol/apis/offset-commit.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { RawClient } from '../raw-client.ts'

export interface MemberOptions {
  readonly bootstrap: string
  readonly groupId: string
  readonly topic: string
  readonly heartbeatMs: number
  readonly sessionMs: number
  /** As a consumer commits by itself; 0: never. */
  readonly commitMs: number
  /** Told of each heartbeat that was answered well, in milliseconds. */
  readonly onHeartbeat: (latencyMs: number) => void
}

const retryMs = 100
const askAgain: ReadonlySet<ErrorCode> = new Set([
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.NOT_COORDINATOR,
])

export abstract class BenchMember {
  protected readonly options: MemberOptions
  memberId = ''
  /** Generation or member epoch. */
  epoch = -1
  /** How often it had to join. */
  joins = 0
  /** It is in its group, and the broker has said so since the connection was opened. */
  settled = false
  #client: RawClient | null = null
  #committedAt = performance.now()

  constructor(options: MemberOptions) {
    this.options = options
  }

  protected abstract join(): Promise<void>
  /** What the broker says to a sign of life. */
  protected abstract beat(): Promise<ErrorCode>
  protected abstract get commitsInGroup(): boolean

  /** For ever. */
  async run(): Promise<void> {
    await pause(Math.random() * 2_000)
    let joined = false
    for (;;) {
      try {
        if (!joined) {
          this.joins++
          await this.join()
          joined = true
          this.settled = true
          await pause(Math.random() * this.options.heartbeatMs)
        }
        const started = performance.now()
        const code = await this.beat()
        this.settled = code === ErrorCode.NONE
        if (code === ErrorCode.NONE) {
          this.options.onHeartbeat(performance.now() - started)
          await this.#commitNowAndThen()
          await pause(this.options.heartbeatMs)
        } else if (askAgain.has(code)) {
          await pause(retryMs)
        } else {
          joined = false
          if (code !== ErrorCode.REBALANCE_IN_PROGRESS) this.memberId = ''
        }
      } catch {
        // The broker is away, or did not take it: as a client, it stays a member until it hears that it is none.
        this.settled = false
        await pause(retryMs)
      }
    }
  }

  protected async request<A extends AnyApi>(api: A, version: number, body: RequestInput<A>): Promise<ResponseOf<A>> {
    this.#client ??= await RawClient.connect(this.options.bootstrap)
    try {
      return await this.#client.request(api, version, body)
    } catch (error) {
      this.#client = null
      throw error
    }
  }

  async #commitNowAndThen(): Promise<void> {
    const { commitMs, groupId, topic } = this.options
    if (commitMs === 0 || !this.commitsInGroup || performance.now() - this.#committedAt < commitMs) return
    this.#committedAt = performance.now()
    const partition = { partitionIndex: 0, committedOffset: Date.now(), committedLeaderEpoch: 0, committedMetadata: '' }
    await this.request(offsetCommit, 9, {
      groupId,
      generationIdOrMemberEpoch: this.epoch,
      memberId: this.memberId,
      topics: [{ name: topic, partitions: [partition] }],
    })
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
