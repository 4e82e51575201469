// etcd over gRPC (@grpc/grpc-js). One channel per member and nothing of gRPC's own cleverness: no retries, no balancing, no
// proxies, because what a failed call means is decided above. Loaded only where etcd is used: it costs some 20 MB.

import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  connectivityState,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js'
import { fromJSON, type PackageDefinition } from '@grpc/proto-loader'
import { isIP } from 'node:net'
import { checkServerIdentity } from 'node:tls'
import { invariant } from '../lib/invariant.ts'
import { etcdDescriptor } from './etcd-descriptor.ts'
import {
  type EtcdCallOptions,
  type EtcdDoor,
  EtcdError,
  type EtcdMember,
  type EtcdMethod,
  type EtcdRequest,
  type EtcdResponse,
  type EtcdWatchHandler,
  type EtcdWatchRequest,
  type EtcdWatchResponse,
  type EtcdWatchStream,
  status,
} from './etcd.ts'

/** PEM. What is absent is not used: without `ca` the system's own, without a certificate the client shows none. */
export interface EtcdTls {
  readonly ca?: Uint8Array
  readonly certificate?: Uint8Array
  readonly key?: Uint8Array
  /** The name in the members' certificates, when it is not the host of the endpoint. */
  readonly serverName?: string
}

interface Definition {
  readonly path: string
  readonly requestSerialize: (value: object) => Buffer
  readonly responseDeserialize: (bytes: Buffer) => object
}

// Revisions are exact as numbers, lease ids are not (63 bits).
const definitions: PackageDefinition = fromJSON(etcdDescriptor, { longs: String, defaults: true })

function definition(service: string, method: string): Definition {
  const found = definitions[`etcdserverpb.${service}`] as Record<string, Definition> | undefined
  invariant(found?.[method] !== undefined, `no method ${service}.${method} in the descriptor`)
  return found[method]
}

const methods: Readonly<Record<EtcdMethod, Definition>> = {
  range: definition('KV', 'Range'),
  txn: definition('KV', 'Txn'),
  leaseGrant: definition('Lease', 'LeaseGrant'),
  leaseKeepAlive: definition('Lease', 'LeaseKeepAlive'),
  leaseRevoke: definition('Lease', 'LeaseRevoke'),
  authenticate: definition('Auth', 'Authenticate'),
}

const watchMethod = definition('Watch', 'Watch')

const channelOptions = {
  // One member that is back after a restart is asked again soon.
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
  // etcd closes connections that ping more often than every 5 s; watches have a sign of life of their own (progress requests).
  'grpc.keepalive_time_ms': 6000,
  'grpc.keepalive_timeout_ms': 1500,
  'grpc.max_receive_message_length': 256 * 1024 * 1024,
  'grpc.max_send_message_length': -1,
  'grpc-node.flow_control_window': 4 * 1024 * 1024,
  'grpc.enable_retries': 0,
  'grpc.enable_http_proxy': 0,
  'grpc.service_config_disable_resolution': 1,
  'grpc.use_local_subchannel_pool': 1,
}

/** Endpoints are `host:port` (TLS when `tls` is given), `http://host:port` or `https://host:port`. */
export function realEtcd(tls?: EtcdTls): EtcdDoor {
  return {
    member(endpoint) {
      const { host, address, secure } = parseEndpoint(endpoint, tls !== undefined)
      return secure ? secureMember(endpoint, host, address, tls ?? {}) : new RealMember(endpoint, address)
    },
  }
}

function parseEndpoint(
  endpoint: string,
  secureByDefault: boolean,
): { readonly host: string; readonly address: string; readonly secure: boolean } {
  const match = /^(?:(https?):\/\/)?(\[[^\]]+\]|[^/:[\]]+)(:\d+)\/?$/.exec(endpoint)
  if (match === null) {
    throw new Error(`'${endpoint}' is no endpoint of etcd: host:port, http://host:port or https://host:port`)
  }
  const [, scheme, host = '', port = ''] = match
  const secure = scheme === undefined ? secureByDefault : scheme === 'https'
  return { host: host.replace(/^\[|\]$/g, ''), address: host + port, secure }
}

function secureMember(endpoint: string, host: string, address: string, tls: EtcdTls): RealMember {
  const name = tls.serverName ?? host
  const channelCredentials = credentials.createSsl(bufferOf(tls.ca), bufferOf(tls.key), bufferOf(tls.certificate), {
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
  })
  // TLS has no word for "the server at this address": members have one certificate, whatever name they are called by.
  const calledName = isIP(name) === 0 ? name : 'localhost'
  return new RealMember(endpoint, address, channelCredentials, { 'grpc.ssl_target_name_override': calledName })
}

function bufferOf(bytes: Uint8Array | undefined): Buffer | null {
  return bytes === undefined ? null : Buffer.from(bytes)
}

class RealMember implements EtcdMember {
  readonly endpoint: string
  readonly #client: Client

  constructor(
    endpoint: string,
    address: string,
    channelCredentials: ChannelCredentials = credentials.createInsecure(),
    options: ChannelOptions = {},
  ) {
    this.endpoint = endpoint
    this.#client = new Client(address, channelCredentials, { ...channelOptions, ...options })
  }

  async call<M extends EtcdMethod>(
    method: M,
    request: EtcdRequest<M>,
    options: EtcdCallOptions,
  ): Promise<EtcdResponse<M>> {
    await this.#connected(options.signal)
    return method === 'leaseKeepAlive' ? this.#first(method, request, options) : this.#unary(method, request, options)
  }

  watch({ token }: { readonly token: string | null }, handler: EtcdWatchHandler): EtcdWatchStream {
    const { path, requestSerialize, responseDeserialize } = watchMethod
    const stream = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadataWith(token))
    let over = false
    const end = (error: EtcdError): void => {
      if (over) return
      over = true
      handler.ended(error)
    }
    stream.on('data', (response: EtcdWatchResponse) => {
      if (!over) handler.response(response)
    })
    stream.on('error', (error: ServiceError) => end(faultOf(error, this.endpoint)))
    stream.on('end', () => end(new EtcdError(status.UNAVAILABLE, `${this.endpoint} ended the watch`, true)))
    return {
      send(request: EtcdWatchRequest) {
        if (!over) stream.write(request)
      },
      close() {
        over = true
        stream.cancel()
      },
    }
  }

  close(): void {
    this.#client.close()
  }

  /**
   * Waits while the connection is being made, so that a request which never left is known as such. With a connection that cannot
   * be made the call goes on, and fails with the reason.
   */
  async #connected(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const state = this.#client.getChannel().getConnectivityState(true)
      if (state !== connectivityState.IDLE && state !== connectivityState.CONNECTING) return
      await this.#stateAfter(state, signal)
    }
  }

  #stateAfter(state: connectivityState, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const give = (): void => {
        reject(new EtcdError(status.CANCELLED, `no connection to ${this.endpoint} yet`, false))
      }
      if (signal?.aborted) {
        give()
        return
      }
      signal?.addEventListener('abort', give, { once: true })
      // The deadline's timer keeps the process alive meanwhile; when it passes, the state is looked at again.
      this.#client.getChannel().watchConnectivityState(state, Date.now() + 10_000, () => {
        signal?.removeEventListener('abort', give)
        resolve()
      })
    })
  }

  #unary<M extends EtcdMethod>(method: M, request: EtcdRequest<M>, options: EtcdCallOptions): Promise<EtcdResponse<M>> {
    const { path, requestSerialize, responseDeserialize } = methods[method]
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadataWith(options.token),
        (error, response) => {
          options.signal?.removeEventListener('abort', cancel)
          if (error === null) resolve(response as EtcdResponse<M>)
          else reject(faultOf(error, this.endpoint))
        },
      )
      const cancel = (): void => call.cancel()
      cancelWith(options.signal, cancel)
    })
  }

  /** One request and its answer over a stream made for them. */
  #first<M extends EtcdMethod>(method: M, request: EtcdRequest<M>, options: EtcdCallOptions): Promise<EtcdResponse<M>> {
    const { path, requestSerialize, responseDeserialize } = methods[method]
    return new Promise((resolve, reject) => {
      const metadata = metadataWith(options.token)
      const stream = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata)
      const cancel = (): void => stream.cancel()
      stream.on('data', (response: object) => {
        options.signal?.removeEventListener('abort', cancel)
        resolve(response as EtcdResponse<M>)
        stream.end()
      })
      stream.on('error', (error: ServiceError) => {
        options.signal?.removeEventListener('abort', cancel)
        reject(faultOf(error, this.endpoint))
      })
      stream.on('end', () => reject(new EtcdError(status.UNAVAILABLE, `${this.endpoint} did not answer`, true)))
      cancelWith(options.signal, cancel)
      stream.write(request)
    })
  }
}

function cancelWith(signal: AbortSignal | undefined, cancel: () => void): void {
  if (signal?.aborted) cancel()
  else signal?.addEventListener('abort', cancel, { once: true })
}

function metadataWith(token: string | null): Metadata {
  const metadata = new Metadata()
  // Else a member that is cut off from the others keeps quiet about it.
  metadata.set('hasleader', 'true')
  if (token !== null) metadata.set('token', token)
  return metadata
}

function faultOf(error: ServiceError, endpoint: string): EtcdError {
  const sent = !error.details.startsWith('No connection established')
  const words = error.details.replace(/\. Resolution note: $/, '')
  return new EtcdError(error.code, `${endpoint}: ${words}`, sent, { cause: error })
}
