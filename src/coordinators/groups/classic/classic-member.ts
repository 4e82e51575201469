// One member of a classic group: what the log keeps of it, and what a restart forgets.

import type { Millis } from '../../../io/clock.ts'
import type { JoinGroupRequest, JoinGroupResponse } from '../../../protocol/apis/join-group.ts'
import type { SyncGroupResponse } from '../../../protocol/apis/sync-group.ts'
import type { ReplyTo } from '../../effect.ts'
import type { JoinEvent } from '../group-event.ts'
import type { MemberRecord } from '../group-record.ts'

/** A way to assign partitions (`range`), with what the member tells its leader about itself. */
export interface MemberProtocol {
  readonly name: string
  readonly metadata: Uint8Array
}

export const noBytes = new Uint8Array(0)

export class ClassicMember {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  rebalanceTimeoutMs: number
  sessionTimeoutMs: number
  /** In order of preference; of a member read from the log only the one that was chosen. */
  protocols: readonly MemberProtocol[]
  assignment: Uint8Array = noBytes
  /** Set while a JoinGroup waits. */
  joinReply: ReplyTo<JoinGroupResponse> | null = null
  /** Set while a SyncGroup waits. */
  syncReply: ReplyTo<SyncGroupResponse> | null = null
  /** Has not been in a generation yet: it does not know its id, so it cannot send heartbeats. */
  isNew = false
  /** As the log has it: it has not joined since. */
  restored = false
  /** Wall time at which it was last heard, or its session began anew. */
  heardAt: Millis = 0
  /** What it was last given, as `topic-0`; null when that cannot be read. */
  owned: readonly string[] | null = null
  /** Where it was last heard; null for a member read from the log. */
  connectionId: number | null = null

  constructor(identity: Pick<ClassicMember, 'memberId' | 'groupInstanceId' | 'clientId' | 'clientHost'>) {
    this.memberId = identity.memberId
    this.groupInstanceId = identity.groupInstanceId
    this.clientId = identity.clientId
    this.clientHost = identity.clientHost
    this.rebalanceTimeoutMs = 0
    this.sessionTimeoutMs = 0
    this.protocols = []
  }

  static joining(memberId: string, { sender, request }: JoinEvent): ClassicMember {
    const { clientId, clientHost } = sender
    const member = new ClassicMember({ memberId, groupInstanceId: request.groupInstanceId, clientId, clientHost })
    member.isNew = true
    return member
  }

  static fromRecord(record: MemberRecord, protocol: string | null): ClassicMember {
    const member = new ClassicMember(record)
    member.rebalanceTimeoutMs = record.rebalanceTimeoutMs
    member.sessionTimeoutMs = record.sessionTimeoutMs
    member.protocols = protocol === null ? [] : [{ name: protocol, metadata: record.subscription }]
    member.assignment = record.assignment
    member.restored = true
    return member
  }

  /** Whether the member offers exactly this, in this order. */
  offers(protocols: JoinGroupRequest['protocols']): boolean {
    return (
      protocols.length === this.protocols.length &&
      this.protocols.every(({ name, metadata }, index) => {
        const other = protocols[index]!
        return name === other.name && Buffer.compare(metadata, other.metadata) === 0
      })
    )
  }

  /** Empty when the member does not offer the protocol. */
  metadataFor(protocol: string | null): Uint8Array {
    return this.protocols.find(({ name }) => name === protocol)?.metadata ?? noBytes
  }

  toRecord(protocol: string | null, assignment: Uint8Array): MemberRecord {
    return {
      memberId: this.memberId,
      groupInstanceId: this.groupInstanceId,
      clientId: this.clientId,
      clientHost: this.clientHost,
      rebalanceTimeoutMs: this.rebalanceTimeoutMs,
      sessionTimeoutMs: this.sessionTimeoutMs,
      subscription: this.metadataFor(protocol),
      assignment,
    }
  }
}
