// What etcd keeps, in memory: keys with every version since the last compaction, events by revision, leases. Requests are checked
// and refused as etcd does. No time, no members, no faults: those are etcd.sim.ts.

import {
  compareTarget,
  type EtcdCompare,
  type EtcdDeleteRangeRequest,
  EtcdError,
  type EtcdHeader,
  type EtcdKeyValue,
  type EtcdPutRequest,
  type EtcdRangeRequest,
  type EtcdRangeResponse,
  type EtcdRequestOp,
  type EtcdResponseOp,
  type EtcdTxnRequest,
  type EtcdTxnResponse,
  eventType,
  status,
} from './etcd.ts'

const operationsMax = 128
const requestBytesMax = 1536 * 1024

/** Null value: deleted at that revision. */
interface Version {
  readonly revision: number
  readonly entry: EtcdKeyValue | null
}

export interface StateEvent {
  /** Bytes as latin1, so that strings sort as bytes do. */
  readonly key: string
  readonly type: number
  readonly kv: EtcdKeyValue
  readonly prevKv: EtcdKeyValue | null
}

interface LeaseState {
  readonly ttlSeconds: number
  readonly keys: Set<string>
}

export class EtcdState {
  clusterId: string
  revision = 1
  /** Older revisions are gone. */
  compactRevision = 0
  /** Nothing more is written. */
  full = false
  readonly #versions = new Map<string, Version[]>()
  #sortedKeys: string[] | null = null
  /** Ascending by revision. */
  #log: { readonly revision: number; readonly events: readonly StateEvent[] }[] = []
  readonly #leases = new Map<string, LeaseState>()

  constructor(clusterId: string) {
    this.clusterId = clusterId
  }

  header(memberId: string): EtcdHeader {
    return { clusterId: this.clusterId, memberId, revision: String(this.revision) }
  }

  range(request: EtcdRangeRequest, header: EtcdHeader | null): EtcdRangeResponse {
    const revision = Number(request.revision ?? 0)
    if (revision > this.revision) throw refused('OUT_OF_RANGE', 'mvcc: required revision is a future revision')
    if (revision > 0 && revision < this.compactRevision) {
      throw refused('OUT_OF_RANGE', 'mvcc: required revision has been compacted')
    }
    const limit = Number(request.limit ?? 0)
    const kvs: EtcdKeyValue[] = []
    let more = false
    for (const key of this.#keysIn(request.key, request.rangeEnd)) {
      const entry = this.#at(key, revision === 0 ? this.revision : revision)
      if (entry === null) continue
      if (limit > 0 && kvs.length === limit) {
        more = true
        break
      }
      kvs.push(entry)
    }
    return { header, kvs, more }
  }

  txn(request: EtcdTxnRequest, memberId: string): EtcdTxnResponse {
    checkOperations(request, operationsMax)
    checkKeys(request)
    if (bytesOf(request) > requestBytesMax) throw refused('INVALID_ARGUMENT', 'request is too large')
    if (this.full && writesOf([{ requestTxn: request }]).puts.length > 0) {
      throw refused('RESOURCE_EXHAUSTED', 'mvcc: database space exceeded')
    }
    const plan = this.#plan(request)
    this.#checkLeases(plan)
    const events: StateEvent[] = []
    const response = this.#run(plan, this.revision + 1, events)
    this.#commit(events)
    return { ...response, header: this.header(memberId) }
  }

  grant(id: string, ttlSeconds: number): number {
    const granted = Math.max(2, ttlSeconds)
    this.#leases.set(id, { ttlSeconds: granted, keys: new Set() })
    return granted
  }

  /** Seconds, or null when there is no such lease. */
  ttlOf(id: string): number | null {
    return this.#leases.get(id)?.ttlSeconds ?? null
  }

  get leaseIds(): readonly string[] {
    return [...this.#leases.keys()]
  }

  /** False when there is no such lease. */
  revoke(id: string): boolean {
    const lease = this.#leases.get(id)
    if (lease === undefined) return false
    this.#leases.delete(id)
    const events: StateEvent[] = []
    for (const key of [...lease.keys].sort()) this.#delete(key, this.revision + 1, events)
    this.#commit(events)
    return true
  }

  /** Whole revisions from `revision` on, or null when some of them are gone. */
  eventsFrom(revision: number): { readonly revision: number; readonly events: readonly StateEvent[] }[] | null {
    if (revision < this.compactRevision) return null
    let low = 0
    let high = this.#log.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#log[middle]!.revision < revision) low = middle + 1
      else high = middle
    }
    return this.#log.slice(low)
  }

  compact(revision: number): void {
    if (revision <= this.compactRevision || revision > this.revision) {
      throw refused('OUT_OF_RANGE', 'mvcc: required revision has been compacted')
    }
    this.compactRevision = revision
    // As etcd up to 3.4.35: of the compaction's own revision only what is still there is kept, its deletions are gone.
    this.#log = this.#log.flatMap((entry) => {
      if (entry.revision > revision) return [entry]
      if (entry.revision < revision) return []
      return [{ revision, events: entry.events.filter((event) => event.type === eventType.put) }]
    })
    for (const [key, versions] of this.#versions) {
      const current = versions.findLastIndex((version) => version.revision <= revision)
      const kept = versions.slice(Math.max(0, current))
      if (kept.length === 1 && kept[0]!.entry === null && kept[0]!.revision <= revision) {
        this.#versions.delete(key)
        this.#sortedKeys = null
      } else this.#versions.set(key, kept)
    }
  }

  /** Null when deleted there, never written, or no longer known. */
  #at(key: string, revision: number): EtcdKeyValue | null {
    const versions = this.#versions.get(key)
    for (let i = (versions?.length ?? 0) - 1; i >= 0; i--) {
      if (versions![i]!.revision <= revision) return versions![i]!.entry
    }
    return null
  }

  #now(key: string): EtcdKeyValue | null {
    return this.#versions.get(key)?.at(-1)?.entry ?? null
  }

  #keysIn(key: Uint8Array, rangeEnd: Uint8Array | undefined): readonly string[] {
    const from = latin1(key)
    if (rangeEnd === undefined || rangeEnd.length === 0) return [from]
    const end = latin1(rangeEnd)
    this.#sortedKeys ??= [...this.#versions.keys()].sort()
    const keys = this.#sortedKeys
    return keys.slice(firstNotBelow(keys, from), end === '\0' ? keys.length : firstNotBelow(keys, end))
  }

  /** Every compare, the nested ones too, sees the state before any write. */
  #plan(request: EtcdTxnRequest): Plan {
    const succeeded = request.compare.every((compare) => this.#holds(compare))
    const operations = (succeeded ? request.success : request.failure).map((operation) =>
      'requestTxn' in operation ? this.#plan(operation.requestTxn) : operation,
    )
    return { succeeded, operations }
  }

  #holds(compare: EtcdCompare): boolean {
    const entry = this.#now(latin1(compare.key))
    return compare.target === compareTarget.mod
      ? (entry?.modRevision ?? '0') === compare.modRevision
      : (entry?.createRevision ?? '0') === compare.createRevision
  }

  #checkLeases(plan: Plan): void {
    for (const operation of plan.operations) {
      if ('operations' in operation) this.#checkLeases(operation)
      else if ('requestPut' in operation) {
        const lease = operation.requestPut.lease ?? '0'
        if (lease !== '0' && !this.#leases.has(lease)) throw refused('NOT_FOUND', 'requested lease not found')
      }
    }
  }

  #run(plan: Plan, revision: number, events: StateEvent[]): EtcdTxnResponse {
    const responses = plan.operations.map((operation): EtcdResponseOp => {
      if ('operations' in operation) return { responseTxn: this.#run(operation, revision, events) }
      if ('requestRange' in operation) return { responseRange: this.#rangeInside(operation.requestRange, revision) }
      if ('requestPut' in operation) this.#put(operation.requestPut, revision, events)
      else if ('requestDeleteRange' in operation) this.#deleteRange(operation.requestDeleteRange, revision, events)
      return {}
    })
    return { header: null, succeeded: plan.succeeded, responses }
  }

  #rangeInside(request: EtcdRangeRequest, revision: number): EtcdRangeResponse {
    const found = this.#keysIn(request.key, request.rangeEnd).map((key) => this.#at(key, revision))
    return { header: null, kvs: found.filter((entry) => entry !== null), more: false }
  }

  #put({ key: bytes, value, lease = '0' }: EtcdPutRequest, revision: number, events: StateEvent[]): void {
    const key = latin1(bytes)
    const prevKv = this.#now(key)
    const kv: EtcdKeyValue = {
      key: Buffer.from(bytes),
      value: Buffer.from(value),
      createRevision: prevKv?.createRevision ?? String(revision),
      modRevision: String(revision),
      lease,
    }
    this.#bind(key, prevKv, lease)
    this.#add(key, { revision, entry: kv })
    events.push({ key, type: eventType.put, kv, prevKv })
  }

  #deleteRange({ key, rangeEnd }: EtcdDeleteRangeRequest, revision: number, events: StateEvent[]): void {
    for (const found of this.#keysIn(key, rangeEnd)) this.#delete(found, revision, events)
  }

  #delete(key: string, revision: number, events: StateEvent[]): void {
    const prevKv = this.#now(key)
    if (prevKv === null) return
    this.#bind(key, prevKv, '0')
    this.#add(key, { revision, entry: null })
    const none = { createRevision: '0', value: Buffer.alloc(0), lease: '0' }
    events.push({
      key,
      type: eventType.delete,
      kv: { ...none, key: prevKv.key, modRevision: String(revision) },
      prevKv,
    })
  }

  #bind(key: string, before: EtcdKeyValue | null, lease: string): void {
    if (before !== null) this.#leases.get(before.lease)?.keys.delete(key)
    this.#leases.get(lease)?.keys.add(key)
  }

  #add(key: string, version: Version): void {
    const versions = this.#versions.get(key)
    if (versions === undefined) {
      this.#versions.set(key, [version])
      this.#sortedKeys = null
    } else versions.push(version)
  }

  #commit(events: readonly StateEvent[]): void {
    if (events.length === 0) return
    this.revision += 1
    this.#log.push({ revision: this.revision, events })
  }
}

interface Plan {
  readonly succeeded: boolean
  readonly operations: readonly (Exclude<EtcdRequestOp, { readonly requestTxn: EtcdTxnRequest }> | Plan)[]
}

export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** A refusal in etcd's words. */
export function refused(code: keyof typeof status, message: string): EtcdError {
  return new EtcdError(status[code], `etcdserver: ${message}`, true)
}

function firstNotBelow(sorted: readonly string[], key: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < key) low = middle + 1
    else high = middle
  }
  return low
}

function checkOperations({ compare, success, failure }: EtcdTxnRequest, left: number): void {
  const longest = Math.max(compare.length, success.length, failure.length)
  if (longest > left) throw refused('INVALID_ARGUMENT', 'too many operations in txn request')
  for (const operation of [...success, ...failure]) {
    if ('requestTxn' in operation) checkOperations(operation.requestTxn, left - longest)
  }
}

/** No key may be put twice, nor put and deleted, on a path that may be taken. */
function checkKeys({ success, failure }: EtcdTxnRequest): void {
  for (const operations of [success, failure]) {
    const { puts, deletes } = writesOf(operations)
    const keys = new Set<string>()
    for (const key of puts) {
      if (key === '') throw refused('INVALID_ARGUMENT', 'key is not provided')
      const deleted = deletes.some(([from, end]) => key >= from && (end === '\0' || key < end))
      if (keys.has(key) || deleted) throw refused('INVALID_ARGUMENT', 'duplicate key given in txn request')
      keys.add(key)
    }
  }
}

function writesOf(operations: readonly EtcdRequestOp[]): { puts: string[]; deletes: [from: string, end: string][] } {
  const puts: string[] = []
  const deletes: [string, string][] = []
  for (const operation of operations) {
    if ('requestPut' in operation) puts.push(latin1(operation.requestPut.key))
    else if ('requestDeleteRange' in operation) {
      const { key, rangeEnd } = operation.requestDeleteRange
      deletes.push([latin1(key), rangeEnd === undefined ? `${latin1(key)}\0` : latin1(rangeEnd)])
    } else if ('requestTxn' in operation) {
      const inner = writesOf(operation.requestTxn.success)
      puts.push(...inner.puts)
      deletes.push(...inner.deletes)
    }
  }
  return { puts, deletes }
}

function bytesOf({ compare, success, failure }: EtcdTxnRequest): number {
  let bytes = 0
  for (const { key } of compare) bytes += key.length
  for (const operation of [...success, ...failure]) {
    if ('requestPut' in operation) bytes += operation.requestPut.key.length + operation.requestPut.value.length
    else if ('requestTxn' in operation) bytes += bytesOf(operation.requestTxn)
    else if ('requestRange' in operation) bytes += operation.requestRange.key.length
    else bytes += operation.requestDeleteRange.key.length
  }
  return bytes
}
