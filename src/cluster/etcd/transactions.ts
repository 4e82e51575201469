// Guarded writes as etcd's transactions, and etcd's answers as results. Many independent writes share one request: transactions inside
// a transaction, each of which may fail alone. etcd bounds the lists at each level (128 by default, the outer ones counted in) and the
// request's bytes (1.5 MiB by default).

import {
  compareTarget,
  type EtcdCompare,
  type EtcdKeyValue,
  type EtcdRangeResponse,
  type EtcdRequestOp,
  type EtcdResponseOp,
  type EtcdTxnRequest,
  type EtcdTxnResponse,
} from '../../io/etcd.ts'
import { invariant } from '../../lib/invariant.ts'
import type { CasItem, Guard, MetaEntry, MetaWrite, Revision, TransactionResult } from '../meta-store.ts'
import type { KeySpace } from './key-space.ts'

/** etcd's --max-txn-ops, as it comes: the length of a list together with those of the lists around it. */
const operationsMax = 128

/** Of a list that stays one list, with room for those around it. */
const flatMax = 120

/** Of a list of lists, and of each list in it. */
const nestedMax = 60

/** Of keys and values in one request of many items, well below etcd's --max-request-bytes. */
const batchBytesMax = 1024 * 1024

/** Prepared in one turn of the event loop. */
const roundItemsMax = 2000

/** Per guard, write and item, for what surrounds keys and values. */
const overheadBytes = 48

/** All writes or none: 3600 at most. */
export function transaction(keys: KeySpace, guards: readonly Guard[], writes: readonly MetaWrite[]): EtcdTxnRequest {
  return {
    compare: guards.map((guard) => compareOf(keys, guard)),
    success: nested(writes.map((write) => operationOf(keys, write))),
    failure: guards.map((guard) => ({ requestRange: { key: keys.encode(guard.key) } })),
  }
}

/** Too many operations for one list: a list of lists, still one transaction. */
function nested(operations: readonly EtcdRequestOp[]): readonly EtcdRequestOp[] {
  if (operations.length <= flatMax) return operations
  invariant(operations.length <= nestedMax ** 2, `${operations.length} writes are too many for one transaction`)
  const lists: EtcdRequestOp[] = []
  for (let at = 0; at < operations.length; at += nestedMax) {
    lists.push({ requestTxn: { compare: [], success: operations.slice(at, at + nestedMax), failure: [] } })
  }
  return lists
}

/** What a transaction takes of `operationsMax`: its longest list, and that of the lists in it. */
function lengthOf({ guards, writes }: CasItem): number {
  if (writes.length <= flatMax) return Math.max(guards.length, writes.length)
  return Math.max(guards.length, Math.ceil(writes.length / nestedMax)) + nestedMax
}

export function resultOf(
  keys: KeySpace,
  guards: readonly Guard[],
  response: EtcdTxnResponse,
  revision: Revision,
): TransactionResult {
  if (response.succeeded) return { ok: true, revision }
  invariant(response.responses.length === guards.length, 'etcd answered another transaction')
  return { ok: false, revision, current: response.responses.map((answer) => currentOf(keys, answer)) }
}

function currentOf(keys: KeySpace, { responseRange }: EtcdResponseOp): MetaEntry | null {
  invariant(responseRange != null, 'etcd answered a read with something else')
  return firstEntry(keys, responseRange)
}

export function firstEntry(keys: KeySpace, { kvs }: EtcdRangeResponse): MetaEntry | null {
  return kvs[0] === undefined ? null : entryOf(keys, kvs[0])
}

export function entryOf(keys: KeySpace, { key, value, createRevision, modRevision }: EtcdKeyValue): MetaEntry {
  return {
    key: keys.decode(key),
    value,
    createRevision: Number(createRevision),
    modRevision: Number(modRevision),
  }
}

/** Behind the fence, each item alone. */
export function batchTransaction(keys: KeySpace, fence: readonly Guard[], items: readonly CasItem[]): EtcdTxnRequest {
  return {
    compare: fence.map((guard) => compareOf(keys, guard)),
    success: items.map((item) => ({ requestTxn: transaction(keys, item.guards, item.writes) })),
    failure: [],
  }
}

export function batchResult(
  keys: KeySpace,
  items: readonly CasItem[],
  response: EtcdTxnResponse,
  revision: Revision,
): readonly TransactionResult[] | 'fenced' {
  if (!response.succeeded) return 'fenced'
  invariant(response.responses.length === items.length, 'etcd answered another transaction')
  return items.map((item, i) => {
    const { responseTxn } = response.responses[i]!
    invariant(responseTxn != null, 'etcd answered a transaction with something else')
    return resultOf(keys, item.guards, responseTxn, revision)
  })
}

/**
 * The items in rounds, and each round in batches. The batches of a round may run at the same time; an item that touches what an
 * earlier one writes, or writes what an earlier one looks at, begins the next round: the rounds run one after the other.
 */
export function* batchesOf(fence: readonly Guard[], items: readonly CasItem[]): Generator<readonly CasItem[][]> {
  let round = new Round(fence.length)
  for (const item of items) {
    if (round.length === roundItemsMax || round.conflictsWith(item)) {
      yield round.batches
      round = new Round(fence.length)
    }
    round.add(item)
  }
  yield round.batches
}

class Round {
  readonly batches: CasItem[][] = []
  length = 0
  readonly #fenceLength: number
  readonly #guarded = new Set<string>()
  readonly #written = new Set<string>()
  readonly #deletedPrefixes: string[] = []
  #bytes = 0
  /** `lengthOf` the longest item of the last batch. */
  #longest = 0

  constructor(fenceLength: number) {
    this.#fenceLength = fenceLength
  }

  conflictsWith({ guards, writes }: CasItem): boolean {
    if (guards.some(({ key }) => this.#isWritten(key))) return true
    return writes.some((write) => {
      if (write.kind !== 'deletePrefix') return this.#isWritten(write.key) || this.#guarded.has(write.key)
      return [...this.#written, ...this.#guarded, ...this.#deletedPrefixes].some(
        (key) => key.startsWith(write.prefix) || write.prefix.startsWith(key),
      )
    })
  }

  add(item: CasItem): void {
    this.length++
    const longest = Math.max(this.#longest, lengthOf(item))
    const bytes = this.#bytes + bytesOf(item)
    const last = this.batches.at(-1)
    const outer = Math.max((last?.length ?? 0) + 1, this.#fenceLength)
    if (last !== undefined && outer + longest <= operationsMax && bytes <= batchBytesMax) {
      last.push(item)
      this.#bytes = bytes
      this.#longest = longest
    } else {
      this.batches.push([item])
      this.#bytes = bytesOf(item)
      this.#longest = lengthOf(item)
    }
    for (const { key } of item.guards) this.#guarded.add(key)
    for (const write of item.writes) {
      if (write.kind === 'deletePrefix') this.#deletedPrefixes.push(write.prefix)
      else this.#written.add(write.key)
    }
  }

  #isWritten(key: string): boolean {
    return this.#written.has(key) || this.#deletedPrefixes.some((prefix) => key.startsWith(prefix))
  }
}

/** An estimate from above for keys of ASCII. The guarded keys come twice: to be compared, and to be read when that fails. */
function bytesOf({ guards, writes }: CasItem): number {
  let bytes = overheadBytes
  for (const { key } of guards) bytes += 2 * (key.length + overheadBytes)
  for (const write of writes) {
    if (write.kind === 'put') bytes += write.key.length + write.value.length + overheadBytes
    else bytes += 2 * ((write.kind === 'delete' ? write.key : write.prefix).length + overheadBytes)
  }
  return bytes
}

function compareOf(keys: KeySpace, guard: Guard): EtcdCompare {
  const key = keys.encode(guard.key)
  return 'modRevision' in guard
    ? { target: compareTarget.mod, key, modRevision: String(guard.modRevision) }
    : { target: compareTarget.create, key, createRevision: String(guard.createRevision) }
}

function operationOf(keys: KeySpace, write: MetaWrite): EtcdRequestOp {
  switch (write.kind) {
    case 'put': {
      const { value, lease } = write
      return { requestPut: { key: keys.encode(write.key), value, ...(lease === undefined ? {} : { lease: lease.id }) } }
    }
    case 'delete':
      return { requestDeleteRange: { key: keys.encode(write.key) } }
    case 'deletePrefix':
      return { requestDeleteRange: keys.range(write.prefix) }
  }
}
