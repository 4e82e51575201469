// From a frame to the chunks of its reply: header, table, decode, handler, encode. Knows nothing of sockets or of order.

import { channel } from 'node:diagnostics_channel'
import type { Clock, Millis } from '../io/clock.ts'
import { apiVersions } from '../protocol/apis/api-versions.ts'
import { decodeRequest, decodeRequestHeader, encodeResponse, type RequestHead } from '../protocol/frame.ts'
import { type AnyApi, DecodeError } from '../protocol/schema/index.ts'
import type { ConnectionInfo, RequestContext } from './handler.ts'
import { unsupportedApiVersions } from './handlers/api-versions.ts'
import type { ApiTable } from './served-api.ts'
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
  /** 0 when the request gets no reply. */
  readonly responseBytes: number
  readonly durationMs: Millis
}

/** What is remembered of a request until its answer is there. */
interface Call {
  readonly api: AnyApi
  /** The version the answer is written in. */
  readonly answerVersion: number
  readonly head: RequestHead
  readonly connection: number
  readonly requestBytes: number
  /** Negative when nobody listened as the request came. */
  readonly startedAt: Millis
}

const answered = channel('odradek:request')
const noReply: Answer = []
/** A client id may have 32 KiB; a log line names it by its beginning. */
const CLIENT_ID_LOGGED_MAX = 100

export class RequestDispatcher {
  readonly #table: ApiTable
  readonly #Context: ContextClass
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
    const startedAt = answered.hasSubscribers ? this.#clock.monotonic() : -1
    const head = readHead(frame)
    const { apiKey, apiVersion, clientId } = head
    const served = this.#table.get(apiKey)
    if (served === undefined) throw new RequestRefused(`unknown API key ${apiKey} (${clientOf(head)})`)
    const { api, versions } = served
    const call: Call = {
      api,
      answerVersion: apiVersion,
      head,
      connection: connection.id,
      requestBytes: frame.length,
      startedAt,
    }
    if (apiVersion < versions[0] || apiVersion > versions[1]) {
      // KIP-511: an ApiVersions request of any version is answered, so that the client can choose again.
      if (api.key === apiVersions.key) {
        return this.#answer({ ...call, answerVersion: 0 }, unsupportedApiVersions(served))
      }
      throw new RequestRefused(`${api.name} version ${apiVersion} is not supported (${clientOf(head)})`)
    }
    const request = readBody(api, head, frame)
    const response = served.handler(new this.#Context(connection, apiVersion, clientId), request)
    if (response instanceof Promise) return response.then((settled: unknown) => this.#answer(call, settled))
    return this.#answer(call, response)
  }

  #answer(call: Call, response: unknown): Answer {
    const { api, answerVersion, head, startedAt } = call
    const chunks =
      response === null ? noReply : encodeResponse(api, answerVersion, head.correlationId, response as object)
    if (startedAt >= 0 && answered.hasSubscribers) {
      const message: RequestAnswered = {
        api: api.name,
        apiVersion: head.apiVersion,
        clientId: head.clientId,
        connection: call.connection,
        requestBytes: call.requestBytes,
        responseBytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
        durationMs: this.#clock.monotonic() - startedAt,
      }
      answered.publish(message)
    }
    return chunks
  }
}

function readHead(frame: Uint8Array): RequestHead {
  try {
    return decodeRequestHeader(frame)
  } catch (error) {
    throw refusalOf(error, 'request header')
  }
}

function readBody(api: AnyApi, head: RequestHead, frame: Uint8Array): object {
  try {
    return decodeRequest(api, head.apiVersion, frame, head.bodyOffset)
  } catch (error) {
    throw refusalOf(error, `${api.name} version ${head.apiVersion} (${clientOf(head)})`)
  }
}

function refusalOf(error: unknown, what: string): unknown {
  if (!(error instanceof DecodeError)) return error
  return new RequestRefused(`cannot read ${what}: ${error.message}`, { cause: error })
}

function clientOf({ clientId }: RequestHead): string {
  return clientId === null ? 'no client id' : `client id ${clientId.slice(0, CLIENT_ID_LOGGED_MAX)}`
}

type ContextClass = new (
  connection: ConnectionInfo,
  apiVersion: number,
  clientId: string | null,
) => RequestContext & Services

/** Services sit on the prototype, so that a context costs one small object per request. */
function contextClass(services: Services): ContextClass {
  class Context implements RequestContext {
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
  return Context as unknown as ContextClass
}
