// One API: its number, its versions, and what is sent in both directions.

import { message } from './message.ts'
import type { Message, VersionRange, Versions } from './message.ts'
import type { Fields, InputOf, StructOf } from './type.ts'

export interface Api<Request, Response> {
  readonly key: number
  readonly name: string
  /** What Kafka calls valid: the latest may still be unstable. */
  readonly versions: VersionRange
  /** Infinity when no version is flexible. */
  readonly flexibleSince: number
  /** The latest version is neither advertised nor accepted by default. */
  readonly latestVersionUnstable: boolean
  readonly request: Message<Request>
  readonly response: Message<Response>
}

export type AnyApi = Api<object, object>

/** What a reader gets: every field, whatever the version. */
export type RequestOf<A> = A extends Api<infer Request, infer _Response> ? Request : never
export type ResponseOf<A> = A extends Api<infer _Request, infer Response> ? Response : never

/** What a writer takes: a field left out is written as its default. */
export type RequestInput<A> = InputOf<RequestOf<A>>
export type ResponseInput<A> = InputOf<ResponseOf<A>>

export function api<const Q extends Fields, const S extends Fields>({
  key,
  name,
  versions,
  flexibleSince,
  latestVersionUnstable = false,
  request,
  response,
}: Versions & {
  readonly key: number
  readonly name: string
  readonly latestVersionUnstable?: boolean
  readonly request: Q
  readonly response: S
}): Api<StructOf<Q>, StructOf<S>> {
  const range: Versions = flexibleSince === undefined ? { versions } : { versions, flexibleSince }
  return {
    key,
    name,
    versions,
    flexibleSince: flexibleSince ?? Infinity,
    latestVersionUnstable,
    request: message({ ...range, fields: request }),
    // A handler answers with one object for all versions; only a client must know what its request cannot carry.
    response: message({ ...range, fields: response, lenient: true }),
  }
}
