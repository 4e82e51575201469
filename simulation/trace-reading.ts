// What the lines of a trace tell of one partition: what etcd was told of it, and what brokers said.

import type { Happening } from './story.ts'

/** `12 3.4500 broker-1: starts, life 1`, as trace.ts writes it. */
export function happeningOf(line: string): Happening {
  const [, seconds, who, what] = /^\d+ ([\d.]+) ([^:]+): (.*)$/s.exec(line) ?? []
  if (seconds === undefined) throw new Error(`not a line of a trace: ${line}`)
  return { atMs: Number(seconds) * 1000, who: who!, what: what! }
}

/** The first partition named in the text that a topic of the trace has: `orders-3`. */
export function partitionNamedIn(text: string, happenings: readonly Happening[]): string | null {
  const topics = new Set(topicIdsIn(happenings).keys())
  for (const [name, topic] of text.matchAll(/\b([\w.-]+)-\d+\b/g)) if (topics.has(topic!)) return name
  return null
}

/** All changes of the partition, with what brokers said of it meanwhile. */
export function historyOf(partition: string, happenings: readonly Happening[]): Happening[] {
  const at = partition.lastIndexOf('-')
  const topicIds = topicIdsIn(happenings).get(partition.slice(0, at)) ?? new Set()
  const index = partition.slice(at + 1)
  const history: Happening[] = []
  let before: Shape | null = null
  for (const { atMs, who, what } of happenings) {
    if (who === 'etcd') {
      const [, topicId, ofIndex, json] = /^\d+ part\/([^/]+)\/(\d+) = (.*)$/s.exec(what) ?? []
      if (topicId === undefined || ofIndex !== index || !topicIds.has(topicId)) continue
      const shape = JSON.parse(json!) as Shape
      history.push({ atMs, who, what: wordsOfChange(before, shape) })
      before = shape
    } else if (what.includes(`partition="${partition}"`)) {
      history.push({ atMs, who, what: withoutName(what, partition) })
    } else if (/^(starts|serves|killed|the power fails|freezes|thaws|has stopped|could not start|ends)/.test(what)) {
      history.push({ atMs, who, what })
    }
  }
  return history
}

/** Of the clients: what they say of the records that the text names; where it names none, what they said last of the partition. */
export function clientsWordsOn(text: string, partition: string | null, happenings: readonly Happening[]): Happening[] {
  const words = happenings.filter(({ who }) => !/^(broker-\d+|etcd|schedule|run|rules)$/.test(who))
  const records = [...text.matchAll(/[\w-]+\/\d+/g)].map(([record]) => record)
  const named = words.filter(({ what }) => what.split(' ').some((word) => records.includes(word)))
  if (named.length > 0) return named
  return partition === null ? [] : words.filter(({ what }) => what.includes(partition)).slice(-lastWords)
}

const lastWords = 6

interface Shape {
  readonly leader: number
  readonly leaderEpoch: number
  readonly isr: readonly number[]
  readonly replicas: readonly number[]
  readonly adding?: readonly number[]
  readonly removing?: readonly number[]
  readonly failed?: readonly number[]
}

function wordsOfChange(before: Shape | null, after: Shape): string {
  const { leader, leaderEpoch, isr, replicas, adding, removing, failed } = after
  const parts: string[] = []
  if (before === null || before.leader !== leader || before.leaderEpoch !== leaderEpoch) {
    parts.push(`${leader < 0 ? 'nobody leads' : `broker ${leader} leads`} under epoch ${leaderEpoch}`)
  }
  if (before === null || listed(before.isr) !== listed(isr)) parts.push(`in sync: ${listed(isr)}`)
  if (before === null || listed(before.replicas) !== listed(replicas)) parts.push(`replicas: ${listed(replicas)}`)
  if (adding !== undefined || removing !== undefined) {
    parts.push(`being reassigned, adding ${listed(adding ?? [])}, removing ${listed(removing ?? [])}`)
  }
  if (failed !== undefined && failed.length > 0) parts.push(`the disk failed at ${listed(failed)}`)
  return parts.length === 0 ? 'written as it was' : parts.join('; ')
}

function listed(ids: readonly number[]): string {
  return ids.length === 0 ? 'nobody' : ids.join(', ')
}

function withoutName(what: string, partition: string): string {
  return what.replace(/^(info|warn|error|debug) /, '').replace(` partition="${partition}"`, '')
}

/** A name may have stood for several topics, one after the other. */
function topicIdsIn(happenings: readonly Happening[]): Map<string, Set<string>> {
  const ids = new Map<string, Set<string>>()
  for (const { who, what } of happenings) {
    const [, name, id] = who === 'etcd' ? (/^\d+ topic\/([^ ]+) = .*"id":"([^"]+)"/s.exec(what) ?? []) : []
    if (name === undefined) continue
    const known = ids.get(name)
    if (known === undefined) ids.set(name, new Set([id!]))
    else known.add(id!)
  }
  return ids
}
