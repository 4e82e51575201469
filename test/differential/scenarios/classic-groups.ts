// Classic groups, deeper: what each state answers, votes, pending and static members, and what a group that is no consumers' answers.

import {
  describeGroups,
  heartbeat,
  joinGroup,
  leaveGroup,
  offsetCommit,
  offsetDelete,
  syncGroup,
} from '../../../src/protocol/apis/index.ts'
import { waitFor } from '../../support/wait-for.ts'
import { closed, type Dialogue, type Peer } from '../dialogue.ts'
import { assignments, coordinatorOf, joinRequest, type Joined, type Joining, protocols } from './classic-member.ts'

const rebalanceInProgress = 27

interface Member {
  readonly peer: Peer
  memberId: string
}

/** A group whose members take their time, and that the scenario takes through its states. */
class Group {
  readonly groupId: string
  readonly #dialogue: Dialogue
  readonly #joining: Partial<Joining>
  generationId = 0

  constructor(dialogue: Dialogue, groupId: string, joining: Partial<Joining> = {}) {
    this.#dialogue = dialogue
    this.groupId = groupId
    this.#joining = joining
  }

  request(version: number, joining: Partial<Joining>) {
    const patient = { sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 60_000 }
    return { ...joinRequest(version, { groupId: this.groupId, ...this.#joining, ...joining }), ...patient }
  }

  /** Waits for the answer: the group has to be empty, or to wait for nobody else. */
  async enter(joining: Partial<Joining> = {}, version = 5): Promise<Member & { readonly joined: Joined }> {
    const peer = await this.#dialogue.connection()
    let joined = await peer.ask(joinGroup, version, this.request(version, joining))
    if (joined !== closed && joined.errorCode === 79) {
      joined = await peer.ask(joinGroup, version, this.request(version, { ...joining, memberId: joined.memberId }))
    }
    if (joined === closed) throw new Error('closed')
    this.generationId = joined.generationId
    return { peer, memberId: joined.memberId, joined }
  }

  /** The answer comes when the others have joined again. */
  async enterWaiting(joining: Partial<Joining> = {}, version = 5): Promise<Member & { joined: Promise<Joined> }> {
    const peer = await this.#dialogue.connection()
    let { memberId = '' } = joining
    if (version >= 4 && joining.groupInstanceId === undefined && memberId === '') {
      const given = await peer.ask(joinGroup, version, this.request(version, joining))
      if (given === closed) throw new Error('closed')
      ;({ memberId } = given)
    }
    const joined = peer.ask(joinGroup, version, this.request(version, { ...joining, memberId })).then((answer) => {
      if (answer === closed) throw new Error('closed')
      return answer
    })
    return { peer, memberId, joined }
  }

  async rebalancing({ peer, memberId }: Member): Promise<void> {
    await waitFor('the rebalance', async () => {
      const beat = await peer.ask(heartbeat, 3, { groupId: this.groupId, generationId: this.generationId, memberId })
      return beat !== closed && beat.errorCode === rebalanceInProgress
    })
  }

  rejoin({ peer, memberId }: Member, joining: Partial<Joining> = {}, version = 5) {
    return peer.ask(joinGroup, version, this.request(version, { memberId, ...joining }))
  }

  sync({ peer, memberId }: Member, ...assigned: string[]) {
    const { groupId, generationId } = this
    return peer.ask(syncGroup, 5, {
      groupId,
      generationId,
      memberId,
      protocolType: this.#joining.protocolType ?? 'consumer',
      protocolName: 'range',
      assignments: assignments(...assigned),
    })
  }

  /** From one member on its own to two in a generation that has yet to sync. */
  async second(leader: Member): Promise<Member> {
    const other = await this.enterWaiting()
    await this.rebalancing(leader)
    await this.rejoin(leader)
    this.generationId = (await other.joined).generationId
    return other
  }
}

/** What may be committed, and by whom, in each state. */
export async function committingByState(dialogue: Dialogue): Promise<void> {
  const orders = dialogue.name('orders')
  const topicId = await dialogue.topic(orders)
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  const commits = async (state: string, group: Group, memberId: string) => {
    const { generationId } = group
    const senders = {
      'a member': { generation: generationId, memberId },
      'a member of the generation before': { generation: generationId - 1, memberId },
      'a member of the generation to come': { generation: generationId + 1, memberId },
      'a member without generation': { generation: -1, memberId },
      'a stranger': { generation: generationId, memberId: 'nobody' },
      'nobody, with the generation': { generation: generationId, memberId: '' },
      'nobody, without generation': { generation: -1, memberId: '' },
    }
    const commit = (version: number, generation: number, memberId: string, groupInstanceId?: string) => ({
      groupId: group.groupId,
      generationIdOrMemberEpoch: generation,
      memberId,
      ...(groupInstanceId === undefined ? {} : { groupInstanceId }),
      topics: [
        {
          ...(version >= 10 ? { topicId } : { name: orders }),
          partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }],
        },
      ],
    })
    for (const [who, { generation, memberId: id }] of Object.entries(senders)) {
      await dialogue.each(`${state}: ${who}`, offsetCommit, (version) => commit(version, generation, id))
    }
    for (const [who, generation, id] of [
      ['a member under an instance nobody has', generationId, memberId],
      ['an instance nobody has, without generation', -1, ''],
    ] as const) {
      await dialogue.each(
        `${state}: ${who}`,
        offsetCommit,
        (version) => commit(version, generation, id, 'shop-9'),
        [7, 10],
      )
    }
  }
  const group = new Group(dialogue, dialogue.name('group'))
  const one = await group.enter()
  await group.sync(one, one.memberId)
  await commits('stable', group, one.memberId)
  const two = await group.enterWaiting()
  await group.rebalancing(one)
  await commits('rebalancing', group, one.memberId)
  await group.rejoin(one)
  group.generationId = (await two.joined).generationId
  await commits('syncing', group, one.memberId)
  await group.sync(one, one.memberId, two.memberId)
  for (const { peer, memberId } of [one, two]) await peer.ask(leaveGroup, 1, { groupId: group.groupId, memberId })
  await commits('empty', group, one.memberId)
}

/** What a rebalance answers to those who take part in it, and to those who do not. */
export async function rebalancing(dialogue: Dialogue): Promise<void> {
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  const note = (what: string, answer: unknown) => dialogue.note(what, 5, answer)
  /** Without ids: members come in any order. */
  const described = async (what: string, { groupId }: Group) => {
    const answer = await dialogue.ask(describeGroups, 5, { groups: [groupId] })
    if (answer === closed) throw new Error('closed')
    const { members, ...group } = answer.groups[0]!
    note(`${what}: described`, { ...group, members: members.map((member) => ({ ...member, memberId: '' })) })
  }

  const interrupted = new Group(dialogue, dialogue.name('interrupted'))
  const one = await interrupted.enter()
  await interrupted.sync(one, one.memberId)
  const two = await interrupted.second(one)
  const waiting = interrupted.sync(two)
  const three = await interrupted.enterWaiting()
  note('a sync that a third member interrupts', await waiting)
  await described('interrupted', interrupted)
  const [again, other] = [interrupted.rejoin(one), interrupted.rejoin(two)]
  const answers = await Promise.all([again, other, three.joined])
  note('the leader of three', { ...(answers[0] as Joined), members: (answers[0] as Joined).members.length })
  interrupted.generationId = answers[2].generationId
  await described('three that have yet to sync', interrupted)
  await interrupted.sync(one, one.memberId)
  note('a member that the leader left out', await interrupted.sync(three))
  await described('three of whom two were left out', interrupted)

  const changing = new Group(dialogue, dialogue.name('changing'))
  const leader = await changing.enter()
  await changing.sync(leader, leader.memberId)
  const follower = await changing.second(leader)
  note('the leader joins again before it syncs', await changing.rejoin(leader))
  note('the follower joins again before it syncs', await changing.rejoin(follower))
  await described('still to sync', changing)
  const changed = changing.rejoin(follower, { protocols: protocols('range') })
  await changing.rebalancing(leader)
  note('the leader joins again, once the follower has changed', await changing.rejoin(leader))
  note('the follower that has changed', await changed)

  const leaving = new Group(dialogue, dialogue.name('leaving'))
  const stays = await leaving.enter()
  await leaving.sync(stays, stays.memberId)
  const goes = await leaving.enterWaiting()
  await leaving.rebalancing(stays)
  const left = await dialogue.ask(leaveGroup, 3, {
    groupId: leaving.groupId,
    members: [{ memberId: goes.memberId }, { memberId: goes.memberId }],
  })
  note('leaves twice while its join waits', left)
  note('the join of whoever left', await goes.joined)
  note('the other joins again', await leaving.rejoin(stays))

  const pending = new Group(dialogue, dialogue.name('pending'))
  const alone = await pending.enter()
  await pending.sync(alone, alone.memberId)
  const given = await dialogue.ask(joinGroup, 5, pending.request(5, {}))
  if (given === closed) throw new Error('closed')
  const beat = () =>
    alone.peer.ask(heartbeat, 3, {
      groupId: pending.groupId,
      generationId: pending.generationId,
      memberId: alone.memberId,
    })
  note('beats while a member has yet to come back with its id', await beat())
  note(
    'an id that was given beats',
    await dialogue.ask(heartbeat, 3, { groupId: pending.groupId, generationId: 1, memberId: given.memberId }),
  )
  await described('with an id that was given', pending)
  note(
    'an id that was given leaves',
    await dialogue.ask(leaveGroup, 3, { groupId: pending.groupId, members: [{ memberId: given.memberId }] }),
  )
  note('beats after that', await beat())
  note(
    'the id that was given joins',
    await dialogue.ask(joinGroup, 5, pending.request(5, { memberId: given.memberId })),
  )

  const silent = new Group(dialogue, dialogue.name('silent'))
  const heard = await silent.enter()
  await silent.sync(heard, heard.memberId)
  const gone = await dialogue.ask(joinGroup, 5, { ...silent.request(5, {}), sessionTimeoutMs: 6_000 })
  if (gone === closed) throw new Error('closed')
  const over = performance.now() + 7_000
  const last = await waitFor('the end of its session', async () => {
    const { groupId, generationId } = silent
    const beat = await heard.peer.ask(heartbeat, 3, { groupId, generationId, memberId: heard.memberId })
    return (beat === closed || beat.errorCode !== 0 || performance.now() > over) && { beat }
  })
  note('beats when an id that was given has been silent', last.beat)
  await described('an id that was given and fell silent', silent)
}

/** Which protocol members agree on. */
export async function voting(dialogue: Dialogue): Promise<void> {
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  const note = (what: string, answer: unknown) => dialogue.note(what, 5, answer)
  const votes = {
    'two of three want sticky': [
      ['range', 'sticky'],
      ['sticky', 'range'],
      ['sticky', 'range'],
    ],
    'one knows only range': [['sticky', 'range'], ['sticky', 'range'], ['range']],
    'all have one in common': [
      ['a', 'b', 'c'],
      ['c', 'd'],
      ['e', 'c'],
    ],
  }
  for (const [what, [first, ...others]] of Object.entries(votes)) {
    const group = new Group(dialogue, dialogue.name(what.replaceAll(/\W/g, '-')))
    const leader = await group.enter({ protocols: protocols(...first!) })
    const waiting = []
    for (const names of others) waiting.push(await group.enterWaiting({ protocols: protocols(...names) }))
    await group.rebalancing(leader)
    const [again] = await Promise.all([
      group.rejoin(leader, { protocols: protocols(...first!) }),
      ...waiting.map(({ joined }) => joined),
    ])
    if (again === closed) throw new Error('closed')
    note(what, { protocol: again.protocolName, generation: again.generationId, members: again.members.length })
  }
  const group = new Group(dialogue, dialogue.name('refused'))
  await group.enter({ protocols: protocols('range', 'sticky') })
  const refused = {
    'nothing in common with one member': protocols('other'),
    nothing: [],
  }
  for (const [what, offered] of Object.entries(refused)) {
    note(`refused: ${what}`, await dialogue.ask(joinGroup, 5, group.request(5, { protocols: offered })))
  }
}

/** A first join that is refused, and what is left of it. */
export async function refusedAtFirst(dialogue: Dialogue): Promise<void> {
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  const refusals: Readonly<Record<string, Partial<Joining>>> = {
    'no protocols': { protocols: [] },
    'no protocol type': { protocolType: '' },
    'an unknown member': { memberId: 'nobody' },
    'a session too short': { sessionTimeoutMs: 1 },
  }
  for (const [what, joining] of Object.entries(refusals)) {
    await dialogue.inEach([0, 9], async (version) => {
      const groupId = dialogue.name(what.replaceAll(/\W/g, '-'), version)
      await dialogue.step(what, joinGroup, version, joinRequest(version, { groupId, ...joining }))
      // Its answer comes when what was written before it is committed: a description shows nothing else.
      const beat = { groupId, generationId: 0, memberId: 'nobody' }
      dialogue.note(`${what}: a beat`, version, await dialogue.ask(heartbeat, 3, beat))
      dialogue.note(`${what}: described`, version, await dialogue.ask(describeGroups, 6, { groups: [groupId] }))
    })
  }
}

/** Workers of Kafka Connect: the broker cannot read what they say to each other. */
export async function otherProtocolTypes(dialogue: Dialogue): Promise<void> {
  const orders = dialogue.name('orders')
  await dialogue.topic(orders)
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  const note = (what: string, answer: unknown) => dialogue.note(what, 5, answer)
  const worker = { protocolType: 'connect', protocols: [{ name: 'range', metadata: Buffer.from('no subscription') }] }
  const group = new Group(dialogue, dialogue.name('workers'), worker)
  const { groupId } = group
  const one = await group.enter()
  note('joins', one.joined)
  note('syncs', await group.sync(one, one.memberId))
  note('described', await dialogue.ask(describeGroups, 5, { groups: [groupId] }))
  const commit = {
    groupId,
    generationIdOrMemberEpoch: group.generationId,
    memberId: one.memberId,
    topics: [{ name: orders, partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }] }],
  }
  note('commits', await dialogue.ask(offsetCommit, 7, commit))
  const topics = [{ name: orders, partitions: [{ partitionIndex: 0 }] }]
  note('its offsets are deleted', await dialogue.ask(offsetDelete, 0, { groupId, topics }))
  const leave = { groupId, members: [{ memberId: one.memberId }] }
  note('leaves', await dialogue.ask(leaveGroup, 3, leave))
  note('described when empty', await dialogue.ask(describeGroups, 5, { groups: [groupId] }))
  const consumer = { groupId, protocolType: 'consumer', protocols: protocols('range') }
  note('a consumer joins the empty group', await dialogue.ask(joinGroup, 3, joinRequest(3, consumer)))
  note('its offsets are deleted, by another type', await dialogue.ask(offsetDelete, 0, { groupId, topics }))
}

/** KIP-345: static members that come back, that are fenced, that leave. */
export async function staticGroups(dialogue: Dialogue): Promise<void> {
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  await dialogue.inEach([5, 9], async (version) => {
    const note = (what: string, answer: unknown) => dialogue.note(what, version, answer)
    const group = new Group(dialogue, dialogue.name('static', version))
    const { groupId } = group
    const one = await group.enter({ groupInstanceId: 'shop-1' }, version)
    await group.sync(one, one.memberId)
    const two = await group.enterWaiting({ groupInstanceId: 'shop-2' }, version)
    await group.rebalancing(one)
    const again = await group.rejoin(one, { groupInstanceId: 'shop-1' }, version)
    note('the leader of two', again)
    const second = await two.joined
    two.memberId = second.memberId
    group.generationId = second.generationId
    await group.sync(one, one.memberId, two.memberId)
    note('the follower syncs', await group.sync(two))

    const beat = ({ peer, memberId }: Member) =>
      peer.ask(heartbeat, 3, { groupId, generationId: group.generationId, memberId })
    const follower = await group.enter({ groupInstanceId: 'shop-2' }, version)
    note('the follower comes back', follower.joined)
    note('the follower that is back syncs', await group.sync(follower))
    const leader = await group.enter({ groupInstanceId: 'shop-1' }, version)
    note('the leader comes back', leader.joined)
    note('the leader that is back syncs', await group.sync(leader, leader.memberId))
    const changed = [{ name: 'range', metadata: Buffer.from('0000000000000000000000', 'hex') }, ...protocols('sticky')]
    const other = await group.enter({ groupInstanceId: 'shop-2', protocols: changed }, version)
    note('the follower comes back with other metadata', other.joined)
    note('the leader beats after that', await beat(leader))
    note('described after that', await dialogue.ask(describeGroups, 5, { groups: [groupId] }))
    note(
      'the follower joins again under its id',
      await group.rejoin(other, { groupInstanceId: 'shop-2', protocols: changed }, version),
    )
    note('the follower joins again under its id alone', await group.rejoin(other, { protocols: changed }, version))

    const sticky = await group.enterWaiting({ groupInstanceId: 'shop-2', protocols: protocols('sticky') }, version)
    await group.rebalancing(leader)
    const bothRejoined = [
      await group.rejoin(leader, { groupInstanceId: 'shop-1' }, version),
      await sticky.joined,
    ] as const
    note('the leader, when the follower came back with another protocol', bothRejoined[0])
    note('the follower that came back with another protocol', bothRejoined[1])
    sticky.memberId = bothRejoined[1].memberId
    group.generationId = bothRejoined[1].generationId

    const returns = await group.enterWaiting({ groupInstanceId: 'shop-2', protocols: protocols('sticky') }, version)
    await group.rebalancing(leader)
    note('the old id beats in the rebalance', await beat(sticky))
    const replaced = await group.enterWaiting({ groupInstanceId: 'shop-2', protocols: protocols('sticky') }, version)
    note('a join that the next one under its instance ends', await returns.joined)
    note(
      'the leader, when the follower came back before it had synced',
      await group.rejoin(leader, { groupInstanceId: 'shop-1' }, version),
    )
    note('the follower that came back before it had synced', await replaced.joined)
    const { memberId: last } = await replaced.joined
    for (const [what, members] of Object.entries({
      'an old id leaves': [{ memberId: two.memberId, groupInstanceId: 'shop-2' }],
      'an id leaves under an instance nobody has': [{ memberId: last, groupInstanceId: 'shop-9' }],
      'an id leaves under the instance of another': [{ memberId: last, groupInstanceId: 'shop-1' }],
      'an id leaves alone, and then its instance': [{ memberId: last }, { memberId: '', groupInstanceId: 'shop-2' }],
      'neither id nor instance leaves': [{ memberId: '', groupInstanceId: null }],
    })) {
      note(what, await dialogue.ask(leaveGroup, 4, { groupId, members }))
    }
    note('described at last', await dialogue.ask(describeGroups, 5, { groups: [groupId] }))
  })
}
