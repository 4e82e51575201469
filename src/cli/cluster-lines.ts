// A report of a cluster, for people.

import type { ClusterReport, MissingReason, ReportedPartition } from './cluster-report.ts'

/** Of each kind of partitions that are not as they should be. */
const listedMax = 20

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
    ...section('without a leader', offline, offlineLine),
    ...section('not fully replicated', underReplicated, underReplicatedLine),
    ...section(
      'on the move',
      reassignments,
      ({ topic, partition, adding, removing, waitsFor }) =>
        `${topic}-${partition}: ${[
          ...(adding.length > 0 ? [`to ${listed(adding)}`] : []),
          ...(removing.length > 0 ? [`from ${listed(removing)}`] : []),
          ...(waitsFor.length > 0 ? [`waits until ${listed(waitsFor)} has caught up`] : []),
        ].join(', ')}`,
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

function offlineLine({ topic, partition, inSync, missing }: ReportedPartition): string {
  const why = missing.map(({ broker, reason }) => `broker ${broker} ${words[reason]}`).join(', ')
  const waits =
    inSync.length === 0
      ? 'none is known to have all that was acknowledged'
      : `waits for ${inSync.length > 1 ? 'one of ' : ''}broker ${listed(inSync)}, in sync last`
  return `${topic}-${partition}: ${waits}${why === '' ? '' : `; ${why}`}`
}

function underReplicatedLine({ topic, partition, leader, inSync, replicas, missing }: ReportedPartition): string {
  const why = missing.map(({ broker, reason }) => `broker ${broker} ${words[reason]}`).join(', ')
  return `${topic}-${partition}: led by ${leader}, ${inSync.length} of ${replicas.length} in sync: ${why}`
}

function section<T>(title: string, items: readonly T[], line: (item: T) => string): string[] {
  if (items.length === 0) return []
  const lines = items.slice(0, listedMax).map((item) => `  ${line(item)}`)
  const more = items.length - lines.length
  return [`${title}:`, ...lines, ...(more > 0 ? [`  and ${more} more (--json lists them all)`] : [])]
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
