// A report of a cluster, for people.

import type { ClusterReport, MissingReason, ReportedPartition } from './cluster-report.ts'

/** Of each kind of partitions that are not as they should be. */
const linesMax = 20

const words: Readonly<Record<MissingReason, string>> = {
  away: 'is not there',
  failed: 'has no log of it: its disk failed',
  behind: 'has not caught up',
}

export function linesOf(report: ClusterReport): string[] {
  const { clusterId, controllerId, brokers, topics, partitions, offline, underReplicated, reassignments } = report
  const controller = controllerId === null ? 'nobody is the controller' : `broker ${controllerId} is the controller`
  const rows = brokers.map(({ id, address, rack, away, leads, replicas }) => [
    `broker ${id}`,
    address ?? '?',
    rack === null ? '' : `rack ${rack}`,
    away ? 'away' : `leads ${leads}`,
    `of ${replicas}`,
  ])
  return [
    `cluster ${clusterId}, ${controller}`,
    ...table(rows),
    topics === 0
      ? 'no topics yet'
      : `${counted(partitions, 'partition')} of ${counted(topics, 'topic')}: ${soundness(report)}`,
    ...section('without a leader', offline, offlineWords),
    ...section('not fully replicated', underReplicated, underReplicatedWords, ({ leader }) => `led by ${leader}, `),
    ...section('on the move', reassignments, ({ adding, removing, waitsFor }) =>
      [
        ...(adding.length > 0 ? [`to ${listed(adding)}`] : []),
        ...(removing.length > 0 ? [`from ${listed(removing)}`] : []),
        ...(waitsFor.length > 0 ? [`waits until ${listed(waitsFor)} has caught up`] : []),
      ].join(', '),
    ),
  ]
}

function soundness({ offline, underReplicated, reassignments }: ClusterReport): string {
  const parts = [
    ...(offline.length > 0 ? [`${offline.length} without a leader`] : []),
    ...(underReplicated.length > 0 ? [`${underReplicated.length} not fully replicated`] : []),
  ]
  const state = parts.length === 0 ? 'each has its leader and all of its replicas' : parts.join(', ')
  return reassignments.length === 0 ? state : `${state}; ${reassignments.length} on the move`
}

function offlineWords({ inSync, missing }: ReportedPartition): string {
  const why = missing.map(({ broker, reason }) => `broker ${broker} ${words[reason]}`).join(', ')
  const waits =
    inSync.length === 0
      ? 'none is known to have all that was acknowledged'
      : `waits for ${inSync.length > 1 ? 'one of ' : ''}broker ${listed(inSync)}, in sync last`
  return `${waits}${why === '' ? '' : `; ${why}`}`
}

function underReplicatedWords({ inSync, replicas, missing }: ReportedPartition): string {
  const why = missing.map(({ broker, reason }) => `broker ${broker} ${words[reason]}`).join(', ')
  return `${inSync.length} of ${replicas.length} in sync: ${why}`
}

/** Partitions of a topic of which there is the same to say share a line; `alone` is said of one that has a line to itself. */
function section<T extends { readonly topic: string; readonly partition: number }>(
  title: string,
  items: readonly T[],
  wordsOf: (item: T) => string,
  alone: (item: T) => string = () => '',
): string[] {
  if (items.length === 0) return []
  const alike = Map.groupBy(items, (item) => `${item.topic}: ${wordsOf(item)}`)
  const groups = [...alike.values()]
  const lines = groups.slice(0, linesMax).map((group) => {
    const [first] = group as [T]
    const { topic, partition } = first
    return group.length === 1
      ? `  ${topic}-${partition}: ${alone(first)}${wordsOf(first)}`
      : `  ${topic}, ${counted(group.length, 'partition')}: ${wordsOf(first)}`
  })
  const more = groups.slice(linesMax).reduce((sum, group) => sum + group.length, 0)
  return [
    `${title}${groups.length < items.length ? ' (--json lists each)' : ''}:`,
    ...lines,
    ...(more > 0 ? [`  and ${counted(more, 'partition')} more (--json lists them all)`] : []),
  ]
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) => {
    const cells = row.flatMap((cell, column) => (widths[column] === 0 ? [] : [cell.padEnd(widths[column]!)]))
    return `  ${cells.join('  ').trimEnd()}`
  })
}

function counted(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`
}

const listed = (ids: readonly number[]): string => ids.join(' ')
