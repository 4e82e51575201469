// A row of the table of served APIs, and what can be said of a table whatever its rows.

import type { apiVersions } from '../protocol/apis/api-versions.ts'
import type { AnyApi, ResponseOf } from '../protocol/schema/index.ts'
import type { Handler, RequestContext } from './handler.ts'
import type { Services } from './services.ts'

export interface ServedApi {
  readonly api: AnyApi
  /** Served versions, both ends included: all that are stable. */
  readonly versions: readonly [min: number, max: number]
  /**
   * Lowest version that ApiVersions names; below the lowest served one only where a client's feature test needs it. Null: it does not
   * name the API, which is none of Kafka's.
   */
  readonly advertisedMin: number | null
  /** Takes the decoded request; answers the response, `null` for none, or a promise of either. */
  readonly handler: (context: RequestContext & Services, request: unknown) => unknown
}

/** By API key. */
export type ApiTable = ReadonlyMap<number, ServedApi>

export type AdvertisedVersions = ResponseOf<typeof apiVersions>['apiKeys']

/** One row. The handler's own type says which services it touches. */
export function serve<A extends AnyApi, Needs extends keyof Services>(
  api: A,
  handler: Handler<A, Needs>,
  options: { readonly advertisedMin?: number | null } = {},
): ServedApi {
  const [min, max] = api.versions
  return {
    api,
    versions: [min, api.latestVersionUnstable ? max - 1 : max],
    advertisedMin: options.advertisedMin === undefined ? min : options.advertisedMin,
    handler: handler as unknown as ServedApi['handler'],
  }
}

export function tableOf(rows: readonly ServedApi[]): ApiTable {
  return new Map(rows.map((row) => [row.api.key, row]))
}

/** What ApiVersions says of `rows`. */
export function advertised(rows: readonly ServedApi[]): AdvertisedVersions {
  return rows.flatMap(({ api, advertisedMin, versions }) =>
    advertisedMin === null ? [] : [{ apiKey: api.key, minVersion: advertisedMin, maxVersion: versions[1] }],
  )
}
