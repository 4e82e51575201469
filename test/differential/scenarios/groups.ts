// Classic groups: members that join, agree, beat, leave; what they are refused; commits and what is told of them.

import {
  describeGroups,
  findCoordinator,
  heartbeat,
  joinGroup,
  leaveGroup,
  listGroups,
  offsetCommit,
  offsetFetch,
  syncGroup,
} from '../../../src/protocol/apis/index.ts'
import { waitFor } from '../../support/wait-for.ts'
import { closed, type Dialogue, rangeOf } from '../dialogue.ts'
import { assignments, coordinatorOf, join, joinRequest, type Joining, protocols } from './classic-member.ts'

export async function joiningGroups(dialogue: Dialogue): Promise<void> {
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  await dialogue.inEach(rangeOf(joinGroup), async (version) => {
    const groupId = dialogue.name('group', version)
    const [one, two] = [await dialogue.connection(), await dialogue.connection()]
    const note = (what: string, answer: unknown) => dialogue.note(what, version, answer)
    const ask = async (what: string, joining: Joining) =>
      note(what, await one.ask(joinGroup, version, joinRequest(version, joining)))
    await ask('an empty group id', { groupId: '' })
    await ask('a session too short', { groupId, sessionTimeoutMs: 1 })
    await ask('a session too long', { groupId, sessionTimeoutMs: 100_000_000 })
    await ask('an unknown member', { groupId, memberId: 'nobody' })
    await ask('no protocols', { groupId, protocols: [] })
    await ask('no protocol type', { groupId, protocolType: '' })
    await ask('another group, a first join', { groupId: dialogue.name('other', version) })
    const joined = await join(one, version, { groupId })
    note('the first member', joined)
    const { memberId, generationId } = joined
    await ask('another protocol type', { groupId, protocolType: 'connect' })
    await ask('another protocol type of the member itself', { groupId, memberId, protocolType: 'connect' })
    await ask('no common protocol', { groupId, protocols: protocols('other') })
    const sync = Math.min(5, Math.max(0, version - 4))
    note(
      'the first sync',
      await one.ask(syncGroup, sync, { groupId, generationId, memberId, assignments: assignments(memberId) }),
    )
    const rejoined = await join(one, version, { groupId, memberId })
    note('joins again as it is', rejoined)
    note('beats', await one.ask(heartbeat, 3, { groupId, generationId: generationId + 1, memberId }))
    note('described after that', await dialogue.ask(describeGroups, 5, { groups: [groupId] }))
    // A second member makes the first join again.
    const generation = rejoined.generationId
    note(
      'sync again',
      await one.ask(syncGroup, sync, {
        groupId,
        generationId: generation,
        memberId,
        assignments: assignments(memberId),
      }),
    )
    const joining = join(two, version, { groupId })
    await waitFor('the rebalance', async () => {
      const beat = await one.ask(heartbeat, 3, { groupId, generationId: generation, memberId })
      return beat !== closed && beat.errorCode === 27
    })
    note(
      'beats while the group rebalances',
      await one.ask(heartbeat, 3, { groupId, generationId: generation, memberId }),
    )
    note(
      'syncs while the group rebalances',
      await one.ask(syncGroup, 3, { groupId, generationId: generation, memberId }),
    )
    note(
      'commits while the group rebalances',
      await one.ask(offsetCommit, 7, {
        groupId,
        generationIdOrMemberEpoch: generation,
        memberId,
        topics: [
          {
            name: dialogue.name('nowhere'),
            partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }],
          },
        ],
      }),
    )
    note('described while the group rebalances', await dialogue.ask(describeGroups, 5, { groups: [groupId] }))
    const again = await one.ask(joinGroup, version, joinRequest(version, { groupId, memberId }))
    const other = await joining
    note('the leader of two', again)
    note('the follower', other)
    const { generationId: two_ } = other
    const beforeSync = await two.ask(heartbeat, 3, { groupId, generationId: two_, memberId: other.memberId })
    note('beats before the leader has synced', beforeSync)
    const waiting = two.ask(syncGroup, sync, { groupId, generationId: two_, memberId: other.memberId })
    note(
      'the leader syncs',
      await one.ask(syncGroup, sync, {
        groupId,
        generationId: two_,
        memberId,
        assignments: assignments(memberId, other.memberId),
      }),
    )
    note('the follower syncs', await waiting)
    note('described with two', await dialogue.ask(describeGroups, 5, { groups: [groupId] }))
    note(
      'the follower joins again as it is',
      await two.ask(joinGroup, version, joinRequest(version, { groupId, memberId: other.memberId })),
    )
    one.close()
    two.close()
  })
}

export async function livingGroups(dialogue: Dialogue): Promise<void> {
  const groupId = dialogue.name('group')
  await coordinatorOf(dialogue, groupId)
  const peer = await dialogue.connection()
  const { memberId, generationId } = await join(peer, 5, { groupId })
  await peer.ask(syncGroup, 3, { groupId, generationId, memberId, assignments: assignments(memberId) })
  const mistakes = {
    right: {},
    'an empty group id': { groupId: '' },
    'an unknown group': { groupId: dialogue.name('nobody') },
    'an unknown member': { memberId: 'nobody' },
    'no member': { memberId: '' },
    'an old generation': { generationId: generationId - 1 },
    'a generation to come': { generationId: generationId + 1 },
    'no generation': { generationId: -1 },
  }
  for (const [what, mistake] of Object.entries(mistakes)) {
    const asked = { groupId, memberId, generationId, ...mistake }
    await dialogue.each(`heartbeat: ${what}`, heartbeat, () => asked)
    await dialogue.each(`sync: ${what}`, syncGroup, () => asked)
  }
  await dialogue.each(
    'heartbeat: a static id the member does not have',
    heartbeat,
    () => ({ groupId, memberId, generationId, groupInstanceId: 'other' }),
    [3, 4],
  )
  await dialogue.each(
    'sync: a static id the member does not have',
    syncGroup,
    () => ({ groupId, memberId, generationId, groupInstanceId: 'other' }),
    [3, 5],
  )
  await dialogue.each(
    'sync: right protocol',
    syncGroup,
    () => ({ groupId, memberId, generationId, protocolType: 'consumer', protocolName: 'range' }),
    [5, 5],
  )
  await dialogue.each(
    'sync: another protocol type',
    syncGroup,
    () => ({ groupId, memberId, generationId, protocolType: 'connect', protocolName: 'range' }),
    [5, 5],
  )
  await dialogue.each(
    'sync: another protocol',
    syncGroup,
    () => ({ groupId, memberId, generationId, protocolType: 'consumer', protocolName: 'sticky' }),
    [5, 5],
  )

  for (const version of [0, 1, 2, 3, 4, 5]) {
    const groupId = dialogue.name('leaving', version)
    const { memberId } = await join(peer, 5, { groupId })
    const leave = async (what: string, id: string, group = groupId, instance: string | null = null) => {
      const body =
        version >= 3
          ? { groupId: group, members: [{ memberId: id, groupInstanceId: instance }] }
          : { groupId: group, memberId: id }
      await dialogue.step(`leave: ${what}`, leaveGroup, version, body)
    }
    await leave('an empty group id', memberId, '')
    await leave('an unknown group', memberId, dialogue.name('nobody'))
    await leave('an unknown member', 'nobody')
    await leave('no member', '')
    await leave('a member', memberId)
    await leave('a member again', memberId)
    if (version >= 3) {
      await dialogue.step('leave: nobody', leaveGroup, version, { groupId, members: [] })
      await leave('an unknown static member', '', groupId, 'nobody')
    }
    await dialogue.step('leave: described', describeGroups, version, { groups: [groupId] })
  }
}

export async function staticMembers(dialogue: Dialogue): Promise<void> {
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  await dialogue.inEach([5, 9], async (version) => {
    const groupId = dialogue.name('static', version)
    const note = (what: string, answer: unknown) => dialogue.note(what, version, answer)
    const [one, two] = [await dialogue.connection(), await dialogue.connection()]
    const joining = { groupId, groupInstanceId: 'shop-1' }
    const first = await join(one, version, joining)
    note('joins', first)
    const { memberId, generationId } = first
    note(
      'syncs',
      await one.ask(syncGroup, 3, {
        groupId,
        generationId,
        memberId,
        groupInstanceId: 'shop-1',
        assignments: assignments(memberId),
      }),
    )
    note('described', await dialogue.ask(describeGroups, 5, { groups: [groupId] }))
    const back = await join(two, version, joining)
    note('comes back', back)
    note('described after that', await dialogue.ask(describeGroups, 5, { groups: [groupId] }))
    const ids = { groupId, generationId: back.generationId }
    note('the old id beats', await one.ask(heartbeat, 3, { ...ids, memberId, groupInstanceId: 'shop-1' }))
    note('the old id beats without its instance', await one.ask(heartbeat, 3, { ...ids, memberId }))
    note(
      'the new id beats',
      await two.ask(heartbeat, 3, { ...ids, memberId: back.memberId, groupInstanceId: 'shop-1' }),
    )
    note('the old id syncs', await one.ask(syncGroup, 3, { ...ids, memberId, groupInstanceId: 'shop-1' }))
    note('the old id joins', await one.ask(joinGroup, version, joinRequest(version, { ...joining, memberId })))
    note(
      'an unknown id joins with the instance',
      await one.ask(joinGroup, version, joinRequest(version, { ...joining, memberId: 'nobody' })),
    )
    note(
      'an unknown id joins with another instance',
      await one.ask(
        joinGroup,
        version,
        joinRequest(version, { groupId, groupInstanceId: 'shop-9', memberId: 'nobody' }),
      ),
    )
    const commit = (memberId: string, groupInstanceId: string | null) =>
      dialogue.ask(offsetCommit, 7, {
        groupId,
        generationIdOrMemberEpoch: back.generationId,
        memberId,
        groupInstanceId,
        topics: [
          {
            name: dialogue.name('nowhere'),
            partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }],
          },
        ],
      })
    note('the old id commits', await commit(memberId, 'shop-1'))
    note('another instance commits', await commit(back.memberId, 'shop-2'))
    note(
      'the old id leaves',
      await dialogue.ask(leaveGroup, 3, { groupId, members: [{ memberId, groupInstanceId: 'shop-1' }] }),
    )
    note(
      'several leave',
      await dialogue.ask(leaveGroup, 4, {
        groupId,
        members: [
          { memberId: '', groupInstanceId: 'shop-2' },
          { memberId: '', groupInstanceId: 'shop-1' },
        ],
      }),
    )
    note('described when all are gone', await dialogue.ask(describeGroups, 5, { groups: [groupId] }))
    one.close()
    two.close()
  })
}

export async function committing(dialogue: Dialogue): Promise<void> {
  const orders = dialogue.name('orders')
  const topicId = await dialogue.topic(orders, {}, 2)
  const nowhere = { name: dialogue.name('nowhere'), topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' }
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  const topicOf = (version: number, topic: { name: string; topicId: string }) =>
    version >= 10 ? { topicId: topic.topicId } : { name: topic.name }
  const known = { name: orders, topicId }
  const ask = async (
    what: string,
    change: {
      groupId?: string
      generation?: number
      memberId?: string
      topic?: typeof known
      partition?: number
      offset?: number
      metadata?: string | null
      epoch?: number
    },
  ) => {
    await dialogue.inEach(rangeOf(offsetCommit), async (version) => {
      const { generation = -1, memberId = '', topic = known, partition = 0, offset = 7, metadata = 'm', epoch } = change
      const groupId = change.groupId ?? dialogue.name(`group-${what.replaceAll(/\W/g, '-')}`, version)
      await dialogue.step(what, offsetCommit, version, {
        groupId,
        generationIdOrMemberEpoch: generation,
        memberId,
        topics: [
          {
            ...topicOf(version, topic),
            partitions: [
              {
                partitionIndex: partition,
                committedOffset: offset,
                committedMetadata: metadata,
                ...(version >= 6 && epoch !== undefined ? { committedLeaderEpoch: epoch } : {}),
              },
            ],
          },
        ],
      })
      if (groupId !== '') await dialogue.step(`${what}, fetched`, offsetFetch, version, fetchOf(version, groupId, null))
    })
  }
  const fetchOf = (
    version: number,
    groupId: string,
    topics: { name: string; partitionIndexes: number[] }[] | null,
    requireStable = false,
  ) => {
    if (version < 8) return { groupId, topics, ...(version === 7 ? { requireStable } : {}) }
    const named = topics?.map(({ name, partitionIndexes }) =>
      version >= 10
        ? { topicId: name === orders ? topicId : nowhere.topicId, partitionIndexes }
        : { name, partitionIndexes },
    )
    return { groups: [{ groupId, topics: named ?? null }], requireStable }
  }
  await ask('simple', {})
  await ask('an epoch', { epoch: 3 })
  await ask('null metadata', { metadata: null })
  await ask('empty metadata', { metadata: '' })
  await ask('metadata as large as can be', { metadata: 'm'.repeat(4096) })
  await ask('metadata too large', { metadata: 'm'.repeat(4097) })
  await ask('offset -1', { offset: -1 })
  await ask('offset -2', { offset: -2 })
  await ask('an unknown topic', { topic: nowhere })
  await ask('an unknown partition', { partition: 9 })
  await ask('a negative partition', { partition: -1 })
  await ask('an empty group id', { groupId: '' })
  await ask('a generation in an unknown group', { generation: 3, memberId: 'nobody' })
  await ask('a generation without a member', { generation: 3 })
  await ask('a member without a generation', { memberId: 'nobody' })

  const live = dialogue.name('live')
  const peer = await dialogue.connection()
  const { memberId, generationId: generation } = await join(peer, 5, { groupId: live })
  await peer.ask(syncGroup, 3, {
    groupId: live,
    generationId: generation,
    memberId,
    assignments: assignments(memberId),
  })
  const asLive = async (what: string, generationIdOrMemberEpoch: number, memberId: string) =>
    dialogue.each(`live: ${what}`, offsetCommit, (version) => ({
      groupId: live,
      generationIdOrMemberEpoch,
      memberId,
      topics: [
        { ...topicOf(version, known), partitions: [{ partitionIndex: 1, committedOffset: 5, committedMetadata: 'x' }] },
      ],
    }))
  await asLive('right', generation, memberId)
  await asLive('an old generation', generation - 1, memberId)
  await asLive('another member', generation, 'nobody')
  await asLive('simple', -1, '')
  await asLive('no generation', -1, memberId)
  for (const requireStable of [false, true]) {
    const fetchEach = (
      what: string,
      groupId: string,
      topics: { name: string; partitionIndexes: number[] }[] | null,
      from = 1,
    ) =>
      dialogue.each(
        `fetch${requireStable ? ', stable' : ''}: ${what}`,
        offsetFetch,
        (version) => fetchOf(version, groupId, topics, requireStable),
        [requireStable ? Math.max(7, from) : from, 10],
      )
    await fetchEach('one', live, [{ name: orders, partitionIndexes: [1] }])
    await fetchEach('some not committed', live, [{ name: orders, partitionIndexes: [0, 1, 9] }])
    await fetchEach('an unknown topic', live, [{ name: nowhere.name, partitionIndexes: [0] }])
    await fetchEach('all', live, null, 2)
    await fetchEach('none', live, [])
    await fetchEach('an unknown group', dialogue.name('nobody'), [{ name: orders, partitionIndexes: [0] }])
    await fetchEach('all of an unknown group', dialogue.name('nobody'), null, 2)
    await fetchEach('an empty group id', '', [{ name: orders, partitionIndexes: [0] }])
  }
  await dialogue.each(
    'fetch: many groups',
    offsetFetch,
    () => ({
      groups: [
        { groupId: live, topics: null },
        { groupId: dialogue.name('nobody'), topics: null },
      ],
    }),
    [8, 10],
  )
  await dialogue.each(
    'fetch: as a member',
    offsetFetch,
    () => ({ groups: [{ groupId: live, memberId, memberEpoch: generation, topics: null }] }),
    [9, 10],
  )
  await dialogue.each(
    'fetch: as an unknown member',
    offsetFetch,
    () => ({ groups: [{ groupId: live, memberId: 'nobody', memberEpoch: 3, topics: null }] }),
    [9, 10],
  )
  await dialogue.each('nothing', offsetCommit, () => ({
    groupId: live,
    generationIdOrMemberEpoch: generation,
    memberId,
    topics: [],
  }))
}

export async function describingGroups(dialogue: Dialogue): Promise<void> {
  const groupId = dialogue.name('group')
  const simple = dialogue.name('simple')
  const orders = dialogue.name('orders')
  await dialogue.topic(orders)
  await coordinatorOf(dialogue, groupId)
  const peer = await dialogue.connection()
  const { memberId, generationId } = await join(peer, 5, { groupId })
  await peer.ask(syncGroup, 3, { groupId, generationId, memberId, assignments: assignments(memberId) })
  await dialogue.ask(offsetCommit, 7, {
    groupId: simple,
    memberId: '',
    topics: [{ name: orders, partitions: [{ partitionIndex: 0, committedOffset: 1, committedMetadata: null }] }],
  })
  const groups = {
    'a group': [groupId],
    'a simple group': [simple],
    'an unknown group': [dialogue.name('nobody')],
    'an empty id': [''],
    none: [],
    'the same twice': [groupId, groupId],
  }
  for (const [what, named] of Object.entries(groups)) {
    await dialogue.each(`describe: ${what}`, describeGroups, () => ({ groups: named }))
    await dialogue.each(
      `describe with operations: ${what}`,
      describeGroups,
      () => ({ groups: named, includeAuthorizedOperations: true }),
      [3, 6],
    )
  }
  const list = async (what: string, body: { statesFilter?: string[]; typesFilter?: string[] }, from = 0) =>
    dialogue.inEach([from, 5], async (version) => {
      const answer = await dialogue.ask(listGroups, version, body)
      const own = answer === closed ? [] : answer.groups.filter(({ groupId }) => dialogue.isOwn(groupId))
      dialogue.note(`list: ${what}`, version, answer === closed ? closed : { ...answer, groups: own })
    })
  await list('all', {})
  for (const state of ['Stable', 'Empty', 'stable', 'Dead', 'Unknown', 'nonsense', ''])
    await list(`state ${state}`, { statesFilter: [state] }, 4)
  await list('two states', { statesFilter: ['Stable', 'Empty'] }, 4)
  for (const type of ['classic', 'Classic', 'consumer', 'share', 'nonsense'])
    await list(`type ${type}`, { typesFilter: [type] }, 5)
}

export async function finding(dialogue: Dialogue): Promise<void> {
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  const group = dialogue.name('group')
  const keyed = (version: number, keys: string[], keyType: number) => ({
    ...(version >= 4 ? { coordinatorKeys: keys } : { key: keys[0]! }),
    ...(version >= 1 ? { keyType } : {}),
  })
  await dialogue.each('a group', findCoordinator, (version) => keyed(version, [group], 0))
  await dialogue.each('an empty group', findCoordinator, (version) => keyed(version, [''], 0))
  for (const type of [2, 3, 5, -1])
    await dialogue.each(`type ${type}`, findCoordinator, (version) => keyed(version, [group], type), [1, 6])
  await dialogue.each(
    'many groups',
    findCoordinator,
    () => ({ coordinatorKeys: [group, '', `${group}x`], keyType: 0 }),
    [4, 6],
  )
  await dialogue.each('no groups', findCoordinator, () => ({ coordinatorKeys: [], keyType: 0 }), [4, 6])
  await dialogue.each('a group twice', findCoordinator, () => ({ coordinatorKeys: [group, group], keyType: 0 }), [4, 6])
}
