// What a request handler is: a small function from context and request to response. The pipeline around it
// (connection.ts, request-dispatcher.ts) does decoding, order of replies, back pressure and metrics, once for all.

import type { AnyApi, RequestOf, ResponseOf } from '../protocol/schema/api.ts'
import type { AnswerSize } from './answer-size.ts'
import type { FetchTurns } from './fetch-turns.ts'
import type { Services } from './services.ts'

/** The connection a request came on, as far as a handler may know it. */
export interface ConnectionInfo {
  /** Unique in this process, for logs and for members that live as long as their socket. */
  readonly id: number
  readonly listener: string
  /** The address the client used to reach us: what Metadata advertises when nothing else is configured. */
  readonly localHost: string
  readonly localPort: number
  readonly remoteAddress: string
  readonly remotePort: number
  /** KIP-511: what the client called itself in ApiVersions, or `unknown`. */
  clientSoftwareName: string
  clientSoftwareVersion: string
  readonly fetchTurns: FetchTurns
  /** How much of what it asks for it is given at a time. */
  readonly answerSize: AnswerSize
  /** Aborts when the connection closes; every wait ends with it. */
  readonly signal: AbortSignal
}

export interface RequestContext {
  readonly connection: ConnectionInfo
  readonly apiVersion: number
  readonly clientId: string | null
  /** `User:ANONYMOUS` until the connection is authenticated. */
  readonly principal: string
}

/** Ends the connection instead of answering: acks=0 with an error, or a request that may not be answered. */
export class CloseConnection extends Error {
  override readonly name = 'CloseConnection'
}

/**
 * `Needs` names the services the handler may touch; a test passes just those.
 * `null` means no response is sent (acks=0). A thrown `CloseConnection` closes the connection; any other error is a bug or a
 * fault nobody owned: it is logged and closes the connection too.
 */
export type Handler<A extends AnyApi, Needs extends keyof Services = never> = (
  context: RequestContext & Pick<Services, Needs>,
  request: RequestOf<A>,
) => ResponseOf<A> | null | Promise<ResponseOf<A> | null>
