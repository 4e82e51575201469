// KIP-848 groups: members that join, give and take, are fenced, leave; static ones; subscriptions by regular expression; what is
// refused; and what such a group answers to the APIs of classic ones.

import {
  consumerGroupDescribe,
  consumerGroupHeartbeat,
  describeGroups,
  heartbeat,
  joinGroup,
  leaveGroup,
  listGroups,
  syncGroup,
} from '../../../src/protocol/apis/index.ts'
import { waitFor } from '../../support/wait-for.ts'
import { closed, type Dialogue, rangeOf } from '../dialogue.ts'
import { coordinatorOf, join, joinRequest, protocols } from './classic-member.ts'
import { type Beat, ConsumerGroup, inTime } from './consumer-member.ts'

const versions = rangeOf(consumerGroupHeartbeat)

export async function refusedHeartbeats(dialogue: Dialogue): Promise<void> {
  const orders = dialogue.name('orders')
  await dialogue.topic(orders)
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  const first: Beat = { memberId: 'a', rebalanceTimeoutMs: 60_000, subscribedTopicNames: [orders], topicPartitions: [] }
  const mistakes: Readonly<Record<string, Beat>> = {
    'an empty group id': { groupId: '' },
    'no rebalance timeout': { rebalanceTimeoutMs: -1 },
    'no word of partitions': { topicPartitions: null },
    'partitions in the first heartbeat': { topicPartitions: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: [0] }] },
    'no subscription': { subscribedTopicNames: null },
    'an empty instance': { instanceId: '' },
    'an empty rack': { rackId: '' },
    'an unknown assignor': { serverAssignor: 'sticky' },
    'an empty assignor': { serverAssignor: '' },
    'an epoch below those that mean something': { memberEpoch: -3 },
    'leaving for a while without instance': { memberEpoch: -2 },
    'leaving for a while, an unknown group': { memberEpoch: -2, instanceId: 'shop-1' },
    'leaving an unknown group': { memberEpoch: -1 },
    'leaving without id': { memberEpoch: -1, memberId: '' },
    'an epoch in an unknown group': { memberEpoch: 5 },
    'an epoch without id': { memberEpoch: 5, memberId: '' },
  }
  await dialogue.inEach(versions, async (version) => {
    for (const [what, mistake] of Object.entries(mistakes)) {
      const groupId = dialogue.name(what.replaceAll(/\W/g, '-'), version)
      const group = new ConsumerGroup(dialogue, groupId, version)
      dialogue.note(what, version, await group.beat({ ...first, ...mistake }))
      dialogue.note(`${what}: described`, version, await group.describe())
    }
  })
  for (const [what, regex] of Object.entries({
    unclosed: '(',
    'with a look behind': '(?<=a)b',
    'with a back reference': '(a)\\1',
    'of everything': '',
  })) {
    const group = new ConsumerGroup(dialogue, dialogue.name(`regex-${what.replaceAll(/\W/g, '-')}`), 1)
    const answer = await group.beat({ ...first, subscribedTopicNames: null, subscribedTopicRegex: regex })
    dialogue.note(`a regular expression ${what}`, 1, answer)
  }
  const without = new ConsumerGroup(dialogue, dialogue.name('without-id'), 1)
  dialogue.note('joining without id', 1, await without.beat({ ...first, memberId: '' }))
}

/** Two members: one gives, the other takes. */
export async function givingAndTaking(dialogue: Dialogue): Promise<void> {
  const [orders, returns] = [dialogue.name('orders'), dialogue.name('returns')]
  await dialogue.topic(orders, {}, 4)
  await dialogue.topic(returns, {}, 2)
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  await dialogue.inEach(versions, async (version) => {
    const note = (what: string, answer: unknown) => dialogue.note(what, version, answer)
    const group = new ConsumerGroup(dialogue, dialogue.name('group', version), version)
    const described = async (what: string) => note(`${what}: described`, await group.describe())
    const wishes = { subscribedTopicNames: [orders], serverAssignor: 'uniform' }
    const one = group.member('member-a', wishes)
    note('joins', inTime(await one.join()))
    await group.settle(one)
    await described('alone')
    note('beats', await one.say())
    note('beats with what it owns', await one.say({ topicPartitions: one.owned }))
    note(
      'beats with all it said first',
      await one.say({ ...wishes, rebalanceTimeoutMs: 60_000, topicPartitions: one.owned }),
    )

    const two = group.member('member-b', wishes)
    note('the second joins', inTime(await two.join()))
    await waitFor('the target', async () => {
      await two.say()
      const { assignmentEpoch, groupEpoch } = await group.describe()
      return assignmentEpoch === groupEpoch
    })
    await described('before anybody has given')
    const asked = await one.say({ topicPartitions: one.owned })
    note('the first is asked to give', asked)
    note('the second waits', await two.say({ topicPartitions: [] }))
    await described('while the first gives')
    note('the first has given', await one.say({ topicPartitions: one.owned }))
    note('the second takes', await two.say({ topicPartitions: [] }))
    note('the second has taken', await two.say({ topicPartitions: two.owned }))
    await group.settle(one, two)
    await described('two')

    note('the second leaves', await two.leave())
    await group.settle(one)
    await described('alone again')

    note('reads another topic', inTime(await one.say({ subscribedTopicNames: [orders, returns] })))
    await group.settle(one)
    await described('of two topics')
    note(
      'reads one topic and one there is not',
      inTime(await one.say({ subscribedTopicNames: [returns, dialogue.name('none')] })),
    )
    await group.settle(one)
    await described('of one topic and one there is not')
    note('reads nothing', inTime(await one.say({ subscribedTopicNames: [] })))
    await group.settle(one)
    await described('of nothing')
    note('has another assignor', inTime(await one.say({ serverAssignor: 'range' })))
    await group.settle(one)
    await described('with another assignor')
    note('the last leaves', await one.leave())
    await described('empty')
    note('the last leaves again', await one.leave())
  })
}

/** Epochs and ids that are not, or no longer, right. */
export async function fencing(dialogue: Dialogue): Promise<void> {
  const orders = dialogue.name('orders')
  const topicId = await dialogue.topic(orders, {}, 2)
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  await dialogue.inEach(versions, async (version) => {
    const note = (what: string, answer: unknown) => dialogue.note(what, version, answer)
    const group = new ConsumerGroup(dialogue, dialogue.name('group', version), version)
    const one = group.member('member-a', { subscribedTopicNames: [orders] })
    await one.join()
    await group.settle(one)
    const owned = one.owned
    note('an unknown member', await group.beat({ memberId: 'nobody', memberEpoch: one.epoch }))
    note('an unknown member leaves', await group.beat({ memberId: 'nobody', memberEpoch: -1 }))
    note('an epoch to come', await group.beat({ memberId: 'member-a', memberEpoch: one.epoch + 1 }))
    note('under an instance', await group.beat({ memberId: 'member-a', memberEpoch: one.epoch, instanceId: 'shop-1' }))
    await one.say({ subscribedTopicNames: [orders, dialogue.name('none')] })
    await group.settle(one)
    const before = one.epoch - 1
    note(
      'the epoch before, as if the answer were lost',
      await group.beat({ memberId: 'member-a', memberEpoch: before, topicPartitions: owned }),
    )
    note('the epoch before, without partitions', await group.beat({ memberId: 'member-a', memberEpoch: before }))
    note(
      'the epoch before, with a partition it does not have',
      await group.beat({ memberId: 'member-a', memberEpoch: before, topicPartitions: [{ topicId, partitions: [7] }] }),
    )
    note(
      'an epoch long gone',
      await group.beat({ memberId: 'member-a', memberEpoch: before - 1, topicPartitions: owned }),
    )
    note('joins again under its id', inTime(await one.join({ subscribedTopicNames: [orders] })))
    await group.settle(one)
    note('joined again: described', await group.describe())
    note(
      'an unknown topic id in its partitions',
      await one.say({ topicPartitions: [{ topicId: 'AAAAAAAAAAAAAAAAAAAAAQ', partitions: [0] }] }),
    )
  })
}

/** KIP-345 in the new protocol: gone for a while, and back under another id. */
export async function staticConsumers(dialogue: Dialogue): Promise<void> {
  const orders = dialogue.name('orders')
  await dialogue.topic(orders, {}, 2)
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  await dialogue.inEach(versions, async (version) => {
    const note = (what: string, answer: unknown) => dialogue.note(what, version, answer)
    const group = new ConsumerGroup(dialogue, dialogue.name('group', version), version)
    const described = async (what: string) => note(`${what}: described`, await group.describe())
    const wishes = { subscribedTopicNames: [orders], instanceId: 'shop-1' }
    const one = group.member('member-a', wishes)
    await one.join()
    await group.settle(one)
    await described('a static member')
    note('beats without its instance', await one.say())
    const other = group.member('member-b', wishes)
    note('another id takes its instance', await other.join())
    note(
      'another id leaves with its instance',
      await group.beat({ memberId: 'member-b', memberEpoch: -1, instanceId: 'shop-1' }),
    )
    note(
      'another id beats with its instance',
      await group.beat({ memberId: 'member-b', memberEpoch: one.epoch, instanceId: 'shop-1' }),
    )
    note(
      'an instance nobody has beats',
      await group.beat({ memberId: 'member-a', memberEpoch: one.epoch, instanceId: 'shop-9' }),
    )
    note('leaves for a while', await one.leave(-2, { instanceId: 'shop-1' }))
    await described('gone for a while')
    note('leaves for a while again', await one.leave(-2, { instanceId: 'shop-1' }))
    note(
      'beats while it is gone',
      await group.beat({ memberId: 'member-a', memberEpoch: one.epoch, instanceId: 'shop-1' }),
    )
    note('is back under another id', await other.join())
    await described('back')
    note('the old id beats', await group.beat({ memberId: 'member-a', memberEpoch: other.epoch, instanceId: 'shop-1' }))
    note('the old id leaves', await group.beat({ memberId: 'member-a', memberEpoch: -1, instanceId: 'shop-1' }))
    note('leaves for good', await group.beat({ memberId: 'member-b', memberEpoch: -1, instanceId: 'shop-1' }))
    await described('gone for good')
  })
}

/** KIP-848: subscriptions by RE2 expressions, which the broker evaluates. */
export async function regexSubscriptions(dialogue: Dialogue): Promise<void> {
  const stem = dialogue.name('shop')
  for (const name of ['orders', 'returns', 'order']) await dialogue.topic(`${name}.${stem}`)
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  const expressions = {
    'of one topic': `orders\\.${stem.replaceAll('.', '\\.')}`,
    'of a part of names': `order`,
    'of some': `(orders|returns)\\.${stem.replaceAll('.', '\\.')}`,
    'of none': `nothing\\.${stem.replaceAll('.', '\\.')}`,
  }
  const note = (what: string, answer: unknown) => dialogue.note(what, 1, answer)
  for (const [what, subscribedTopicRegex] of Object.entries(expressions)) {
    const group = new ConsumerGroup(dialogue, dialogue.name(what.replaceAll(/\W/g, '-')), 1)
    const one = group.member('member-a', { subscribedTopicRegex, subscribedTopicNames: null })
    note(`${what}: joins`, inTime(await one.join()))
    await waitFor('the topics it names', async () => {
      await one.beat()
      const { groupState, assignmentEpoch, groupEpoch } = await group.describe()
      const wanted = { 'of one topic': 1, 'of a part of names': 0, 'of some': 2, 'of none': 0 }[what]
      return groupState === 'Stable' && assignmentEpoch === groupEpoch && one.owned.length === wanted
    })
    const { groupEpoch: _, assignmentEpoch: __, members, ...described } = await group.describe()
    note(`${what}: described`, { ...described, members: members.map((member) => ({ ...member, memberEpoch: 'any' })) })
    await one.leave()
  }
  const group = new ConsumerGroup(dialogue, dialogue.name('both'), 1)
  const one = group.member('member-a', {
    subscribedTopicRegex: expressions['of one topic'],
    subscribedTopicNames: [`returns.${stem}`],
  })
  await one.join()
  await waitFor('both topics', async () => {
    await one.beat()
    return one.owned.length === 2
  })
  note('with names too: the expression is no more', inTime(await one.say({ subscribedTopicRegex: '' })))
  await waitFor('the topic that is named', async () => {
    await one.beat()
    return one.owned.length === 1
  })
  note('an expression that is none, later', await one.say({ subscribedTopicRegex: '(' }))
}

/** What a KIP-848 group answers to the classic APIs, and a classic one to the new ones. */
export async function otherProtocol(dialogue: Dialogue): Promise<void> {
  const orders = dialogue.name('orders')
  await dialogue.topic(orders, {}, 2)
  const classic = dialogue.name('classic')
  await coordinatorOf(dialogue, classic)
  const peer = await dialogue.connection()
  const { memberId: classicMember, generationId } = await join(peer, 5, { groupId: classic })
  await peer.ask(syncGroup, 3, { groupId: classic, generationId, memberId: classicMember, assignments: [] })
  const group = new ConsumerGroup(dialogue, dialogue.name('consumer'), 1)
  const { groupId } = group
  const one = group.member('member-a', { subscribedTopicNames: [orders] })
  await one.join()
  await group.settle(one)

  await dialogue.each('described as classic', describeGroups, () => ({ groups: [groupId, classic] }))
  await dialogue.each('described as consumers', consumerGroupDescribe, () => ({ groupIds: [groupId, classic] }))
  await dialogue.each('described: nobody, twice, nothing', consumerGroupDescribe, () => ({
    groupIds: [dialogue.name('nobody'), groupId, groupId, ''],
  }))
  await dialogue.each('described with operations', consumerGroupDescribe, () => ({
    groupIds: [groupId],
    includeAuthorizedOperations: true,
  }))
  await dialogue.each('a beat of the member', heartbeat, () => ({
    groupId,
    generationId: one.epoch,
    memberId: 'member-a',
  }))
  await dialogue.each('a beat of nobody', heartbeat, () => ({ groupId, generationId: one.epoch, memberId: 'nobody' }))
  await dialogue.each(
    'a sync of the member',
    syncGroup,
    () => ({
      groupId,
      generationId: one.epoch,
      memberId: 'member-a',
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [],
    }),
    [5, 5],
  )
  await dialogue.each(
    'a sync of nobody',
    syncGroup,
    () => ({
      groupId,
      generationId: one.epoch,
      memberId: 'nobody',
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: [],
    }),
    [5, 5],
  )
  await dialogue.each('another protocol type joins', joinGroup, (version) =>
    joinRequest(version, { groupId, protocolType: 'connect' }),
  )
  await dialogue.each('without protocols', joinGroup, (version) => joinRequest(version, { groupId, protocols: [] }))
  await dialogue.each('nobody leaves', leaveGroup, () => ({ groupId, members: [{ memberId: 'nobody' }] }), [3, 5])
  await dialogue.each(
    'an instance nobody has leaves',
    leaveGroup,
    () => ({
      groupId,
      members: [{ memberId: '', groupInstanceId: 'shop-9' }],
    }),
    [3, 5],
  )
  await group.settle(one)
  dialogue.note('afterwards', 1, await group.describe())

  const list = async (what: string, body: { statesFilter?: string[]; typesFilter?: string[] }, from = 0) =>
    dialogue.inEach([from, 5], async (version) => {
      const answer = await dialogue.ask(listGroups, version, body)
      const own = answer === closed ? [] : answer.groups.filter((each) => [groupId, classic].includes(each.groupId))
      dialogue.note(`list: ${what}`, version, answer === closed ? closed : { ...answer, groups: own })
    })
  await list('all', {})
  for (const type of ['consumer', 'Consumer', 'classic', 'share', 'streams', 'nonsense'])
    await list(`type ${type}`, { typesFilter: [type] }, 5)
  await list('both types', { typesFilter: ['consumer', 'classic'] }, 5)
  for (const state of ['Stable', 'Assigning', 'Reconciling', 'stable'])
    await list(`state ${state}`, { statesFilter: [state] }, 4)
  await list('stable consumers', { statesFilter: ['Stable'], typesFilter: ['consumer'] }, 5)
  await one.leave()
  await list('all, when the member has left', {})
  const joining = joinRequest(5, { groupId, protocols: protocols('range') })
  dialogue.note('a classic member joins the empty group', 5, await dialogue.ask(joinGroup, 5, joining))
  await list('all, when it is a classic one', {}, 5)
}
