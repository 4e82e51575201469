// What a failed call to etcd means: only etcd's own words prove that nothing was written. Everything else, a timeout above all, leaves
// it open: etcd may have the request still, and apply it long after newer ones.

import { type EtcdError, status } from '../../io/etcd.ts'

export type Verdict =
  /** Nothing was written; another member, or the same one later, may do it. */
  | 'elsewhere'
  /** Nothing was written; the token is no longer good. */
  | 'authenticate'
  /** Nothing was written, nor would be the next time. */
  | 'refused'
  /** May have been written, now or later. */
  | 'unknown'

/** Said before the request is proposed to the members. */
const beforeProposal = /etcdserver: (no leader|too many requests|not capable|rpc not supported for learner)/

const tokenIsOld = /invalid auth token|revision in header is old|revision of auth store is old|user name is empty/

/** Codes with which etcd refuses what it has looked at. */
const refusals: ReadonlySet<number> = new Set([
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.PERMISSION_DENIED,
  status.RESOURCE_EXHAUSTED,
  status.FAILED_PRECONDITION,
  status.OUT_OF_RANGE,
  status.UNAUTHENTICATED,
])

export function verdictOf(error: EtcdError): Verdict {
  if (!error.sent || beforeProposal.test(error.message)) return 'elsewhere'
  if (tokenIsOld.test(error.message)) return 'authenticate'
  // The same codes without etcd's name come from gRPC itself, which knows nothing.
  if (refusals.has(error.code) && error.message.includes('etcdserver: ')) return 'refused'
  return error.code === status.UNIMPLEMENTED ? 'refused' : 'unknown'
}

/** The revision that was asked for is no longer, or not yet, there. */
export function isCompacted(error: unknown): boolean {
  return error instanceof Error && error.message.includes('required revision has been compacted')
}

/** etcd has reached its quota (--quota-backend-bytes), and writes nothing until somebody makes room. */
export function isFull(error: EtcdError): boolean {
  return error.message.includes('database space exceeded')
}
