// What may be created, in Kafka's words: names (org.apache.kafka.common.internals.Topic), numbers, assignments
// (ReplicationControlManager).

import { ErrorCode } from '../protocol/error-code.ts'

export interface TopicRefusal {
  readonly ok: false
  readonly error: ErrorCode
  readonly message: string
}

export function refuse(error: ErrorCode, message: string): TopicRefusal {
  return { ok: false, error, message }
}

const nameLengthMax = 249

/** Null when the name is good. */
export function topicNameProblem(name: string): TopicRefusal | null {
  const problem = (what: string) => refuse(ErrorCode.INVALID_TOPIC_EXCEPTION, `Topic name is invalid: ${what}`)
  if (name === '') return problem('the empty string is not allowed')
  if (name === '.' || name === '..') return problem(`'${name}' is not allowed`)
  if (name.length > nameLengthMax) {
    return problem(`the length of '${name}' is longer than the max allowed length ${nameLengthMax}`)
  }
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) {
    return problem(`'${name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'`)
  }
  return null
}

/** Names that differ only in '.' and '_' are one in the names of metrics, so only one of them may exist. */
export function collidingName(name: string, others: Iterable<string>): string | null {
  if (!/[._]/.test(name)) return null
  const plain = withoutDots(name)
  for (const other of others) {
    if (other !== name && other.length === name.length && withoutDots(other) === plain) return other
  }
  return null
}

function withoutDots(name: string): string {
  return name.replaceAll('.', '_')
}

export interface Assignment {
  readonly partitionIndex: number
  readonly brokerIds: readonly number[]
}

/** The replicas of each partition by index, or what is wrong with them. */
export function manualReplicas(
  assignments: readonly Assignment[],
  isKnown: (brokerId: number) => boolean,
): TopicRefusal | { readonly ok: true; readonly replicas: readonly (readonly number[])[] } {
  const invalid = (message: string) => refuse(ErrorCode.INVALID_REPLICA_ASSIGNMENT, message)
  const replicas: (readonly number[])[] = []
  let factor: number | null = null
  for (const { partitionIndex, brokerIds } of assignments) {
    if (replicas[partitionIndex] !== undefined) {
      return invalid(`Found multiple manual partition assignments for partition ${partitionIndex}`)
    }
    if (partitionIndex < 0 || partitionIndex >= assignments.length) {
      return invalid('partitions should be a consecutive 0-based integer sequence')
    }
    const problem = replicasProblem(brokerIds, factor, isKnown)
    if (problem !== null) return invalid(problem)
    factor = brokerIds.length
    replicas[partitionIndex] = brokerIds
  }
  return { ok: true, replicas }
}

/** What is wrong with replicas that somebody chose; null when nothing is. `factor`: how many there must be, null for any number. */
export function replicasProblem(
  brokerIds: readonly number[],
  factor: number | null,
  isKnown: (brokerId: number) => boolean,
): string | null {
  if (brokerIds.length === 0) return 'The manual partition assignment includes an empty replica list.'
  const unknown = brokerIds.find((id) => !isKnown(id))
  if (unknown !== undefined) {
    return `The manual partition assignment includes broker ${unknown}, but no such broker is registered.`
  }
  const twice = brokerIds.find((id, at) => brokerIds.indexOf(id) !== at)
  if (twice !== undefined) return `The manual partition assignment includes the broker ${twice} more than once.`
  if (factor !== null && brokerIds.length !== factor) {
    return (
      `The manual partition assignment includes a partition with ${brokerIds.length} replica(s), but this is not ` +
      `consistent with previous partitions, which have ${factor} replica(s).`
    )
  }
  return null
}
