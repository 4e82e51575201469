// Requests to groups that are well formed and that no client sends.

import {
  describeGroups,
  heartbeat,
  joinGroup,
  leaveGroup,
  offsetCommit,
  offsetFetch,
  syncGroup,
} from '../../../src/protocol/apis/index.ts'
import { closed, type Dialogue } from '../dialogue.ts'
import { assignments, coordinatorOf, join, joinRequest } from './classic-member.ts'

export async function oddGroupRequests(dialogue: Dialogue): Promise<void> {
  const orders = dialogue.name('orders')
  const topicId = await dialogue.topic(orders, {}, 2)
  const nowhere = { name: dialogue.name('nowhere'), topicId: 'AAAAAAAAAAAAAAAAAAAAAQ' }
  const known = { name: orders, topicId }
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  const named = (version: number, { name, topicId: id }: typeof known) => (version >= 10 ? { topicId: id } : { name })
  const partition = (partitionIndex: number, committedOffset = 1) => ({
    partitionIndex,
    committedOffset,
    committedMetadata: 'm',
  })
  const commits = {
    'a topic without partitions': [[known, []]],
    'an unknown topic without partitions': [[nowhere, []]],
    'a topic twice': [
      [known, [partition(0)]],
      [known, [partition(1)]],
    ],
    'a partition twice': [[known, [partition(0, 1), partition(0, 2)]]],
    'a known topic, an unknown one, a known one': [
      [known, [partition(0)]],
      [nowhere, [partition(0)]],
      [known, [partition(9)]],
    ],
  } as const
  const groupId = dialogue.name('simple')
  for (const [what, topics] of Object.entries(commits)) {
    await dialogue.each(`commits ${what}`, offsetCommit, (version) => ({
      groupId,
      memberId: '',
      topics: topics.map(([topic, partitions]) => ({ ...named(version, topic), partitions: [...partitions] })),
    }))
  }
  const fetches = {
    'a topic without partitions': [[known, []]],
    'an unknown topic without partitions': [[nowhere, []]],
    'a topic twice': [
      [known, [0]],
      [known, [1]],
    ],
    'a partition twice': [[known, [0, 0]]],
    'a known topic, an unknown one, a known one': [
      [known, [0]],
      [nowhere, [0]],
      [known, [9]],
    ],
    'a negative partition': [[known, [-1]]],
  } as const
  for (const [what, topics] of Object.entries(fetches)) {
    await dialogue.each(`fetches ${what}`, offsetFetch, (version) => {
      const asked = topics.map(([topic, partitionIndexes]) => ({
        ...named(version, topic),
        partitionIndexes: [...partitionIndexes],
      }))
      return version >= 8 ? { groups: [{ groupId, topics: asked }] } : { groupId, topics: asked }
    })
  }
  await dialogue.each(
    'fetches for a group twice',
    offsetFetch,
    () => ({
      groups: [
        { groupId, topics: null },
        { groupId, topics: null },
      ],
    }),
    [8, 10],
  )

  const peer = await dialogue.connection()
  const live = dialogue.name('live')
  const { memberId, generationId } = await join(peer, 5, { groupId: live })
  const note = (what: string, answer: unknown) => dialogue.note(what, 5, answer)
  const sync = { groupId: live, generationId, memberId, protocolType: 'consumer', protocolName: 'range' }
  const strange = [...assignments(memberId), ...assignments('nobody'), ...assignments(memberId)]
  note('syncs with a stranger, and with itself twice', await peer.ask(syncGroup, 5, { ...sync, assignments: strange }))
  for (const [what, named] of Object.entries({
    'no protocol type': { protocolType: null },
    'no protocol name': { protocolName: null },
    'empty names': { protocolType: '', protocolName: '' },
  })) {
    note(`syncs with ${what}`, await peer.ask(syncGroup, 5, { ...sync, ...named, assignments: [] }))
    note(
      `syncs with ${what}, no group`,
      await peer.ask(syncGroup, 5, { ...sync, ...named, groupId: '', assignments: [] }),
    )
  }
  note(
    'beats under an empty instance',
    await peer.ask(heartbeat, 4, { groupId: live, generationId, memberId, groupInstanceId: '' }),
  )
  for (const groupInstanceId of ['', 'a b', '..', 'ä', 'i'.repeat(300)]) {
    const static_ = {
      groupId: dialogue.name(`instance-${groupInstanceId.length}-${Buffer.byteLength(groupInstanceId)}`),
      groupInstanceId,
    }
    const joined = await dialogue.ask(joinGroup, 7, joinRequest(7, static_))
    const ended = joined === closed ? closed : { ...joined, memberId: joined.memberId === '' ? '' : 'some' }
    note(`joins as '${groupInstanceId.slice(0, 3)}' of ${groupInstanceId.length}`, {
      ...(ended as object),
      leader: '',
      members: 0,
    })
  }
  const long = { ...joinRequest(8, { groupId: dialogue.name('reasons') }), reason: 'r'.repeat(1000) }
  note('joins with a long reason', await dialogue.ask(joinGroup, 8, long))
  const members = [{ memberId, groupInstanceId: null, reason: 'r'.repeat(1000) }]
  note('leaves with a long reason', await dialogue.ask(leaveGroup, 5, { groupId: live, members }))
  note('described at last', await dialogue.ask(describeGroups, 5, { groups: [live] }))
  for (const [what, sessionTimeoutMs, rebalanceTimeoutMs] of [
    ['the shortest session', 6_000, 1],
    ['the longest session', 1_800_000, 1],
    ['a session a little too short', 5_999, 1],
    ['a session a little too long', 1_800_001, 1],
    ['a negative rebalance timeout', 10_000, -5],
  ] as const) {
    const joining = { groupId: dialogue.name(what.replaceAll(/\W/g, '-')) }
    const request = { ...joinRequest(4, joining), sessionTimeoutMs, rebalanceTimeoutMs }
    note(what, await dialogue.ask(joinGroup, 4, request))
  }
}
