// A write whose answer was lost may have applied, or may still (UnknownOutcome). Nothing can be done but to read again; a guard makes
// sure that it applies to what it was decided on, or not at all.

import { UnknownOutcome } from './meta-store.ts'

/** What the write came to; null when nobody knows: read again before deciding anything. Rejects with every other fault. */
export async function knownOutcome<T>(write: Promise<T>): Promise<T | null> {
  try {
    return await write
  } catch (error) {
    if (error instanceof UnknownOutcome) return null
    throw error
  }
}
