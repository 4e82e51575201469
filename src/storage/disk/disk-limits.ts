// The arithmetic of the disk budget. Pure.
//
//   |<------------------------------ limit: disk.budget, less when the volume is short of disk.free.reserve ---------------------------->|
//   |<- reserved: metadata, offsets,->|<------------------------------------ ordinary topics ------------------------------------------>|
//   |   transactions, the spare file  |                          target        start                                    hard             |
//                                        deletions stop there ----^   they begin -^    appends are refused from here on ---^   slack
//
// The slack is for what an append brings along that only the next count sees: index entries, the rest of a file's last block.

import type { Volume } from '../../io/disk.ts'

export type DiskAmount = { readonly bytes: number } | { readonly percent: number }

export interface BudgetSettings {
  /** `disk.budget`. */
  readonly budget: DiskAmount | null
  /** `disk.free.reserve`. */
  readonly freeReserve: DiskAmount | null
}

export interface DiskLimits {
  /** For all of the data folder. */
  readonly limitBytes: number
  readonly reservedBytes: number
  /** For the ordinary topics: where deletions begin, how far they go, where appends are refused. */
  readonly startBytes: number
  readonly targetBytes: number
  readonly hardBytes: number
}

const MIB = 1024 * 1024
const reservedMax = 64 * MIB
const reservedPart = 0.1
const slackMin = 64 * 1024
const slackMax = 64 * MIB
const slackPart = 0.01
const segmentsPerBudget = 64

/** Null without a bound. `usedBytes`: everything in the data folder; `internalBytes`: what of it the budget never takes away. */
export function diskLimits(
  settings: BudgetSettings,
  found: { readonly volume: Volume; readonly usedBytes: number; readonly internalBytes: number },
): DiskLimits | null {
  const { volume, usedBytes, internalBytes } = found
  const configured = boundOf(settings, volume)
  if (configured === Infinity) return null
  const withinReserve =
    settings.freeReserve === null || volume.totalBytes === Infinity
      ? Infinity
      : usedBytes + volume.freeBytes - bytesOf(settings.freeReserve, volume)
  const limitBytes = Math.max(0, Math.min(configured, withinReserve))
  const reservedBytes = Math.max(internalBytes, Math.min(reservedMax, configured * reservedPart))
  const room = Math.max(0, limitBytes - reservedBytes)
  const hardBytes = Math.max(0, room - clamp(room * slackPart, Math.min(slackMin, room / 4), slackMax))
  // Two segments, when the budget is large enough for that: while one is deleted another is filled.
  const headroom = Math.min(hardBytes / 4, Math.max(hardBytes / 20, 2 * segmentBytesMaxFor(configured)))
  return {
    limitBytes: Math.floor(limitBytes),
    reservedBytes: Math.ceil(reservedBytes),
    startBytes: Math.floor(hardBytes - headroom),
    targetBytes: Math.floor(hardBytes - 1.5 * headroom),
    hardBytes: Math.floor(hardBytes),
  }
}

/** The size at which segments are rolled under a bound, so that one of them is a small part of it. */
export function segmentBytesMax(settings: BudgetSettings, volume: Volume): number {
  const bound = boundOf(settings, volume)
  return bound === Infinity ? Infinity : segmentBytesMaxFor(bound)
}

function segmentBytesMaxFor(bound: number): number {
  return Math.max(MIB, Math.floor(bound / segmentsPerBudget))
}

/** What the settings alone allow; with a free reserve only, the volume without it. Infinity: no bound. */
export function boundOf({ budget, freeReserve }: BudgetSettings, volume: Volume): number {
  const bounds = [Infinity]
  if (budget !== null) bounds.push(bytesOf(budget, volume))
  if (freeReserve !== null && volume.totalBytes < Infinity) {
    bounds.push(Math.max(0, volume.totalBytes - bytesOf(freeReserve, volume)))
  }
  return Math.min(...bounds)
}

function bytesOf(amount: DiskAmount, volume: Volume): number {
  return 'bytes' in amount ? amount.bytes : (amount.percent / 100) * volume.totalBytes
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}
