// Groups under administration, of both protocols: commits with member epochs, OffsetDelete, DeleteGroups, configs of a group.

import {
  deleteGroups,
  describeConfigs,
  incrementalAlterConfigs,
  offsetCommit,
  offsetDelete,
  offsetFetch,
  syncGroup,
} from '../../../src/protocol/apis/index.ts'
import type { Dialogue } from '../dialogue.ts'
import { coordinatorOf, join } from './classic-member.ts'
import { ConsumerGroup } from './consumer-member.ts'

interface Place {
  readonly topic: string
  readonly topicId: string
}

function commitOf(
  version: number,
  groupId: string,
  { topic, topicId }: Place,
  memberId = '',
  epoch = -1,
  partition = 0,
) {
  const partitions = [{ partitionIndex: partition, committedOffset: 5, committedMetadata: null }]
  const topics = [{ ...(version >= 10 ? { topicId } : { name: topic }), partitions }]
  return { groupId, generationIdOrMemberEpoch: epoch, memberId, topics }
}

/** A group of consumers with one member that reads `orders`. */
async function readingGroup(dialogue: Dialogue, stem: string, orders: string) {
  const group = new ConsumerGroup(dialogue, dialogue.name(stem), 1)
  const member = group.member('member-a', { subscribedTopicNames: [orders] })
  await member.join()
  await group.settle(member)
  return { group, member }
}

export async function committingWithEpochs(dialogue: Dialogue): Promise<void> {
  const topic = dialogue.name('orders')
  const place = { topic, topicId: await dialogue.topic(topic, {}, 2) }
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  const { group, member } = await readingGroup(dialogue, 'group', topic)
  const { groupId } = group
  // Such as a member has had for a while: the epoch before is one that it had.
  await member.say({ subscribedTopicNames: [topic, dialogue.name('none')] })
  await group.settle(member)
  const senders = {
    'the member': ['member-a', member.epoch],
    'the member in the epoch before': ['member-a', member.epoch - 1],
    'the member in an epoch to come': ['member-a', member.epoch + 1],
    'the member without epoch': ['member-a', -1],
    'nobody, with the epoch': ['', member.epoch],
    'a stranger': ['nobody', member.epoch],
    'a simple client': ['', -1],
  } as const
  for (const [who, [memberId, epoch]] of Object.entries(senders)) {
    await dialogue.each(`${who} commits`, offsetCommit, (version) => commitOf(version, groupId, place, memberId, epoch))
  }
  for (const [who, [memberId, memberEpoch]] of Object.entries(senders)) {
    const asked = (version: number) => ({
      groups: [
        {
          groupId,
          memberId: memberId === '' ? null : memberId,
          memberEpoch,
          topics: [{ ...(version >= 10 ? { topicId: place.topicId } : { name: topic }), partitionIndexes: [0, 1] }],
        },
      ],
    })
    await dialogue.each(`${who} fetches`, offsetFetch, asked, [9, 10])
    const all = () => ({
      groups: [{ groupId, memberId: memberId === '' ? null : memberId, memberEpoch, topics: null }],
    })
    await dialogue.each(`${who} fetches all`, offsetFetch, all, [9, 10])
  }
  const unknown = () => ({
    groups: [{ groupId: dialogue.name('nobody'), memberId: 'a', memberEpoch: 1, topics: null }],
  })
  await dialogue.each('a member of an unknown group fetches', offsetFetch, unknown, [9, 10])
  await member.leave()
  await dialogue.each('a simple client commits to the empty group', offsetCommit, (version) =>
    commitOf(version, groupId, place),
  )
  await dialogue.each('who has left commits', offsetCommit, (version) =>
    commitOf(version, groupId, place, 'member-a', member.epoch),
  )
  await dialogue.each('who has left commits without epoch', offsetCommit, (version) =>
    commitOf(version, groupId, place, 'member-a'),
  )
  await dialogue.each(
    'who has left fetches',
    offsetFetch,
    () => ({ groups: [{ groupId, memberId: 'member-a', memberEpoch: member.epoch, topics: null }] }),
    [9, 10],
  )
}

export async function deletingOffsets(dialogue: Dialogue): Promise<void> {
  const [orders, returns] = [dialogue.name('orders'), dialogue.name('returns')]
  const places = [
    { topic: orders, topicId: await dialogue.topic(orders, {}, 2) },
    { topic: returns, topicId: await dialogue.topic(returns, {}, 2) },
  ]
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  const topics = (...asked: readonly [string, ...number[]][]) =>
    asked.map(([name, ...partitions]) => ({
      name,
      partitions: partitions.map((partitionIndex) => ({ partitionIndex })),
    }))
  const wishes: Readonly<Record<string, ReturnType<typeof topics>>> = {
    'what it reads': topics([orders, 0]),
    'what it does not read': topics([returns, 0]),
    'what it does not read, again': topics([returns, 0]),
    both: topics([orders, 0, 1], [returns, 0, 1]),
    'a partition there is not': topics([returns, 9]),
    'a topic there is not': topics([dialogue.name('nowhere'), 0]),
    'a bad name': topics(['a b', 0]),
    'no partition': topics([returns]),
    nothing: [],
    'a topic twice': topics([returns, 0], [returns, 1]),
  }
  const remains = async (what: string, groupId: string) => {
    const found = await dialogue.ask(offsetFetch, 8, { groups: [{ groupId, topics: null }] })
    dialogue.note(what, 0, found)
  }
  const simple = dialogue.name('simple')
  for (const place of places) {
    for (const partition of [0, 1]) {
      await dialogue.ask(offsetCommit, 9, commitOf(9, simple, place, '', -1, partition))
    }
  }
  for (const [what, asked] of Object.entries(wishes)) {
    await dialogue.step(`a simple group: ${what}`, offsetDelete, 0, { groupId: simple, topics: asked })
    await remains(`a simple group: ${what}: what remains`, simple)
  }
  const { group, member } = await readingGroup(dialogue, 'consumer', orders)
  for (const place of places) {
    await dialogue.ask(offsetCommit, 9, commitOf(9, group.groupId, place, member.memberId, member.epoch))
  }
  for (const [what, asked] of Object.entries(wishes)) {
    await dialogue.step(`consumers: ${what}`, offsetDelete, 0, { groupId: group.groupId, topics: asked })
    await remains(`consumers: ${what}: what remains`, group.groupId)
  }
  const metadata = Buffer.concat([
    Buffer.from('000000000001', 'hex'),
    lengthPrefixed(orders),
    Buffer.from('ffffffff', 'hex'),
  ])
  const classic = dialogue.name('classic')
  const peer = await dialogue.connection()
  const joining = { groupId: classic, protocols: [{ name: 'range', metadata }] }
  const { memberId, generationId } = await join(peer, 5, joining)
  await peer.ask(syncGroup, 3, { groupId: classic, generationId, memberId, assignments: [] })
  for (const place of places) {
    await dialogue.ask(offsetCommit, 9, commitOf(9, classic, place, memberId, generationId))
  }
  for (const [what, asked] of Object.entries(wishes)) {
    await dialogue.step(`classic consumers: ${what}`, offsetDelete, 0, { groupId: classic, topics: asked })
    await remains(`classic consumers: ${what}: what remains`, classic)
  }
  const one = wishes['what it reads']!
  await dialogue.step('an unknown group', offsetDelete, 0, { groupId: dialogue.name('nobody'), topics: one })
  await dialogue.step('an empty group id', offsetDelete, 0, { groupId: '', topics: one })
}

function lengthPrefixed(text: string): Buffer {
  const length = Buffer.alloc(2)
  length.writeInt16BE(Buffer.byteLength(text))
  return Buffer.concat([length, Buffer.from(text)])
}

export async function deletingGroups(dialogue: Dialogue): Promise<void> {
  const topic = dialogue.name('orders')
  const place = { topic, topicId: await dialogue.topic(topic) }
  await coordinatorOf(dialogue, dialogue.name('warm-up'))
  const peer = await dialogue.connection()
  await dialogue.inEach([0, 2], async (version) => {
    const [simple, classic] = [dialogue.name('simple', version), dialogue.name('classic', version)]
    await dialogue.ask(offsetCommit, 9, commitOf(9, simple, place))
    const { memberId, generationId } = await join(peer, 5, { groupId: classic })
    await peer.ask(syncGroup, 3, { groupId: classic, generationId, memberId, assignments: [] })
    const group = new ConsumerGroup(dialogue, dialogue.name('consumer', version), 1)
    const member = group.member('member-a', { subscribedTopicNames: [topic] })
    await member.join()
    await group.settle(member)
    const remove = async (what: string, ...groupsNames: string[]) =>
      dialogue.step(what, deleteGroups, version, { groupsNames })
    await remove('none')
    await remove('an unknown one', dialogue.name('nobody'))
    // Every broker may have it from other scenarios.
    await dialogue.ask(offsetCommit, 9, commitOf(9, '', place))
    await remove('an empty id', '')
    await remove('of all kinds', simple, classic, group.groupId, dialogue.name('nobody'), '')
    await remove('once more', simple)
    await remove('one twice', classic, classic)
    const fetched = await dialogue.ask(offsetFetch, 8, { groups: [{ groupId: simple, topics: null }] })
    dialogue.note('its offsets', version, fetched)
    await member.leave()
    await remove('when its member has left', group.groupId)
    dialogue.note('when its member has left: described', version, await group.describe())
  })
}

const set = 0
const remove = 1
const groupType = 32

/** Configs of single groups (KIP-848). */
export async function groupConfigs(dialogue: Dialogue): Promise<void> {
  const name = dialogue.name('group')
  const known = ['consumer.session.timeout.ms', 'consumer.heartbeat.interval.ms', 'consumer.assignment.interval.ms']
  /** Kafka has more, of share and streams groups. */
  const describe = (what: string, resourceName: string, configurationKeys = known) =>
    dialogue.each(`described: ${what}`, describeConfigs, (version) => ({
      resources: [{ resourceType: groupType, resourceName, configurationKeys }],
      ...(version >= 1 ? { includeSynonyms: true } : {}),
      ...(version >= 3 ? { includeDocumentation: false } : {}),
    }))
  const alter = (what: string, ...configs: readonly (readonly [string, number, string | null])[]) =>
    dialogue.step(what, incrementalAlterConfigs, 1, {
      resources: [
        {
          resourceType: groupType,
          resourceName: name,
          configs: configs.map(([key, configOperation, value]) => ({ name: key, configOperation, value })),
        },
      ],
    })
  await describe('new', name)
  await describe('some', name, ['consumer.session.timeout.ms', 'no.such.setting'])
  await describe('without name', '')
  await alter('a session in bounds', ['consumer.session.timeout.ms', set, '50000'])
  await alter('a session too short', ['consumer.session.timeout.ms', set, '1'])
  await alter('a session too long', ['consumer.session.timeout.ms', set, '999999999'])
  await alter('a session that is no number', ['consumer.session.timeout.ms', set, 'long'])
  await alter('an interval as long as the session', ['consumer.heartbeat.interval.ms', set, '15000'])
  await alter('an interval too short', ['consumer.heartbeat.interval.ms', set, '1'])
  await alter(
    'two, of which one is bad',
    ['consumer.heartbeat.interval.ms', set, '6000'],
    ['no.such.setting', set, '1'],
  )
  await describe('after that', name)
  await alter('the session, removed', ['consumer.session.timeout.ms', remove, null])
  await alter('nothing')
  await describe('at last', name)
}
