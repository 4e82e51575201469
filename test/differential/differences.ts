// Where two normalized answers differ, as paths.

import type { Json } from './normalize.ts'

export interface Difference {
  readonly step: string
  readonly version: number
  /** Such as `topics.0.partitions.0.errorCode`; empty for the whole answer. */
  readonly path: string
  /** Undefined where one side has nothing at all. */
  readonly kafka: Json | undefined
  readonly odradek: Json | undefined
}

type Place = Pick<Difference, 'step' | 'version'>

export function differencesOf(
  place: Place,
  kafka: Json | undefined,
  odradek: Json | undefined,
  path: string[] = [],
): Difference[] {
  if (isObject(kafka) && isObject(odradek) && Array.isArray(kafka) === Array.isArray(odradek)) {
    const names = Object.keys({ ...kafka, ...odradek })
    const sameLength = !Array.isArray(kafka) || kafka.length === (odradek as unknown as readonly Json[]).length
    if (sameLength) {
      return names.flatMap((name) => differencesOf(place, kafka[name], odradek[name], [...path, name]))
    }
  } else if (kafka === odradek) {
    return []
  }
  return [{ ...place, path: path.join('.'), kafka, odradek }]
}

function isObject(value: Json | undefined): value is { readonly [name: string]: Json } {
  return typeof value === 'object' && value !== null
}
