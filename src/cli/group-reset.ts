// `odradek group reset`: shows what setting offsets would do, and does it when told to.

import { createInterface } from 'node:readline/promises'
import { systemClock } from '../io/clock.ts'
import { type GroupCluster, GroupRefused, nameOf, type TopicPartition } from './group-cluster.ts'
import type { GroupMember, GroupState } from './group-members.ts'
import { stateOf } from './group-members.ts'
import { type Committed, committedOf, inOrder, logBounds, offsetsAtTime, recordTimes } from './group-offsets.ts'
import { planLines, type PlanTimes, type RangeTimes } from './group-reset-lines.ts'
import { type Move, type OffsetRange, planReset, type ResetGoal, type ResetPlan } from './group-reset-plan.ts'
import { commitOffsets, deleteOffsets, type SavedOffset, savedOffsets, saveOffsets } from './group-undo.ts'
import { counted, momentText } from './group-words.ts'

/** Null: all partitions of the topic. */
export interface TopicChoice {
  readonly topic: string
  readonly partitions: readonly number[] | null
}

export interface GroupResetOptions {
  readonly toEarliest?: boolean
  readonly toLatest?: boolean
  /** Wall milliseconds. */
  readonly toDatetime?: number
  readonly shiftBy?: number
  readonly toOffset?: number
  readonly undo?: boolean
  readonly topic: readonly TopicChoice[]
  readonly execute?: boolean
  readonly json?: boolean
}

/** Those that are given. */
export function goalsIn(options: GroupResetOptions): readonly string[] {
  const { toEarliest, toLatest, toDatetime, shiftBy, toOffset, undo } = options
  return Object.entries({
    '--to-earliest': toEarliest,
    '--to-latest': toLatest,
    '--to-datetime': toDatetime,
    '--shift-by': shiftBy,
    '--to-offset': toOffset,
    '--undo': undo,
  }).flatMap(([name, value]) => (value === undefined ? [] : [name]))
}

export async function resetGroup(cluster: GroupCluster, groupId: string, options: GroupResetOptions): Promise<void> {
  const state = await stateOf(cluster, groupId)
  refuseActive(groupId, state)
  const committed = await committedOf(cluster, groupId)
  const saved = options.undo === true ? await savedOffsets(cluster, groupId) : []
  const places = placesOf(cluster, groupId, state, options, options.undo === true ? saved : committed)
  const bounds = await logBounds(cluster, places)
  const offsets = new Map(committed.map((each) => [nameOf(each), each]))
  const positions = places.map((place) => ({
    ...place,
    committed: offsets.get(nameOf(place))?.offset ?? null,
    bounds: bounds.get(nameOf(place)) ?? null,
  }))
  const plan = planReset(positions, await goalOf(cluster, options, places, saved))
  const times = await timesOf(cluster, plan)
  const nowMs = systemClock.now()
  if (!(options.json === true)) {
    process.stdout.write(`${previewLines(groupId, state, plan, times, options, nowMs).join('\n')}\n`)
  }
  const done = plan.moves.length > 0 && (await isWanted(options))
  if (done) await execute(cluster, groupId, plan, offsets, saved)
  if (options.json === true) process.stdout.write(`${JSON.stringify({ groupId, done, ...plan })}\n`)
  else process.stdout.write(`${outcomeLines(groupId, plan, done, options).join('\n')}\n`)
}

/** A consumer that runs knows where it is, and would commit over what is set. Kafka refuses it as well. */
function refuseActive(groupId: string, state: GroupState | null): void {
  if (state === null || (state.members.length === 0 && state.state === 'Empty')) return
  if (state.members.length === 0)
    throw new GroupRefused(`group ${groupId} is in state ${state.state}: try again once it is Empty`)
  const names = state.members.slice(0, 5).map(memberText)
  const more = state.members.length > names.length ? ` and ${state.members.length - names.length} more` : ''
  throw new GroupRefused(
    `group ${groupId} has ${counted(state.members.length, 'active member')}: ${names.join(', ')}${more}. ` +
      `While any is there it would go on where it is, and commit over what is set here: stop all of them first. ` +
      `One that was killed counts until its session has timed out`,
  )
}

const memberText = ({ clientId, instanceId, host }: GroupMember): string => `${instanceId ?? clientId} (${host})`

/** The partitions that are meant. */
function placesOf(
  cluster: GroupCluster,
  groupId: string,
  state: GroupState | null,
  { topic, undo = false }: GroupResetOptions,
  known: readonly TopicPartition[],
): readonly TopicPartition[] {
  if (undo && known.length === 0) {
    throw new GroupRefused(`nothing is kept of a reset of group '${groupId}': there was none, or it is too long ago`)
  }
  if (topic.length === 0) {
    if (state === null && !undo) {
      throw new GroupRefused(`there is no group '${groupId}'; with --topic it can be given its first offsets`)
    }
    if (known.length === 0) {
      throw new GroupRefused(`group '${groupId}' has committed no offsets; with --topic it can be given its first`)
    }
    return known.map((each) => ({ topic: each.topic, partition: each.partition }))
  }
  const named = topic.flatMap((each) => partitionsChosen(cluster, each))
  return [...new Map(named.map((place) => [nameOf(place), place])).values()].toSorted(inOrder)
}

function partitionsChosen(cluster: GroupCluster, { topic, partitions }: TopicChoice): TopicPartition[] {
  const all = cluster.partitionsOf(topic)
  if (all === null) throw new GroupRefused(`there is no topic '${topic}'`)
  const absent = partitions?.filter((partition) => !all.includes(partition)) ?? []
  if (absent.length > 0)
    throw new GroupRefused(`topic '${topic}' has no partition ${absent.join(', ')}: it has ${all.length}`)
  return (partitions ?? all).map((partition) => ({ topic, partition }))
}

async function goalOf(
  cluster: GroupCluster,
  { toEarliest, toLatest, toDatetime, shiftBy, toOffset }: GroupResetOptions,
  places: readonly TopicPartition[],
  saved: readonly SavedOffset[],
): Promise<ResetGoal> {
  if (toEarliest === true) return { kind: 'earliest' }
  if (toLatest === true) return { kind: 'latest' }
  if (shiftBy !== undefined) return { kind: 'shiftBy', by: shiftBy }
  if (toOffset !== undefined) return { kind: 'offset', offset: toOffset }
  if (toDatetime !== undefined) {
    return { kind: 'datetime', timeMs: toDatetime, offsets: await offsetsAtTime(cluster, places, toDatetime) }
  }
  return { kind: 'undo', saved: new Map(saved.map((each) => [nameOf(each), each.offset])) }
}

/** When what is read again, and what is skipped, was written: the first and the last record of each range. */
async function timesOf(cluster: GroupCluster, { moves }: ResetPlan): Promise<PlanTimes> {
  const times = async (rangeOf: (move: Move) => OffsetRange | null): Promise<RangeTimes> => {
    const ranges = moves.flatMap((move) => {
      const range = rangeOf(move)
      return range === null ? [] : [{ topic: move.topic, partition: move.partition, range }]
    })
    return {
      first: await recordTimes(
        cluster,
        ranges.map(({ range, ...place }) => ({ ...place, offset: range.from })),
      ),
      last: await recordTimes(
        cluster,
        ranges.map(({ range, ...place }) => ({ ...place, offset: range.to - 1 })),
      ),
    }
  }
  return { reReads: await times(({ reReads }) => reReads), skips: await times(({ skips }) => skips) }
}

function previewLines(
  groupId: string,
  state: GroupState | null,
  plan: ResetPlan,
  times: PlanTimes,
  { toDatetime, undo = false }: GroupResetOptions,
  nowMs: number,
): string[] {
  return [
    ...(state === null ? [`there is no group '${groupId}' yet: it begins with these offsets`] : []),
    ...(toDatetime === undefined ? [] : [`to ${momentText(toDatetime, nowMs)}, ${new Date(toDatetime).toISOString()}`]),
    ...(undo ? ['back to what was committed before the last reset'] : []),
    ...planLines(plan, times, nowMs),
  ]
}

async function isWanted({ execute: given = false, json = false }: GroupResetOptions): Promise<boolean> {
  if (given) return true
  if (json || !process.stdin.isTTY || !process.stdout.isTTY) return false
  const terminal = createInterface({ input: process.stdin, output: process.stdout })
  try {
    return /^y(es)?$/i.test((await terminal.question('\ndo it? [y/N] ')).trim())
  } catch (error) {
    // Ctrl-C and the end of the input are answers too.
    if (error instanceof Error && error.name === 'AbortError') return false
    throw error
  } finally {
    terminal.close()
  }
}

/** The plan speaks of what was committed when it was made. */
async function refuseChanged(cluster: GroupCluster, groupId: string, moves: readonly Move[]): Promise<void> {
  const now = new Map((await committedOf(cluster, groupId)).map((each) => [nameOf(each), each.offset]))
  const changed = moves.filter((move) => (now.get(nameOf(move)) ?? null) !== move.from)
  if (changed.length === 0) return
  throw new GroupRefused(
    `offsets of ${changed.map(nameOf).join(', ')} have changed meanwhile: have another look, and try again`,
  )
}

/** First what is there now is kept, so that there is a way back from whatever happens after. */
async function execute(
  cluster: GroupCluster,
  groupId: string,
  { moves }: ResetPlan,
  committed: ReadonlyMap<string, Committed>,
  saved: readonly SavedOffset[],
): Promise<void> {
  await refuseChanged(cluster, groupId, moves)
  const none = { offset: null, leaderEpoch: -1, metadata: '' }
  const before = moves.map(({ topic, partition }): SavedOffset => {
    return committed.get(nameOf({ topic, partition })) ?? { topic, partition, ...none }
  })
  // Of what is taken back in part, the rest can still be.
  const moved = new Set(moves.map(nameOf))
  await saveOffsets(cluster, groupId, [...before, ...saved.filter((each) => !moved.has(nameOf(each)))])
  const restored = new Map(saved.map((each) => [nameOf(each), each]))
  const next = moves.flatMap(({ topic, partition, to }): Committed[] => {
    if (to === null) return []
    const was = restored.get(nameOf({ topic, partition }))
    const { leaderEpoch, metadata } = was?.offset === to ? was : { leaderEpoch: -1, metadata: '' }
    return [{ topic, partition, offset: to, leaderEpoch, metadata }]
  })
  await commitOffsets(cluster, groupId, next)
  await deleteOffsets(
    cluster,
    groupId,
    moves.filter(({ to }) => to === null),
  )
}

function outcomeLines(
  groupId: string,
  { moves }: ResetPlan,
  done: boolean,
  { undo = false }: GroupResetOptions,
): string[] {
  if (moves.length === 0) return ['', 'there is nothing to change']
  if (!done) return ['', 'nothing was changed: --execute does it']
  const back = undo ? 'To take that back' : 'To undo it'
  return ['', `done for ${counted(moves.length, 'partition')}. ${back}: odradek group reset ${groupId} --undo`]
}
