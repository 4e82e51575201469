// A happening in words a person can be told. Long lists and long names are cut, so that words have a bound as well.

import type { Millis } from '../../../io/clock.ts'
import type { Farewell, Happening, NotedMember, TopicCount } from './group-note.ts'
import { shortened } from './kept-text.ts'

/** Names told of one list: partitions, topics. */
export const namesToldMax = 20

/** One sentence without its full stop. `at`: when it happened, to tell how long before it something else did. */
export function wordsOf(what: Happening, at: Millis): string {
  switch (what.kind) {
    case 'coordinatorStarted':
      return `this broker became the coordinator and found the group ${what.state}; what was before it does not know`
    case 'memberJoined':
      return `${memberWords(what.member)} joined`
    case 'memberReplaced':
      return `${memberWords(what.member)} came back and took the place of its former self, ${shortId(what.member, what.oldMemberId)}`
    case 'memberLeft':
      return `${memberWords(what.member)} left${reasonWords(what.reason)}${progressWords(what, at, ';')}`
    case 'memberSilent':
      return `${memberWords(what.member)} was silent for ${spanWords(what.silentMs)}${progressWords(what, at)}`
    case 'memberDisconnected':
      return `${memberWords(what.member)} closed its connection${progressWords(what, at)}`
    case 'memberOverdue':
      return `${memberWords(what.member)} ${overdueWords[what.phase]} within ${spanWords(what.afterMs)}${progressWords(what, at)}`
    case 'subscriptionChanged':
      return `${memberWords(what.member)} now reads ${subscriptionWords(what.topics, what.regex)}`
    case 'topicsChanged':
      return topicsWords(what.topics, what.counts)
    case 'rebalanceStarted': {
      const request = requestWords(what.member ?? null, what.reason)
      return request === null ? 'a rebalance began' : `a rebalance began: ${request}`
    }
    case 'rebalanceEnded': {
      const end = `the rebalance was over after ${spanWords(what.durationMs)}`
      const words = `${end}: epoch ${what.epoch}, ${counted(what.members, 'member')}`
      return what.protocol === null || what.protocol === '' ? words : `${words}, ${shortened(what.protocol)}`
    }
    case 'assignmentChanged':
      return `${memberWords(what.member)} ${changeWords(what.gained, what.lost)}`
    case 'offsetsSet':
      return `${clientWords(what.clientId)}, no member, set the offsets of ${counted(what.partitions, 'partition')}`
    case 'offsetsDeleted':
      return `the offsets of ${counted(what.partitions, 'partition')} were deleted: ${deletedWords[what.reason]}`
    case 'converted':
      return `the group went over to the ${what.to} protocol`
    case 'groupDeleted':
      return what.reason === 'asked' ? 'the group was deleted' : 'the group was empty, and is forgotten'
  }
}

/** `consumer-2 (10.0.0.5, 3f2a9c01)`: a static member by the name it was given (KIP-345). */
function memberWords(member: NotedMember): string {
  const name = member.groupInstanceId ?? (member.clientId === '' ? 'a member without a name' : member.clientId)
  return `${shortened(name)} (${hostOf(member.clientHost)}, ${shortId(member, member.memberId)})`
}

/** Who asked for a rebalance, and why in its own words; null when nobody did. */
export function requestWords(member: NotedMember | null, reason: string | null): string | null {
  if (member !== null) return `${memberWords(member)} asked for it${reasonWords(reason)}`
  return reason === null || reason === '' ? null : shortened(reason)
}

/** Kafka writes hosts as Java does, with a slash. */
export const hostOf = (clientHost: string): string => clientHost.replace(/^\//, '')

/** Enough of a member id to tell members apart: what is unique in it, without the name that most clients put before it. */
export function shortId(
  { clientId, groupInstanceId }: Pick<NotedMember, 'clientId' | 'groupInstanceId'>,
  memberId: string,
): string {
  const names = [groupInstanceId ?? '', clientId].filter((name) => name !== '')
  const name = names.find((each) => memberId.startsWith(`${each}-`))
  return memberId.slice(name === undefined ? 0 : name.length + 1).slice(0, 8)
}

/** `orders-0, orders-1 and 3 more` */
export function namesWords(names: readonly string[], max = namesToldMax): string {
  const shown = names.slice(0, max).map(shortened)
  const more = names.length - shown.length
  if (more > 0) return `${shown.join(', ')} and ${more} more`
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown.at(-1)}`
}

const overdueWords = {
  join: 'did not rejoin',
  sync: 'did not ask for its assignment',
  revocation: 'did not give up the partitions it had to',
} as const

const deletedWords = {
  asked: 'somebody asked for it',
  expired: 'they were older than is kept',
  topicDeleted: 'the topic is no more',
} as const

/** `joint`: the word or sign that ties it to what was said before. */
function progressWords({ owned, lastCommit }: Farewell, at: Millis, joint: ' while' | ';' = ' while'): string {
  if (owned === undefined || lastCommit === undefined) return ''
  if (owned.length === 0) return `${joint} it had no partitions`
  if (lastCommit === null) return `${joint} nothing was committed of its ${counted(owned.length, 'partition')}`
  const before = at - lastCommit.at
  const when = before < 1000 ? 'just before' : `${spanWords(before)} before`
  return `${joint} its last committed offset was ${shortened(lastCommit.partition)}@${lastCommit.offset} (${when})`
}

function reasonWords(reason: string | null): string {
  return reason === null || reason === '' ? '' : `: ${shortened(reason)}`
}

function subscriptionWords(topics: readonly string[], regex: string | null): string {
  const parts = [
    ...(topics.length > 0 ? [namesWords(topics)] : []),
    ...(regex !== null && regex !== '' ? [`what matches ${shortened(regex)}`] : []),
  ]
  return parts.length === 0 ? 'nothing' : parts.join(' and ')
}

function topicsWords(topics: readonly string[], counts: readonly TopicCount[] | undefined): string {
  if (counts === undefined || counts.length === 0) {
    return topics.length === 0
      ? 'topics changed'
      : `${topics.length === 1 ? 'topic' : 'topics'} ${namesWords(topics)} changed`
  }
  const sentences = counts.slice(0, namesToldMax).map(({ topic, before, after }) => {
    const name = `topic ${shortened(topic)}`
    if (before === 0) return `${name} came, with ${counted(after, 'partition')}`
    if (after === 0) return `${name} was deleted`
    if (before === null) return `${name} changed, and has ${counted(after, 'partition')} now`
    if (after === before) return `${name} changed`
    return `${name} ${after > before ? 'grew' : 'shrank'} to ${counted(after, 'partition')}`
  })
  const more = counts.length - sentences.length
  return more > 0 ? `${sentences.join('; ')}; and ${more} more changed` : sentences.join('; ')
}

function changeWords(gained: readonly string[], lost: readonly string[]): string {
  const parts = [
    ...(gained.length > 0 ? [`got ${namesWords(gained)}`] : []),
    ...(lost.length > 0 ? [`gave up ${namesWords(lost)}`] : []),
  ]
  return parts.length === 0 ? 'keeps what it has' : parts.join(' and ')
}

const clientWords = (clientId: string): string => (clientId === '' ? 'a client without a name' : shortened(clientId))

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

/** `320 ms`, `45 s`, `4 minutes`, `3 hours`, `2 days`. */
export function spanWords(ms: Millis): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`
  if (ms < 120_000) return `${ms < 10_000 ? Math.round(ms / 100) / 10 : Math.round(ms / 1000)} s`
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} minutes`
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} hours`
  return `${Math.round(ms / 86_400_000)} days`
}
