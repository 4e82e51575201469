// A member of a KIP-848 group: everything is a heartbeat. It takes what it is given at once, and says so with the next one.

import { randomUUID } from 'node:crypto'
import {
  consumerGroupHeartbeat,
  type ConsumerGroupHeartbeatResponse,
} from '../../src/protocol/apis/consumer-group-heartbeat.ts'
import { ErrorCode, errorName } from '../../src/protocol/error-code.ts'
import { BenchMember } from './bench-member.ts'

type Owned = NonNullable<ConsumerGroupHeartbeatResponse['assignment']>['topicPartitions']

export class ConsumerBenchMember extends BenchMember {
  #owned: Owned = []
  /** Given by the broker, and not yet confirmed to it. */
  #unconfirmed = false

  protected get commitsInGroup(): boolean {
    return this.epoch > 0
  }

  protected override async join(): Promise<void> {
    this.memberId = randomUUID()
    this.#owned = []
    const { topic } = this.options
    const code = await this.#heartbeat(0, {
      rebalanceTimeoutMs: 60_000,
      subscribedTopicNames: [topic],
      topicPartitions: [],
    })
    if (code !== ErrorCode.NONE) throw new Error(`join: ${errorName(code)}`)
  }

  protected override async beat(): Promise<ErrorCode> {
    if (!this.#unconfirmed) return this.#heartbeat(this.epoch, {})
    this.#unconfirmed = false
    return this.#heartbeat(this.epoch, { topicPartitions: this.#owned })
  }

  async #heartbeat(
    memberEpoch: number,
    said: { rebalanceTimeoutMs?: number; subscribedTopicNames?: string[]; topicPartitions?: Owned },
  ): Promise<ErrorCode> {
    const { groupId } = this.options
    const answer = await this.request(consumerGroupHeartbeat, 1, {
      groupId,
      memberId: this.memberId,
      memberEpoch,
      ...said,
    })
    if (answer.errorCode !== ErrorCode.NONE) return answer.errorCode
    this.epoch = answer.memberEpoch
    if (answer.assignment !== null) {
      this.#owned = answer.assignment.topicPartitions
      this.#unconfirmed = true
    }
    return ErrorCode.NONE
  }
}
