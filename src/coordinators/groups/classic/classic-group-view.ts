// What others see of a classic group: DescribeGroups.

import { ErrorCode } from '../../../protocol/error-code.ts'
import type { ClassicGroup } from './classic-group.ts'
import { noBytes } from './classic-member.ts'
import type { DescribedGroup } from '../group-event.ts'
import { operationsNotAsked } from '../group-response.ts'

/** Kafka tells the protocol and the members' metadata only while the group is stable. */
export function describeGroup(group: ClassicGroup): DescribedGroup {
  const protocol = group.state === 'Stable' ? group.protocol : null
  return {
    errorCode: ErrorCode.NONE,
    errorMessage: null,
    groupId: group.groupId,
    groupState: group.state,
    protocolType: group.protocolType ?? '',
    protocolData: protocol ?? '',
    members: group.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberMetadata: protocol === null ? noBytes : member.metadataFor(protocol),
      memberAssignment: member.assignment,
    })),
    authorizedOperations: operationsNotAsked,
  }
}
