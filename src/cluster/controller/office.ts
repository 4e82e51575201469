// The controller's office: one key, bound to the lease of the broker that holds it. Its create revision is the controller's epoch, and
// every write of the controller is guarded by it: one that has been replaced and does not know yet writes nothing.

import { decodeDocument, encodeDocument } from '../documents.ts'
import { controllerKey, liveKey } from '../keys.ts'
import { knownOutcome } from '../known-outcome.ts'
import type { Guard, Lease, MetaStore, Revision } from '../meta-store.ts'

export interface Candidate {
  readonly brokerId: number
  /** The broker epoch. */
  readonly epoch: Revision
  readonly lease: Lease
}

/**
 * The controller's epoch when the office is the candidate's now, `taken` when it is somebody's, the candidate's own earlier life included,
 * and null when that is not known. Rejects with the store's faults.
 */
export async function takeOffice(
  store: MetaStore,
  { brokerId, epoch, lease }: Candidate,
): Promise<Revision | 'taken' | null> {
  const value = encodeDocument({ brokerId, brokerEpoch: epoch })
  const result = await knownOutcome(
    store.transact(
      [
        { key: controllerKey, modRevision: 0 },
        { key: liveKey(brokerId), createRevision: epoch },
      ],
      [{ kind: 'put', key: controllerKey, value, lease }],
    ),
  )
  if (result?.ok === true) return result.revision
  const { entry } = await store.get(controllerKey)
  if (entry === null) return null
  const holder = decodeDocument('controller', entry.value)
  return holder.brokerId === brokerId && holder.brokerEpoch === epoch ? entry.createRevision : 'taken'
}

export function officeGuard(controllerEpoch: Revision): Guard {
  return { key: controllerKey, createRevision: controllerEpoch }
}
