// Mistakes of group coordinators: who is a member, who owns what, who may commit.

import type { Mutation } from './mutation.ts'

const classic = 'src/coordinators/groups/classic/'
const consumer = 'src/coordinators/groups/consumer/'

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
  {
    name: 'given-before-it-is-given-up',
    breaks: 'a member of a KIP-848 group gets a partition that another has yet to give up',
    workloads: ['groups-consumer'],
    edits: [
      {
        file: `${consumer}reconciliation.ts`,
        find: 'const taken = to.isOwned(topicId, partition) && !has(',
        replace: 'const taken = to.isOwned(topicId, -1) && !has(',
      },
    ],
    seedsMax: 10,
  },
  {
    name: 'taken-from-classic-members-too-soon',
    breaks:
      'what a classic member of a KIP-848 group has to give up goes to another when it rejoins, before it has heard of it',
    workloads: ['groups-mixed'],
    edits: [
      {
        file: `${consumer}classic-members.ts`,
        find: 'this.#host.follow(found, described, subscription.owned, now)',
        replace: 'this.#host.follow(found, described, [], now)',
      },
    ],
    seedsMax: 10,
  },
  {
    name: 'epoch-stays-when-a-member-goes',
    breaks: 'a KIP-848 group that has lost a member keeps its epoch, so that nobody gets what that one had',
    workloads: ['groups-consumer'],
    edits: [
      {
        file: `${consumer}group-subscription.ts`,
        find: 'this.#epochRecord(this.#group.epoch + 1, this.#hashOf(left, this.#group.regexes)),',
        replace: 'this.#epochRecord(this.#group.epoch, this.#hashOf(left, this.#group.regexes)),',
      },
    ],
    seedsMax: 10,
  },
  {
    name: 'kip-848-nobody-is-missed-after-a-move',
    breaks: 'a coordinator that has loaded a KIP-848 group waits for no sign of life of its members',
    workloads: ['groups-consumer'],
    edits: [
      {
        file: `${consumer}consumer-group.ts`,
        find: '      sessionTimer(this.groupId, member.memberId, sessionTimeoutMs),\n      ...(member',
        replace: '      ...(member',
      },
    ],
    seedsMax: 10,
  },
  {
    name: 'all-stop-for-one',
    breaks: 'a member that gets or loses a partition of a topic has to give up all that it has of it first',
    workloads: ['groups-consumer'],
    edits: [
      {
        file: `${consumer}reconciliation.ts`,
        find: 'const kept = [...current].filter(([partition]) => wanted.has(partition))',
        replace:
          'const kept = [...current].filter(([partition]) => wanted.has(partition) && wanted.size >= current.size)',
      },
      {
        file: `${consumer}reconciliation.ts`,
        find: 'const gone = [...current].filter(([partition]) => !wanted.has(partition))',
        replace:
          'const gone = [...current].filter(([partition]) => !wanted.has(partition) || wanted.size < current.size)',
      },
    ],
    seedsMax: 10,
  },
]
