// Odradek's own: why groups rebalanced, and what else happened to them. Its number is far from those that Kafka gives out, and
// ApiVersions does not name it, so that only who knows of it asks (docs/decisions/0015).

import { api, array, errorCode, int32, int64, nullable, string, struct, withDefault } from '../schema/index.ts'
import type { RequestOf, ResponseOf } from '../schema/index.ts'

const member = struct({
  memberId: string,
  groupInstanceId: nullable(string),
  clientId: string,
  clientHost: string,
})

/** Partitions as `orders-0`; `more`: how many there are besides. */
const names = struct({ names: array(string), more: int32 })

const rebalance = struct({
  /** Wall time, in milliseconds. */
  startTimeMs: int64,
  /** `running`, `done`, or `interrupted` when the coordinator moved or began anew. */
  outcome: string,
  /** -1 unless done, as the epoch and the members after it. */
  durationMs: withDefault(int64, -1),
  /** Generation of a classic group, group epoch of a consumer group. */
  epoch: withDefault(int32, -1),
  protocol: nullable(string),
  /** -1 where this broker does not know. */
  membersBefore: withDefault(int32, -1),
  membersAfter: withDefault(int32, -1),
  /** In words, in the order they happened; none where nobody said why. */
  causes: array(string),
  moreCauses: int32,
  changes: array(struct({ member, gained: names, lost: names })),
  moreChanges: int32,
})

const happening = struct({
  timeMs: int64,
  /** More than 1 for what happened again and again: until `lastTimeMs`. */
  times: withDefault(int32, 1),
  lastTimeMs: int64,
  kind: string,
  member: nullable(member),
  words: string,
})

/** Asked of the coordinator of the groups. Oldest first; as much as it remembers. */
export const describeGroupHistory = api({
  key: 32_000,
  name: 'DescribeGroupHistory',
  versions: [0, 0],
  flexibleSince: 0,
  request: { groups: array(string) },
  response: {
    throttleTimeMs: int32,
    groups: array(struct({ errorCode, groupId: string, rebalances: array(rebalance), happenings: array(happening) })),
  },
})

export type DescribeGroupHistoryRequest = RequestOf<typeof describeGroupHistory>
export type DescribeGroupHistoryResponse = ResponseOf<typeof describeGroupHistory>
