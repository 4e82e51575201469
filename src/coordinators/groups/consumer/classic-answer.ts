// What a classic member of a consumer group hears when it joins.

import type { JoinGroupResponse } from '../../../protocol/apis/join-group.ts'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { consumerProtocolType } from '../classic/classic-subscription.ts'
import type { ClassicMetadata } from './consumer-group-record.ts'
import type { ConsumerMember } from './consumer-member.ts'

/** A member that has the classic protocol. */
export interface ClassicTypeMember extends ConsumerMember {
  readonly classicMemberMetadata: ClassicMetadata
}

/** A place in the group: nobody leads, and nobody is told who else is there. */
export function joined(memberId: string, generationId: number, member: ClassicTypeMember): JoinGroupResponse {
  return {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    generationId,
    protocolType: consumerProtocolType,
    protocolName: member.classicMemberMetadata.supportedProtocols[0]!.name,
    leader: '',
    skipAssignment: false,
    memberId,
    members: [],
  }
}
