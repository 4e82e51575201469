// The door to etcd: its API version 3, call by call, one member at a time. Only the messages and fields that Odradek uses are named
// (field numbers in etcd-descriptor.ts). Who to ask, how long to wait and what a lost answer means is decided above.

/** 64 bits, in decimal: lease ids use 63 of them. */
export type Int64 = string

export interface EtcdHeader {
  readonly clusterId: Int64
  readonly memberId: Int64
  /** Of the key space, when the answer was made. */
  readonly revision: Int64
}

export interface EtcdKeyValue {
  readonly key: Uint8Array
  readonly createRevision: Int64
  readonly modRevision: Int64
  readonly value: Uint8Array
  /** '0': none. */
  readonly lease: Int64
}

export interface EtcdRangeRequest {
  readonly key: Uint8Array
  /** Exclusive. Without it: `key` alone; one zero byte: everything from `key` on. */
  readonly rangeEnd?: Uint8Array
  /** '0': all. */
  readonly limit?: Int64
  /** Of the past; '0': the newest, as all members agree on it. */
  readonly revision?: Int64
}

export interface EtcdRangeResponse {
  readonly header: EtcdHeader | null
  readonly kvs: readonly EtcdKeyValue[]
  /** `limit` left some out. */
  readonly more: boolean
}

export interface EtcdPutRequest {
  readonly key: Uint8Array
  readonly value: Uint8Array
  readonly lease?: Int64
}

export interface EtcdDeleteRangeRequest {
  readonly key: Uint8Array
  readonly rangeEnd?: Uint8Array
}

export const compareTarget = { create: 1, mod: 2 } as const

/** Holds when the key's revision equals the one given; an absent key has '0'. */
export type EtcdCompare =
  | { readonly target: typeof compareTarget.create; readonly key: Uint8Array; readonly createRevision: Int64 }
  | { readonly target: typeof compareTarget.mod; readonly key: Uint8Array; readonly modRevision: Int64 }

export type EtcdRequestOp =
  | { readonly requestRange: EtcdRangeRequest }
  | { readonly requestPut: EtcdPutRequest }
  | { readonly requestDeleteRange: EtcdDeleteRangeRequest }
  | { readonly requestTxn: EtcdTxnRequest }

export interface EtcdTxnRequest {
  readonly compare: readonly EtcdCompare[]
  /** When all compares hold. All compares, of transactions inside transactions too, see the state before any write. */
  readonly success: readonly EtcdRequestOp[]
  readonly failure: readonly EtcdRequestOp[]
}

/** The one that belongs to the request's operation. */
export interface EtcdResponseOp {
  readonly responseRange?: EtcdRangeResponse | null
  readonly responseTxn?: EtcdTxnResponse | null
}

export interface EtcdTxnResponse {
  /** Null inside a transaction. */
  readonly header: EtcdHeader | null
  readonly succeeded: boolean
  readonly responses: readonly EtcdResponseOp[]
}

/** Every call with one request and one answer. `leaseKeepAlive` is a stream in etcd; here one renewal is one call. */
export interface EtcdCalls {
  readonly range: { readonly request: EtcdRangeRequest; readonly response: EtcdRangeResponse }
  readonly txn: { readonly request: EtcdTxnRequest; readonly response: EtcdTxnResponse }
  readonly leaseGrant: {
    /** Seconds; etcd picks the id when it is '0'. */
    readonly request: { readonly ttl: Int64; readonly id: Int64 }
    readonly response: { readonly header: EtcdHeader | null; readonly id: Int64; readonly ttl: Int64 }
  }
  readonly leaseKeepAlive: {
    readonly request: { readonly id: Int64 }
    /** `ttl` '0': there is no such lease any more. */
    readonly response: { readonly header: EtcdHeader | null; readonly id: Int64; readonly ttl: Int64 }
  }
  readonly leaseRevoke: {
    readonly request: { readonly id: Int64 }
    readonly response: { readonly header: EtcdHeader | null }
  }
  readonly authenticate: {
    readonly request: { readonly name: string; readonly password: string }
    readonly response: { readonly header: EtcdHeader | null; readonly token: string }
  }
}

export type EtcdMethod = keyof EtcdCalls
export type EtcdRequest<M extends EtcdMethod> = EtcdCalls[M]['request']
export type EtcdResponse<M extends EtcdMethod> = EtcdCalls[M]['response']

export type EtcdWatchRequest =
  | {
      readonly createRequest: {
        readonly key: Uint8Array
        readonly rangeEnd: Uint8Array
        /** Inclusive. */
        readonly startRevision: Int64
        /** Tells of each event what was there before. */
        readonly prevKv: boolean
      }
    }
  /** Answered at once, with an empty response: a sign of life, nothing more before etcd 3.4.25 and 3.5.8. */
  | { readonly progressRequest: Record<string, never> }

export const eventType = { put: 0, delete: 1 } as const

export interface EtcdWatchResponse {
  readonly header: EtcdHeader | null
  readonly created: boolean
  readonly canceled: boolean
  /** Above 0 when canceled because the start is older than this. */
  readonly compactRevision: Int64
  readonly cancelReason: string
  /** Whole revisions, in order. */
  readonly events: readonly {
    readonly type: number
    readonly kv: EtcdKeyValue | null
    readonly prevKv: EtcdKeyValue | null
  }[]
}

/** gRPC's status codes, as far as they are told apart. */
export const status = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16,
} as const

/** A call that failed, at etcd or on the way there. */
export class EtcdError extends Error {
  override readonly name = 'EtcdError'
  readonly code: number
  /** Whether the request may have left this process. */
  readonly sent: boolean

  constructor(code: number, message: string, sent: boolean, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
    this.sent = sent
  }
}

export interface EtcdCallOptions {
  /** From `authenticate`; null where nobody needs to. */
  readonly token: string | null
  /** Gives the call up: it rejects with CANCELLED, and may apply all the same. */
  readonly signal?: AbortSignal
}

export interface EtcdWatchHandler {
  response(response: EtcdWatchResponse): void
  /** Exactly once, unless it was closed here. */
  ended(error: EtcdError): void
}

export interface EtcdWatchStream {
  send(request: EtcdWatchRequest): void
  /** The handler hears nothing more. */
  close(): void
}

/** One member of the cluster. Calls and watches are refused when it has no leader. */
export interface EtcdMember {
  readonly endpoint: string
  /** Rejects with an `EtcdError`. Connects when needed; a member that refuses the connection is UNAVAILABLE, not sent. */
  call<M extends EtcdMethod>(method: M, request: EtcdRequest<M>, options: EtcdCallOptions): Promise<EtcdResponse<M>>
  watch(options: { readonly token: string | null }, handler: EtcdWatchHandler): EtcdWatchStream
  /** Ends its connection, and with it what is under way. */
  close(): void
}

export interface EtcdDoor {
  /** No I/O yet. Throws when the endpoint cannot be understood. */
  member(endpoint: string): EtcdMember
}
