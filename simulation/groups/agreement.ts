// Whether a group has settled: its coordinator says so, knows just the members there are, has given each of them what it believes to own,
// and every partition that anybody reads has one owner.

import { consumerGroupDescribe } from '../../src/protocol/apis/consumer-group-describe.ts'
import { describeGroups } from '../../src/protocol/apis/describe-groups.ts'
import { consumerProtocolAssignment } from '../../src/protocol/consumer-protocol.ts'
import { ErrorCode, errorName } from '../../src/protocol/error-code.ts'
import type { CoordinatorLine } from './coordinator-line.ts'
import type { MemberView } from './member.ts'
import { byTopic, namesOf, partitionName } from './partition-name.ts'

/** A group as its coordinator describes it. */
export interface DescribedGroup {
  readonly state: string
  /** By member id. */
  readonly assigned: ReadonlyMap<string, readonly string[]>
  /** -1: not told. */
  readonly epoch: number
}

/** What the coordinator says, or why it says nothing. */
export async function describe(
  line: CoordinatorLine,
  group: string,
  type: 'classic' | 'consumer' | 'mixed',
): Promise<DescribedGroup | string> {
  if (type === 'classic') return describeClassic(line, group)
  const said = await describeConsumer(line, group)
  const isClassicNow = type === 'mixed' && said === errorName(ErrorCode.GROUP_ID_NOT_FOUND)
  return isClassicNow ? describeClassic(line, group) : said
}

async function describeClassic(line: CoordinatorLine, group: string): Promise<DescribedGroup | string> {
  const answer = await line.ask(describeGroups, 5, { groups: [group], includeAuthorizedOperations: false })
  const found = answer?.groups[0]
  if (found === undefined) return 'nobody describes it'
  line.heard(found.errorCode)
  if (found.errorCode !== ErrorCode.NONE) return errorName(found.errorCode)
  const assigned = found.members.map(({ memberId, memberAssignment }) => {
    const names =
      memberAssignment.length === 0
        ? []
        : namesOf(consumerProtocolAssignment.decode(memberAssignment).assignedPartitions)
    return [memberId, names] as const
  })
  return { state: found.groupState, assigned: new Map(assigned), epoch: -1 }
}

async function describeConsumer(line: CoordinatorLine, group: string): Promise<DescribedGroup | string> {
  const answer = await line.ask(consumerGroupDescribe, 1, { groupIds: [group], includeAuthorizedOperations: false })
  const found = answer?.groups[0]
  if (found === undefined) return 'nobody describes it'
  line.heard(found.errorCode)
  if (found.errorCode !== ErrorCode.NONE) return errorName(found.errorCode)
  const assigned = found.members.map(({ memberId, assignment }) => {
    const topics = assignment.topicPartitions.map(({ topicName: topic, partitions }) => ({ topic, partitions }))
    return [memberId, namesOf(topics)] as const
  })
  return { state: found.groupState, assigned: new Map(assigned), epoch: found.groupEpoch }
}

/** In words; null: nothing. `counts`: partitions of each topic there is. */
export function whatIsMissing(
  said: DescribedGroup | string,
  members: readonly MemberView[],
  counts: ReadonlyMap<string, number>,
): string | null {
  if (typeof said === 'string') return said
  const waiting = members.filter(({ isSteady }) => !isSteady)
  if (waiting.length > 0) return `${waiting.length} of ${members.length} members are not steady`
  if (said.state !== 'Stable') return `its state is ${said.state}`
  const known = new Set(members.map(({ memberId }) => memberId))
  const strangers = [...said.assigned.keys()].filter((memberId) => !known.has(memberId))
  if (strangers.length > 0) return `the coordinator still knows ${strangers.join()}`
  const ownerOf = new Map<string, MemberView>()
  for (const member of members) {
    const given = said.assigned.get(member.memberId)
    if (given === undefined) return `the coordinator does not know ${member.memberId}`
    if (sorted(given) !== sorted(member.owned)) {
      return `${member.memberId} owns ${sorted(member.owned)}, and the coordinator says ${sorted(given)}`
    }
    for (const name of member.owned) {
      const other = ownerOf.get(name)
      if (other !== undefined) return `${name} belongs to ${other.memberId} and ${member.memberId}`
      if (!member.topics.includes(byTopic([name])[0]!.topic)) return `${member.memberId} does not read ${name}`
      ownerOf.set(name, member)
    }
  }
  for (const topic of new Set(members.flatMap(({ topics }) => topics))) {
    for (let index = 0; index < (counts.get(topic) ?? 0); index++) {
      const name = partitionName(topic, index)
      if (!ownerOf.has(name)) return `nobody owns ${name}`
    }
  }
  return null
}

function sorted(names: Iterable<string>): string {
  return [...names].toSorted().join()
}
