// A member of a classic group: JoinGroup, SyncGroup, Heartbeat. The leader gives everybody the same assignment.

import { heartbeat } from '../../src/protocol/apis/heartbeat.ts'
import { joinGroup, type JoinGroupResponse } from '../../src/protocol/apis/join-group.ts'
import { syncGroup } from '../../src/protocol/apis/sync-group.ts'
import { ErrorCode, errorName } from '../../src/protocol/error-code.ts'
import { BenchMember } from './bench-member.ts'

const protocolName = 'range'

export class ClassicBenchMember extends BenchMember {
  protected readonly commitsInGroup = true

  protected override async join(): Promise<void> {
    const { groupId } = this.options
    const joined = await this.#joined()
    this.memberId = joined.memberId
    this.epoch = joined.generationId
    const { memberId, generationId } = joined
    const assignments = joined.members.map((member) => ({ memberId: member.memberId, assignment: Buffer.alloc(64) }))
    const synced = await this.request(syncGroup, 5, {
      groupId,
      generationId,
      memberId,
      assignments,
      protocolType: 'consumer',
      protocolName,
    })
    if (synced.errorCode !== ErrorCode.NONE) throw new Error(`sync: ${errorName(synced.errorCode)}`)
  }

  async #joined(): Promise<JoinGroupResponse> {
    for (;;) {
      const { groupId, sessionMs, topic } = this.options
      const joined = await this.request(joinGroup, 9, {
        groupId,
        memberId: this.memberId,
        sessionTimeoutMs: sessionMs,
        rebalanceTimeoutMs: 60_000,
        protocolType: 'consumer',
        protocols: [{ name: protocolName, metadata: subscription(topic) }],
      })
      if (joined.errorCode === ErrorCode.NONE) return joined
      if (joined.errorCode === ErrorCode.MEMBER_ID_REQUIRED) {
        this.memberId = joined.memberId
      } else {
        if (joined.errorCode === ErrorCode.UNKNOWN_MEMBER_ID) this.memberId = ''
        throw new Error(`join: ${errorName(joined.errorCode)}`)
      }
    }
  }

  protected override async beat(): Promise<ErrorCode> {
    const { memberId, epoch, options } = this
    const answer = await this.request(heartbeat, 4, { groupId: options.groupId, generationId: epoch, memberId })
    return answer.errorCode
  }
}

/** ConsumerProtocolSubscription, version 0. */
function subscription(topic: string): Uint8Array {
  const bytes = Buffer.alloc(2 + 4 + 2 + topic.length + 4)
  bytes.writeInt32BE(1, 2)
  bytes.writeInt16BE(topic.length, 6)
  bytes.write(topic, 8)
  bytes.writeInt32BE(-1, 8 + topic.length)
  return bytes
}
