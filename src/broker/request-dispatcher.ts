// From a frame to the chunks of its reply: header, table, decode, handler, encode. Knows nothing of sockets or of order.

import { channel } from 'node:diagnostics_channel'
import type { Clock } from '../io/clock.ts'
import { apiVersions } from '../protocol/apis/api-versions.ts'
import { decodeRequest, decodeRequestHeader, encodeResponse } from '../protocol/frame.ts'
import { DecodeError } from '../protocol/schema/errors.ts'
import { type ApiTable, unsupportedApiVersions } from './api-table.ts'
import type { ConnectionInfo, RequestContext } from './handler.ts'
import type { Services } from './services.ts'

/** Chunks of one reply, the size field first; empty when the request gets no reply. */
export type Answer = readonly Uint8Array[]

/** A request that cannot be answered: unknown API, unsupported version, bytes that do not parse. The connection is closed. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused'
}

/** One message per answered request, on the diagnostics channel `odradek:request`; made only while somebody listens. */
export interface RequestAnswered {
  readonly api: string
  readonly apiVersion: number
  readonly clientId: string | null
  readonly connection: number
  readonly requestBytes: number
  readonly responseBytes: number
  readonly durationMs: number
}

const answered = channel('odradek:request')
const NO_REPLY: Answer = []

export class RequestDispatcher {
  readonly #table: ApiTable
  readonly #Context: new (connection: ConnectionInfo, apiVersion: number, clientId: string | null) => RequestContext & Services
  readonly #clock: Clock

  constructor(table: ApiTable, services: Services) {
    this.#table = table
    this.#Context = contextClass(services)
    this.#clock = services.clock
  }

  /**
   * Starts the request in `frame` (without its size field). What the handler does before its first `await` is done when this returns.
   * Throws or rejects with `RequestRefused` or `CloseConnection` when the connection must end, with anything else for a bug.
   */
  dispatch(connection: ConnectionInfo, frame: Uint8Array): Answer | Promise<Answer> {
    const started = answered.hasSubscribers ? this.#clock.monotonic() : 0
    const header = refusing(() => decodeRequestHeader(frame), 'request header')
    const { apiKey, apiVersion, correlationId, clientId } = header
    const served = this.#table.get(apiKey)
    if (served === undefined) throw new RequestRefused(`unknown API key ${apiKey}`)
    const { api, versions } = served
    if (apiVersion < versions[0] || apiVersion > versions[1]) {
      // KIP-511: an ApiVersions request of any version is answered, so that the client can choose again.
      if (api.key === apiVersions.key) return encodeResponse(apiVersions, 0, correlationId, unsupportedApiVersions)
      throw new RequestRefused(`${api.name} version ${apiVersion} is not supported (client id ${clientId ?? 'none'})`)
    }
    const request = refusing(
      () => decodeRequest(api, apiVersion, frame, header.bodyOffset),
      `${api.name} version ${apiVersion} of client id ${clientId ?? 'none'}`,
    )
    const encode = (response: unknown): Answer => {
      const chunks = response === null ? NO_REPLY : encodeResponse(api, apiVersion, correlationId, response as object)
      if (answered.hasSubscribers) {
        const responseBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
        const durationMs = this.#clock.monotonic() - started
        const message: RequestAnswered = {
          api: api.name,
          apiVersion,
          clientId,
          connection: connection.id,
          requestBytes: frame.length,
          responseBytes,
          durationMs,
        }
        answered.publish(message)
      }
      return chunks
    }
    const response = served.handler(new this.#Context(connection, apiVersion, clientId), request)
    return response instanceof Promise ? response.then(encode) : encode(response)
  }
}

function refusing<T>(decode: () => T, what: string): T {
  try {
    return decode()
  } catch (error) {
    if (error instanceof DecodeError) throw new RequestRefused(`cannot read ${what}: ${error.message}`, { cause: error })
    throw error
  }
}

/** Services sit on the prototype, so that a context costs one small object per request. */
function contextClass(services: Services) {
  class Context {
    readonly connection: ConnectionInfo
    readonly apiVersion: number
    readonly clientId: string | null
    readonly principal = 'User:ANONYMOUS'

    constructor(connection: ConnectionInfo, apiVersion: number, clientId: string | null) {
      this.connection = connection
      this.apiVersion = apiVersion
      this.clientId = clientId
    }
  }
  Object.assign(Context.prototype, services)
  return Context as unknown as new (
    connection: ConnectionInfo,
    apiVersion: number,
    clientId: string | null,
  ) => RequestContext & Services
}
