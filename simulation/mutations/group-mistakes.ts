// Mistakes of group coordinators: who is a member, who owns what, who may commit.

import type { Mutation } from './mutation.ts'

const classic = 'src/coordinators/groups/classic/'

export const groupMistakes: readonly Mutation[] = [
  {
    name: 'old-generation-commits',
    breaks: 'a member that has missed a generation still commits offsets of partitions that others have by now',
    workloads: ['groups-eager'],
    edits: [
      {
        file: `${classic}classic-group.ts`,
        find: 'if (generation !== current) return ErrorCode.ILLEGAL_GENERATION\n    return phase',
        replace: 'if (generation > current) return ErrorCode.ILLEGAL_GENERATION\n    return phase',
      },
    ],
    seedsMax: 10,
  },
  {
    name: 'nobody-is-missed-after-a-move',
    breaks: 'a coordinator that has loaded its groups waits for no sign of life of their members',
    workloads: ['groups-eager'],
    edits: [
      {
        file: `${classic}classic-group.ts`,
        find: 'effects.push(group.heard(member))',
        replace: 'member.heardAt = now',
      },
    ],
    seedsMax: 10,
  },
  {
    name: 'static-member-not-fenced',
    breaks: 'a process whose instance id another one has taken is still a member (KIP-345)',
    workloads: ['groups-eager'],
    edits: [
      {
        file: `${classic}classic-state.ts`,
        find: 'if (holder.memberId !== memberId) return ErrorCode.FENCED_INSTANCE_ID',
        replace: 'return holder',
      },
    ],
    seedsMax: 10,
  },
  {
    name: 'rebalance-of-the-same-generation',
    breaks: 'members that have missed a rebalance cannot tell: the generation is the one they know',
    workloads: ['groups-eager'],
    edits: [
      {
        file: `${classic}classic-rebalance.ts`,
        find: 'group.generation++',
        replace: 'group.generation = Math.max(1, group.generation)',
      },
    ],
    seedsMax: 10,
  },
  {
    name: 'the-dead-keep-their-partitions',
    breaks: 'who is silent for too long is no member any more, but the others are not told to share what it had',
    workloads: ['groups-eager'],
    edits: [
      {
        file: `${classic}classic-leave.ts`,
        find: "noted(group.groupId, { kind: 'memberSilent', silentMs, ...farewell(member) }),\n    ...memberIsGone(group),",
        replace: "noted(group.groupId, { kind: 'memberSilent', silentMs, ...farewell(member) }),",
      },
    ],
    seedsMax: 10,
  },
]
