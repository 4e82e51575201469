// Kafka's own definition of a message, and what it says a version looks like: the same data a codec gives as its shape,
// worked out from the JSON alone.

import { readdirSync, readFileSync } from 'node:fs'
import type { FieldShape, PrimitiveKind, Shape } from '../../src/protocol/schema/type.ts'

export interface DefinedField {
  name: string
  type: string
  versions?: string
  nullableVersions?: string
  taggedVersions?: string
  tag?: number
  default?: string | number | boolean | null
  ignorable?: boolean
  flexibleVersions?: string
  fields?: DefinedField[]
}

export interface Definition {
  apiKey?: number
  type: string
  name: string
  listeners?: string[]
  validVersions: string
  flexibleVersions?: string
  latestVersionUnstable?: boolean
  fields?: DefinedField[]
  commonStructs?: { name: string; fields: DefinedField[] }[]
}

type Range = readonly [first: number, last: number]

const none: Range = [0, -1]

/** `3+`, `1-4`, `2`, `none`. */
export function rangeOf(text: string | undefined): Range {
  if (text === undefined || text === 'none') return none
  const [first, last] = text.split('-')
  if (text.endsWith('+')) return [Number.parseInt(text, 10), Infinity]
  return [Number(first), Number(last ?? first)]
}

const includes = ([first, last]: Range, version: number): boolean => version >= first && version <= last

/** Every definition of a folder, by name. */
export function definitionsIn(folder: string): Map<string, Definition> {
  const directory = new URL(`../definitions/${folder}/`, import.meta.url)
  const definitions = readdirSync(directory)
    .filter((file) => file.endsWith('.json'))
    .map((file) => JSON.parse(readFileSync(new URL(file, directory), 'utf8')) as Definition)
  return new Map(definitions.map((definition) => [definition.name, definition]))
}

/** What the definition says of a version, as a codec's shape. Numbers are text, bytes are their length. */
export function definedShape(definition: Definition, version: number): Shape {
  const flexible = includes(rangeOf(definition.flexibleVersions), version)
  const valid = rangeOf(definition.validVersions)

  const structFields = (field: DefinedField): DefinedField[] => {
    const name = field.type.replace('[]', '')
    const fields = field.fields ?? definition.commonStructs?.find((common) => common.name === name)?.fields
    if (fields === undefined) throw new Error(`${definition.name}: no struct ${name}`)
    return fields
  }

  const ofStruct = (fields: readonly DefinedField[]): Shape => ({
    kind: 'struct',
    tagSection: flexible,
    fields: fields.filter(isEverThere).map(ofField),
  })

  /** A field in none of the valid versions is left out of our definitions. */
  const isEverThere = (field: DefinedField): boolean => {
    const [first, last] = rangeOf(field.versions ?? field.taggedVersions)
    return Math.max(first, valid[0]) <= Math.min(last, valid[1])
  }

  const ofField = (field: DefinedField): FieldShape => {
    const isThere = includes(rangeOf(field.versions ?? field.taggedVersions), version)
    return {
      name: field.name[0]!.toLowerCase() + field.name.slice(1),
      absent: absentOf(field),
      tag: isThere && includes(rangeOf(field.taggedVersions), version) ? field.tag : undefined,
      shape: isThere ? ofPresent(field) : { kind: 'lacking', ignorable: field.ignorable === true },
    }
  }

  const ofPresent = (field: DefinedField): Shape => {
    const shape = ofType(field, field.type)
    return includes(rangeOf(field.nullableVersions), version) ? { kind: 'nullable', of: shape } : shape
  }

  const ofType = (field: DefinedField, type: string): Shape => {
    const compact = flexible && field.flexibleVersions !== 'none'
    if (type.startsWith('[]')) return { kind: 'array', compact, of: ofType(field, type.slice(2)) }
    if (/^[A-Z]/.test(type)) return ofStruct(structFields(field))
    if (type === 'string' || type === 'bytes' || type === 'records') return { kind: type, compact }
    return { kind: type as PrimitiveKind }
  }

  const absentOf = (field: DefinedField): unknown => {
    const given = field.default ?? undefined
    if (given === 'null') return null
    if (field.type.startsWith('[]')) return []
    if (/^[A-Z]/.test(field.type)) {
      return Object.fromEntries(
        structFields(field)
          .filter(isEverThere)
          .map((inner) => {
            const { name, absent } = ofField(inner)
            return [name, absent]
          }),
      )
    }
    switch (field.type) {
      case 'string':
        return given ?? ''
      case 'bool':
        return given === true || given === 'true'
      case 'bytes':
        return 'bytes of length 0'
      // Where null cannot be written, empty stands for Kafka's default of null.
      case 'records':
        return rangeOf(field.nullableVersions)[1] >= valid[0] ? null : []
      case 'uuid':
        return 'AAAAAAAAAAAAAAAAAAAAAA'
      default:
        return String(BigInt(given ?? 0))
    }
  }

  return ofStruct(definition.fields ?? [])
}

/** A codec's shape in the terms of `definedShape`. */
export function comparable(shape: Shape): Shape {
  if (shape.kind === 'nullable') return { kind: 'nullable', of: comparable(shape.of) }
  if (shape.kind === 'array') return { ...shape, of: comparable(shape.of) }
  if (shape.kind === 'bigint64') return { kind: 'int64' }
  if (shape.kind !== 'struct') return shape
  return {
    ...shape,
    fields: shape.fields.map((field) => ({
      ...field,
      absent: comparableValue(field.absent),
      shape: comparable(field.shape),
    })),
  }
}

/** Defaults of all kinds, so that 64-bit numbers compare whether they are numbers or bigints. */
function comparableValue(value: unknown): unknown {
  if (value instanceof Uint8Array) return `bytes of length ${value.length}`
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, comparableValue(inner)]))
}
