// A guarded write whose answer was lost is made again until its outcome is known.

import { invariant } from '../lib/invariant.ts'
import {
  type Guard,
  type MetaEntry,
  type MetaStore,
  type MetaWrite,
  type TransactionResult,
  UnknownOutcome,
} from './meta-store.ts'

/**
 * As `transact`, but an answer that was lost is looked for: the same transaction again either finds its guard broken, or is the one
 * that applies. `isOurs` tells, from the state of the first guard's key, whether this very call wrote it: the value must
 * name its writer, for others may write the same bytes. A result that is not ok then means: what is there is not ours, which
 * was never applied, or has been changed by somebody since; either way decide anew from what is there.
 *
 * The first guard must be on the `modRevision` of a key that is written, so that at most one of the attempts can apply. Where
 * it is 0 that holds until somebody deletes the key again: then an attempt that is still under way may bring it back,
 * unless another guard (a broker's epoch) no longer lets it.
 *
 * Rejects with `UnknownOutcome` when an answer was lost and the store cannot be asked any more.
 */
export async function transactUntilKnown(
  store: MetaStore,
  guards: readonly [Guard, ...Guard[]],
  writes: readonly MetaWrite[],
  isOurs: (entry: MetaEntry | null) => boolean,
): Promise<TransactionResult> {
  const [{ key }] = guards
  invariant('modRevision' in guards[0], 'the first guard must break when the transaction applies')
  invariant(
    writes.some((write) => (write.kind === 'deletePrefix' ? key.startsWith(write.prefix) : write.key === key)),
    'the key of the first guard must be written',
  )
  let lost: UnknownOutcome | null = null
  for (;;) {
    try {
      const result = await store.transact(guards, writes)
      if (result.ok || lost === null) return result
      const current = result.current[0] ?? null
      return isOurs(current) ? { ok: true, revision: current?.modRevision ?? result.revision } : result
    } catch (error) {
      if (error instanceof UnknownOutcome) lost = error
      else if (lost === null) throw error
      else throw new UnknownOutcome(lost.message, { cause: error })
    }
  }
}
