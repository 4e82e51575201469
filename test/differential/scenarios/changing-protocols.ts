// Groups that go from one protocol to the other while their members are in them (KIP-848, group.consumer.migration.policy): consumers of
// both kinds side by side, and what each is told.

import {
  describeGroups,
  heartbeat,
  joinGroup,
  leaveGroup,
  listGroups,
  offsetCommit,
  syncGroup,
} from '../../../src/protocol/apis/index.ts'
import { consumerProtocolAssignment, consumerProtocolSubscription } from '../../../src/protocol/consumer-protocol.ts'
import { waitFor } from '../../support/wait-for.ts'
import { closed, type Dialogue, type Peer } from '../dialogue.ts'
import { coordinatorOf, joinRequest } from './classic-member.ts'
import { ConsumerGroup, type ConsumerMember, inTime } from './consumer-member.ts'

type Owned = readonly { readonly topic: string; readonly partitions: readonly number[] }[]

/** A consumer that knows only the classic protocol, and gives before it takes. */
class ClassicConsumer {
  readonly #group: ConsumerGroup
  readonly #peer: Peer
  readonly #topics: readonly string[]
  readonly #groupInstanceId: string | null
  memberId = ''
  generationId = -1
  owned: Owned = []

  private constructor(group: ConsumerGroup, peer: Peer, topics: readonly string[], groupInstanceId: string | null) {
    this.#group = group
    this.#peer = peer
    this.#topics = topics
    this.#groupInstanceId = groupInstanceId
  }

  static async connect(group: ConsumerGroup, topics: readonly string[], instanceId: string | null = null) {
    return new ClassicConsumer(group, await group.dialogue.connection(), topics, instanceId)
  }

  async join() {
    const subscription = { topics: this.#topics, userData: null, ownedPartitions: this.owned, generationId: -1 }
    const metadata = Buffer.from(consumerProtocolSubscription.encode(subscription, 1))
    const request = (memberId: string) => ({
      ...joinRequest(9, { groupId: this.#group.groupId, memberId, protocols: [{ name: 'range', metadata }] }),
      groupInstanceId: this.#groupInstanceId,
      sessionTimeoutMs: 45_000,
      rebalanceTimeoutMs: 60_000,
    })
    let joined = await this.#peer.ask(joinGroup, 9, request(this.memberId))
    if (joined !== closed && joined.errorCode === 79)
      joined = await this.#peer.ask(joinGroup, 9, request(joined.memberId))
    if (joined === closed) throw new Error('closed')
    this.memberId = joined.memberId
    this.generationId = joined.generationId
    return joined
  }

  /** As the leader of a classic group it takes everything. */
  async sync(given: Owned = []) {
    const assignment = Buffer.from(consumerProtocolAssignment.encode({ assignedPartitions: given, userData: null }, 1))
    const { groupId } = this.#group
    const { generationId, memberId } = this
    const synced = await this.#peer.ask(syncGroup, 5, {
      groupId,
      generationId,
      memberId,
      groupInstanceId: this.#groupInstanceId,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: given.length === 0 ? [] : [{ memberId, assignment }],
    })
    if (synced === closed) throw new Error('closed')
    if (synced.errorCode === 0) this.owned = consumerProtocolAssignment.decode(synced.assignment).assignedPartitions
    return { ...synced, assignment: synced.errorCode === 0 ? this.owned : null }
  }

  async beat(): Promise<number> {
    const { groupId } = this.#group
    const { generationId, memberId } = this
    const beat = await this.#peer.ask(heartbeat, 4, {
      groupId,
      generationId,
      memberId,
      groupInstanceId: this.#groupInstanceId,
    })
    return beat === closed ? -1 : beat.errorCode
  }

  /** What a client does: joins again when it hears of a rebalance. */
  async goOn(): Promise<void> {
    if ((await this.beat()) !== 27) return
    await this.join()
    await this.sync()
  }

  leave() {
    const members = [{ memberId: this.memberId, groupInstanceId: this.#groupInstanceId }]
    return this.#peer.ask(leaveGroup, 5, { groupId: this.#group.groupId, members })
  }
}

async function settle(group: ConsumerGroup, consumers: readonly ConsumerMember[], classic: readonly ClassicConsumer[]) {
  await waitFor(`${group.groupId} to settle`, async () => {
    for (const member of consumers) await member.beat()
    for (const member of classic) await member.goOn()
    const { groupState, groupEpoch, members } = await group.describe()
    const beats = await Promise.all(classic.map((member) => member.beat()))
    return (
      groupState === 'Stable' &&
      members.every(({ memberEpoch }) => memberEpoch === groupEpoch) &&
      beats.every((code) => code === 0)
    )
  })
}

export async function changingProtocols(dialogue: Dialogue): Promise<void> {
  const orders = dialogue.name('orders')
  const topicId = await dialogue.topic(orders, {}, 4)
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  const note = (what: string, answer: unknown) => dialogue.note(what, 1, answer)
  const all = [{ topic: orders, partitions: [0, 1, 2, 3] }]
  const kindOf = async ({ groupId }: ConsumerGroup) => {
    const listed = await dialogue.ask(listGroups, 5, {})
    return listed === closed ? closed : listed.groups.find((each) => each.groupId === groupId)
  }

  const group = new ConsumerGroup(dialogue, dialogue.name('upgraded'), 1)
  const { groupId } = group
  const old = await ClassicConsumer.connect(group, [orders])
  await old.join()
  await old.sync(all)
  const young = group.member('member-b', { subscribedTopicNames: [orders] })
  note('a consumer of the new kind joins a classic group', inTime(await young.join()))
  note('the group after that', await kindOf(group))
  note('described as classic after that', await dialogue.ask(describeGroups, 6, { groups: [groupId] }))
  await waitFor('the rebalance', async () => {
    await young.beat()
    return (await old.beat()) === 27
  })
  note('a sync in the rebalance', await old.sync())
  const rejoined = await old.join()
  note('the classic member joins again', { ...rejoined, generationId: 'any' })
  note('a sync after that', await old.sync())
  await settle(group, [young], [old])
  note('one of each kind: described', await group.describe())
  note('the classic member beats', await old.beat())
  const commit = (generationIdOrMemberEpoch: number, memberId: string, version: number) => ({
    groupId,
    generationIdOrMemberEpoch,
    memberId,
    topics: [
      {
        ...(version >= 10 ? { topicId } : { name: orders }),
        partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }],
      },
    ],
  })
  await dialogue.each('the classic member commits', offsetCommit, (version) =>
    commit(old.generationId, old.memberId, version),
  )
  await dialogue.each('the classic member commits the generation before', offsetCommit, (version) =>
    commit(old.generationId - 1, old.memberId, version),
  )
  note('the new one leaves', await young.leave())
  note('the group after that, again', await kindOf(group))
  const left = await dialogue.ask(describeGroups, 6, { groups: [groupId] })
  note('described as classic, when the new one has left', left)
  note('the classic member beats, when the new one has left', await old.beat())
  note('the classic member joins, when the new one has left', { ...(await old.join()), generationId: 'any' })
  note('the classic member takes all', await old.sync(all))
  note('the classic member leaves', await old.leave())

  const other = new ConsumerGroup(dialogue, dialogue.name('entered'), 1)
  const first = other.member('member-a', { subscribedTopicNames: [orders] })
  await first.join()
  await other.settle(first)
  const late = await ClassicConsumer.connect(other, [orders])
  note('a classic consumer joins a group of the new kind', { ...(await late.join()), generationId: 'any' })
  await settle(other, [first], [late])
  note('the group it joined: described', await other.describe())
  note('what it owns', late.owned)
  note('it leaves', await late.leave())
  await other.settle(first)
  note('when it has left: described', await other.describe())
  await dialogue.each(
    'a stranger joins with an id',
    joinGroup,
    (version) => joinRequest(version, { groupId: other.groupId, memberId: 'nobody' }),
    [9, 9],
  )
  note(
    'a stranger that has joined leaves',
    await dialogue.ask(leaveGroup, 5, {
      groupId: other.groupId,
      members: [{ memberId: 'nobody', groupInstanceId: null }],
    }),
  )
  await other.settle(first)

  const fixed = new ConsumerGroup(dialogue, dialogue.name('static'), 1)
  const keeper = fixed.member('member-a', { subscribedTopicNames: [orders] })
  await keeper.join()
  const shop = await ClassicConsumer.connect(fixed, [orders], 'shop-1')
  await settle(fixed, [keeper], [])
  note('a static classic consumer joins a group of the new kind', { ...(await shop.join()), generationId: 'any' })
  await settle(fixed, [keeper], [shop])
  note('with a static classic consumer: described', await fixed.describe())
  const back = await ClassicConsumer.connect(fixed, [orders], 'shop-1')
  note('it is back without its id', { ...(await back.join()), generationId: 'any' })
  note('its old id beats', await shop.beat())
  await settle(fixed, [keeper], [back])
  note('a static classic consumer that is back: described', await fixed.describe())

  const moving = new ConsumerGroup(dialogue, dialogue.name('moving'), 1)
  const there = moving.member('member-a', { subscribedTopicNames: [orders] })
  await there.join()
  const mover = await ClassicConsumer.connect(moving, [orders])
  await settle(moving, [there], [])
  await mover.join()
  await settle(moving, [there], [mover])
  const moved = moving.member(mover.memberId)
  moved.epoch = mover.generationId
  note('a classic member beats as one of the new kind', await moved.say())
  note('it beats as a classic one after that', await mover.beat())
  note('a classic member that has become one of the new kind: described', await moving.describe())
}
