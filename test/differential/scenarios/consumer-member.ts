// Members of KIP-848 groups as the scenarios need them: each says what it owns, and takes what it is given.

import { consumerGroupDescribe, consumerGroupHeartbeat } from '../../../src/protocol/apis/index.ts'
import type { RequestInput, ResponseOf } from '../../../src/protocol/schema/index.ts'
import { waitFor } from '../../support/wait-for.ts'
import { closed, type Dialogue } from '../dialogue.ts'

export type Beat = Partial<RequestInput<typeof consumerGroupHeartbeat>>
type Answer = ResponseOf<typeof consumerGroupHeartbeat>
type Owned = readonly { readonly topicId: string; readonly partitions: readonly number[] }[]

/** An answer whose epoch and partitions depend on whether the new assignment is there yet. */
export function inTime(answer: Answer) {
  return { ...answer, memberEpoch: 'any', assignment: 'any' }
}

export class ConsumerGroup {
  readonly groupId: string
  readonly dialogue: Dialogue
  readonly version: number

  constructor(dialogue: Dialogue, groupId: string, version: number) {
    this.dialogue = dialogue
    this.groupId = groupId
    this.version = version
  }

  /** One heartbeat as it is said. */
  async beat(beat: Beat): Promise<Answer> {
    const { groupId } = this
    const request = {
      groupId,
      memberId: '',
      memberEpoch: 0,
      instanceId: null,
      rackId: null,
      subscribedTopicNames: null,
    }
    const rest = { serverAssignor: null, topicPartitions: null }
    const answer = await this.dialogue.ask(consumerGroupHeartbeat, this.version, { ...request, ...rest, ...beat })
    if (answer === closed) throw new Error('closed')
    return answer
  }

  async describe() {
    const answer = await this.dialogue.ask(consumerGroupDescribe, 1, { groupIds: [this.groupId] })
    if (answer === closed) throw new Error('closed')
    return answer.groups[0]!
  }

  member(memberId: string, wishes: Beat = {}): ConsumerMember {
    return new ConsumerMember(this, memberId, wishes)
  }

  /** Members beat until nobody is told anything new and the group is stable. */
  async settle(...members: readonly ConsumerMember[]): Promise<void> {
    await waitFor(`${this.groupId} to settle`, async () => {
      for (const member of members) await member.beat()
      const { groupState, groupEpoch, members: described } = await this.describe()
      return groupState === 'Stable' && described.every(({ memberEpoch }) => memberEpoch === groupEpoch)
    })
  }
}

export class ConsumerMember {
  readonly #group: ConsumerGroup
  readonly #wishes: Beat
  memberId: string
  epoch = 0
  owned: Owned = []

  constructor(group: ConsumerGroup, memberId: string, wishes: Beat) {
    this.#group = group
    this.memberId = memberId
    this.#wishes = wishes
  }

  /** Joins, with all that a first heartbeat says. */
  join(beat: Beat = {}): Promise<Answer> {
    this.epoch = 0
    this.owned = []
    const first = { rebalanceTimeoutMs: 60_000, topicPartitions: [] }
    return this.say({ ...first, ...this.#wishes, ...beat })
  }

  /** Says what it has; takes what it is given, and says that at once. */
  async beat(): Promise<Answer> {
    const answer = await this.say({ topicPartitions: this.owned })
    if (answer.errorCode !== 0 || answer.assignment === null) return answer
    return this.say({ topicPartitions: this.owned })
  }

  /** Says what it says, and remembers what it is told without telling that it has done it. */
  async say(beat: Beat = {}): Promise<Answer> {
    const answer = await this.#group.beat({ memberId: this.memberId, memberEpoch: this.epoch, ...beat })
    if (answer.errorCode !== 0) return answer
    this.memberId = answer.memberId ?? this.memberId
    this.epoch = answer.memberEpoch
    if (answer.assignment !== null) this.owned = answer.assignment.topicPartitions
    return answer
  }

  leave(epoch = -1, beat: Beat = {}): Promise<Answer> {
    return this.#group.beat({ memberId: this.memberId, memberEpoch: epoch, ...beat })
  }
}
