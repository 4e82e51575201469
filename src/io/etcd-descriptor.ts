// etcd's messages by field number, as far as Odradek speaks of them: names are our own, numbers are etcd's fixed API
// (rpc.proto, kv.proto). Unknown fields are skipped by the decoder.

interface Field {
  readonly type: string
  readonly id: number
  readonly rule?: 'repeated'
}

function message(fields: Record<string, Field>, oneofs: Record<string, { oneof: readonly string[] }> = {}): object {
  return { oneofs, fields }
}

function field(id: number, type: string): Field {
  return { id, type }
}

function many(id: number, type: string): Field {
  return { id, type, rule: 'repeated' }
}

function service(methods: Record<string, readonly [request: string, response: string, 'stream'?]>): object {
  const entries = Object.entries(methods).map(([name, [requestType, responseType, kind]]) => {
    const stream = kind === 'stream'
    return [name, { requestType, responseType, requestStream: stream, responseStream: stream }] as const
  })
  return { methods: Object.fromEntries(entries) }
}

const messages = {
  ResponseHeader: message({
    clusterId: field(1, 'uint64'),
    memberId: field(2, 'uint64'),
    revision: field(3, 'int64'),
  }),
  KeyValue: message({
    key: field(1, 'bytes'),
    createRevision: field(2, 'int64'),
    modRevision: field(3, 'int64'),
    value: field(5, 'bytes'),
    lease: field(6, 'int64'),
  }),
  RangeRequest: message({
    key: field(1, 'bytes'),
    rangeEnd: field(2, 'bytes'),
    limit: field(3, 'int64'),
    revision: field(4, 'int64'),
  }),
  RangeResponse: message({
    header: field(1, 'ResponseHeader'),
    kvs: many(2, 'KeyValue'),
    more: field(3, 'bool'),
  }),
  PutRequest: message({ key: field(1, 'bytes'), value: field(2, 'bytes'), lease: field(3, 'int64') }),
  PutResponse: message({ header: field(1, 'ResponseHeader') }),
  DeleteRangeRequest: message({ key: field(1, 'bytes'), rangeEnd: field(2, 'bytes') }),
  DeleteRangeResponse: message({ header: field(1, 'ResponseHeader') }),
  RequestOp: message(
    {
      requestRange: field(1, 'RangeRequest'),
      requestPut: field(2, 'PutRequest'),
      requestDeleteRange: field(3, 'DeleteRangeRequest'),
      requestTxn: field(4, 'TxnRequest'),
    },
    { request: { oneof: ['requestRange', 'requestPut', 'requestDeleteRange', 'requestTxn'] } },
  ),
  ResponseOp: message(
    {
      responseRange: field(1, 'RangeResponse'),
      responsePut: field(2, 'PutResponse'),
      responseDeleteRange: field(3, 'DeleteRangeResponse'),
      responseTxn: field(4, 'TxnResponse'),
    },
    { response: { oneof: ['responseRange', 'responsePut', 'responseDeleteRange', 'responseTxn'] } },
  ),
  Compare: message(
    {
      result: field(1, 'int32'),
      target: field(2, 'int32'),
      key: field(3, 'bytes'),
      createRevision: field(5, 'int64'),
      modRevision: field(6, 'int64'),
    },
    { targetUnion: { oneof: ['createRevision', 'modRevision'] } },
  ),
  TxnRequest: message({
    compare: many(1, 'Compare'),
    success: many(2, 'RequestOp'),
    failure: many(3, 'RequestOp'),
  }),
  TxnResponse: message({
    header: field(1, 'ResponseHeader'),
    succeeded: field(2, 'bool'),
    responses: many(3, 'ResponseOp'),
  }),
  WatchRequest: message(
    {
      createRequest: field(1, 'WatchCreateRequest'),
      progressRequest: field(3, 'WatchProgressRequest'),
    },
    { requestUnion: { oneof: ['createRequest', 'progressRequest'] } },
  ),
  WatchCreateRequest: message({
    key: field(1, 'bytes'),
    rangeEnd: field(2, 'bytes'),
    startRevision: field(3, 'int64'),
    prevKv: field(6, 'bool'),
  }),
  WatchProgressRequest: message({}),
  WatchResponse: message({
    header: field(1, 'ResponseHeader'),
    created: field(3, 'bool'),
    canceled: field(4, 'bool'),
    compactRevision: field(5, 'int64'),
    cancelReason: field(6, 'string'),
    events: many(11, 'Event'),
  }),
  Event: message({ type: field(1, 'int32'), kv: field(2, 'KeyValue'), prevKv: field(3, 'KeyValue') }),
  LeaseGrantRequest: message({ ttl: field(1, 'int64'), id: field(2, 'int64') }),
  LeaseGrantResponse: message({ header: field(1, 'ResponseHeader'), id: field(2, 'int64'), ttl: field(3, 'int64') }),
  LeaseRevokeRequest: message({ id: field(1, 'int64') }),
  LeaseRevokeResponse: message({ header: field(1, 'ResponseHeader') }),
  LeaseKeepAliveRequest: message({ id: field(1, 'int64') }),
  LeaseKeepAliveResponse: message({
    header: field(1, 'ResponseHeader'),
    id: field(2, 'int64'),
    ttl: field(3, 'int64'),
  }),
  AuthenticateRequest: message({ name: field(1, 'string'), password: field(2, 'string') }),
  AuthenticateResponse: message({ header: field(1, 'ResponseHeader'), token: field(2, 'string') }),
}

const services = {
  KV: service({ Range: ['RangeRequest', 'RangeResponse'], Txn: ['TxnRequest', 'TxnResponse'] }),
  Watch: service({ Watch: ['WatchRequest', 'WatchResponse', 'stream'] }),
  Lease: service({
    LeaseGrant: ['LeaseGrantRequest', 'LeaseGrantResponse'],
    LeaseRevoke: ['LeaseRevokeRequest', 'LeaseRevokeResponse'],
    LeaseKeepAlive: ['LeaseKeepAliveRequest', 'LeaseKeepAliveResponse', 'stream'],
  }),
  Auth: service({ Authenticate: ['AuthenticateRequest', 'AuthenticateResponse'] }),
}

/** In protobufjs' JSON form. Enums are int32 here: the same on the wire. */
export const etcdDescriptor = { nested: { etcdserverpb: { nested: { ...messages, ...services } } } }
