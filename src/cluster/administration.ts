// Who may change the cluster's metadata for an operator, and what the operator hears when it cannot be changed now. A broker whose lease
// does not hold decides nothing: what it knows of the cluster may be long over. Clients take NOT_CONTROLLER for "ask again, and
// perhaps another broker".

import { ErrorCode } from '../protocol/error-code.ts'
import { notPartOfTheCluster } from './fence.ts'
import { type MetaStore, StoreFull, StoreUnavailable, UnknownOutcome } from './meta-store.ts'
import { refuse, type TopicRefusal } from './topic-rules.ts'

/** Whether this broker is part of the cluster; `Membership` says. Ask at each use. */
export interface Standing {
  valid(): boolean
}

/** A write that was not tried, because the broker's lease did not hold any more. */
class LeaseNotHeld extends Error {
  override readonly name = 'LeaseNotHeld'
}

/** As `store`; but nothing is written while `membership` is not valid: the write rejects, and so does all that is made of it. */
export function writesOfMember(store: MetaStore, membership: Standing): MetaStore {
  const asMember = <T>(write: () => Promise<T>): Promise<T> =>
    membership.valid() ? write() : Promise.reject(new LeaseNotHeld('this broker is not part of the cluster'))
  return {
    get: (key) => store.get(key),
    list: (prefix) => store.list(prefix),
    transact: (guards, writes) => asMember(() => store.transact(guards, writes)),
    compareAndSwapMany: (fence, items) => asMember(() => store.compareAndSwapMany(fence, items)),
    watch: (prefix, from, handler) => store.watch(prefix, from, handler),
    lease: (ttlMs) => store.lease(ttlMs),
    close: () => store.close(),
  }
}

/**
 * What `work` comes to, which writes by `writesOfMember`; or why it could not be done now. Where its last answer was lost it may have been
 * done, or be done yet, as when Kafka's controller goes away in the middle.
 */
export async function administered<T>(membership: Standing, work: () => Promise<T>): Promise<T | TopicRefusal> {
  if (!membership.valid()) return notPartOfTheCluster()
  try {
    return await work()
  } catch (error) {
    if (error instanceof LeaseNotHeld) return notPartOfTheCluster()
    if (error instanceof StoreUnavailable || error instanceof UnknownOutcome) {
      return refuse(ErrorCode.NOT_CONTROLLER, 'The metadata of the cluster cannot be reached from this broker now.')
    }
    if (error instanceof StoreFull) {
      return refuse(ErrorCode.KAFKA_STORAGE_ERROR, 'The disk of the broker is full: try again when there is room.')
    }
    throw error
  }
}
