// A write whose answer was lost may have applied, or may still (UnknownOutcome). Nothing can be done but to read again; a guard makes
// sure that it applies to what it was decided on, or not at all.

import type { Clock, Millis } from '../io/clock.ts'
import { type MetaStore, type Revision, UnknownOutcome } from './meta-store.ts'

/** Between one attempt and the next, so that a store in trouble is not stormed. */
const pauseMs: Millis = 100

/** What the write came to; null when nobody knows: read again (`readAgain`) before deciding anything. Rejects with every other fault. */
export async function knownOutcome<T>(write: Promise<T>): Promise<T | null> {
  try {
    return await write
  } catch (error) {
    if (error instanceof UnknownOutcome) return null
    throw error
  }
}

/** A revision that shows the write if it has applied by now. Rejects with the store's faults. */
export async function readAgain(store: MetaStore, clock: Clock, key: string): Promise<Revision> {
  const { revision } = await store.get(key)
  await pause(clock, pauseMs)
  return revision
}

export function pause(clock: Clock, ms: Millis): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(ms, resolve)
  })
}
