// A struct that is sent or stored by itself, with the versions it has.

import { invariant } from '../../lib/invariant.ts'
import { struct } from './struct.ts'
import type { Codec, Fields, StructOf } from './type.ts'

export type VersionRange = readonly [oldest: number, latest: number]

export interface Versions {
  readonly versions: VersionRange
  /** The first flexible version; left out when there is none. */
  readonly flexibleSince?: number
}

export interface Message<T> {
  readonly versions: VersionRange
  /** Infinity when no version is flexible. */
  readonly flexibleSince: number
  /** What an empty input stands for. */
  readonly absent: T
  has(version: number): boolean
  /** Compiled when first asked for. `version` must be one of `versions`. */
  at(version: number): Codec<T>
}

export function message<const F extends Fields>({
  versions,
  flexibleSince = Infinity,
  fields,
  lenient = false,
}: Versions & {
  readonly fields: F
  /** Fields that a version lacks are left out when written, and not refused. */
  readonly lenient?: boolean
}): Message<StructOf<F>> {
  const type = struct(fields)
  const codecs: (Codec<StructOf<F>> | undefined)[] = []
  const has = (version: number) => Number.isInteger(version) && version >= versions[0] && version <= versions[1]
  return {
    versions,
    flexibleSince,
    absent: type.absent,
    has,
    at: (version) => {
      const codec = codecs[version]
      if (codec !== undefined) return codec
      invariant(has(version), `version ${version} is outside ${versions.join('-')}`)
      return (codecs[version] = type.at({ version, flexible: version >= flexibleSince, lenient }))
    },
  }
}
