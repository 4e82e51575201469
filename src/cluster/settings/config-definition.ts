// One setting: its name, type, default and bounds, as Kafka's ConfigDef has them. Values are kept as the text that was given;
// a definition turns text into a typed value, or says what is wrong with it in Kafka's words.

/** Kafka's names for the types, in lower case. */
export type ConfigType = 'boolean' | 'string' | 'int' | 'short' | 'long' | 'double' | 'list' | 'class' | 'password'

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string }

export interface ConfigDefinition<T = unknown> {
  readonly name: string
  readonly type: ConfigType
  /** As text; null when Kafka's default is null. */
  readonly defaultText: string | null
  readonly documentation: string
  /** Whether this broker acts on it. What is not honoured is accepted, checked and stored, as Kafka's tools expect. */
  readonly honoured: boolean
  parse(text: string): Parsed<T>
}

interface Common {
  readonly documentation?: string
  /** False: known to Kafka, without effect here. */
  readonly honoured?: boolean
}

export interface NumberBounds extends Common {
  readonly atLeast?: number
  readonly atMost?: number
  /** A hole in the range. */
  readonly except?: number
}

const int32 = { lowest: -(2n ** 31n), highest: 2n ** 31n - 1n }
const integerRanges = {
  short: { lowest: -(2n ** 15n), highest: 2n ** 15n - 1n },
  int: int32,
  long: { lowest: -(2n ** 63n), highest: 2n ** 63n - 1n },
}

/** A whole number. A `long` beyond 2^53 is read as 2^53 - 1 (or its negative): far beyond any time or size, and exact. */
function integer(
  type: 'short' | 'int' | 'long',
  name: string,
  defaultText: string | null,
  bounds: NumberBounds,
): ConfigDefinition<number> {
  const range = integerRanges[type]
  return {
    ...common(name, type, defaultText, bounds),
    parse(text) {
      const trimmed = text.trim()
      const exact = /^[+-]?\d+$/.test(trimmed) ? BigInt(trimmed.replace('+', '')) : null
      if (exact === null || exact < range.lowest || exact > range.highest) {
        return refuse(name, text, `Not a number of type ${type.toUpperCase()}`)
      }
      const value = Number(clamp(exact, -BigInt(Number.MAX_SAFE_INTEGER), BigInt(Number.MAX_SAFE_INTEGER)))
      return inBounds(name, value, bounds)
    },
  }
}

export function int(name: string, defaultValue: number, bounds: NumberBounds = {}): ConfigDefinition<number> {
  return integer('int', name, String(defaultValue), bounds)
}

export function short(name: string, defaultValue: number, bounds: NumberBounds = {}): ConfigDefinition<number> {
  return integer('short', name, String(defaultValue), bounds)
}

/** Kafka's largest long, the usual word for "no limit". */
export const noLimit = '9223372036854775807'

export function long(name: string, defaultValue: number | string, bounds: NumberBounds = {}): ConfigDefinition<number> {
  return integer('long', name, String(defaultValue), bounds)
}

export function double(name: string, defaultValue: number, bounds: NumberBounds = {}): ConfigDefinition<number> {
  return {
    ...common(name, 'double', String(defaultValue), bounds),
    parse(text) {
      const value = text.trim() === '' ? Number.NaN : Number(text)
      if (Number.isNaN(value)) return refuse(name, text, 'Not a number of type DOUBLE')
      return inBounds(name, value, bounds)
    },
  }
}

/** An amount of disk: bytes, or a part of the volume. */
export type DiskAmount = { readonly bytes: number } | { readonly percent: number }

const byteUnits: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ...['k', 'm', 'g', 't'].flatMap((letter, i): [string, number][] => [
    [`${letter}b`, 1000 ** (i + 1)],
    [`${letter}ib`, 1024 ** (i + 1)],
  ]),
])

/** `10737418240`, `10GiB`, `10GB` or `80%`. Kafka has no such type: it is shown as a string. */
export function diskAmount(name: string, options: Common = {}): ConfigDefinition<DiskAmount> {
  return {
    ...common(name, 'string', null, options),
    parse(text) {
      const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([a-z%]*)$/i.exec(text.trim()) ?? []
      const value = Number(number)
      if (unit === '%' && value > 0 && value <= 100) return { ok: true, value: { percent: value } }
      const factor = byteUnits.get(unit?.toLowerCase() ?? '?')
      const bytes = factor === undefined ? 0 : Math.floor(value * factor)
      if (bytes > 0 && Number.isSafeInteger(bytes)) return { ok: true, value: { bytes } }
      return refuse(name, text, 'Must be bytes, as 10737418240 or 10GiB, or a part of the volume, as 80%')
    },
  }
}

export function boolean(name: string, defaultValue: boolean, options: Common = {}): ConfigDefinition<boolean> {
  return {
    ...common(name, 'boolean', String(defaultValue), options),
    parse(text) {
      const word = text.trim().toLowerCase()
      if (word === 'true' || word === 'false') return { ok: true, value: word === 'true' }
      return refuse(name, text, 'Expected value to be either true or false')
    },
  }
}

export function string(name: string, defaultValue: string, options: Common = {}): ConfigDefinition<string> {
  return { ...common(name, 'string', defaultValue, options), parse: (text) => ({ ok: true, value: text.trim() }) }
}

export function oneOf<const Word extends string>(
  name: string,
  defaultValue: Word,
  words: readonly Word[],
  options: Common = {},
): ConfigDefinition<Word> {
  return {
    ...common(name, 'string', defaultValue, options),
    parse(text) {
      const found = words.find((word) => word === text.trim())
      if (found !== undefined) return { ok: true, value: found }
      return refuse(name, text, `String must be one of: ${words.join(', ')}`)
    },
  }
}

export interface ListOptions extends Common {
  /** What an item may be; anything when absent. */
  readonly items?: readonly string[]
  readonly mayBeEmpty?: boolean
  /** What becomes of items that come again. Default: the list is refused. */
  readonly duplicates?: 'refused' | 'dropped' | 'kept'
  /** A problem with one item, or null. */
  readonly check?: (item: string) => string | null
}

/** Items divided by commas, spaces around them ignored. */
export function list(
  name: string,
  defaultText: string,
  options: ListOptions = {},
): ConfigDefinition<readonly string[]> {
  return {
    ...common(name, 'list', defaultText, options),
    parse(text) {
      const items = text.trim() === '' ? [] : text.split(',').map((item) => item.trim())
      if (items.length === 0 && options.mayBeEmpty !== true) {
        return refuse(name, text, 'the list must not be empty')
      }
      const distinct = new Set(items)
      const { duplicates = 'refused' } = options
      if (distinct.size < items.length && duplicates === 'refused') {
        return refuse(name, text, 'the list must not hold duplicates')
      }
      for (const item of distinct) {
        if (options.items !== undefined && !options.items.includes(item)) {
          return refuse(name, text, `each item must be one of: ${options.items.join(', ')}`)
        }
        const problem = options.check?.(item) ?? null
        if (problem !== null) return refuse(name, text, problem)
      }
      return { ok: true, value: duplicates === 'dropped' ? [...distinct] : items }
    },
  }
}

/** The same setting without a default: its value is null until it is set. */
export function optional<T>(definition: ConfigDefinition<T>): ConfigDefinition<T | null> {
  return { ...definition, defaultText: null }
}

/** The typed value of a definition: of `text`, or of its default. A text that was never checked may throw. */
export function valueOf<T>(definition: ConfigDefinition<T>, text: string | null | undefined): T {
  const effective = text ?? definition.defaultText
  // Only `optional` leaves out a default, and its type says null.
  if (effective === null) return null as T
  const parsed = definition.parse(effective)
  if (!parsed.ok) throw new Error(parsed.problem)
  return parsed.value
}

function common(name: string, type: ConfigType, defaultText: string | null, options: Common) {
  return { name, type, defaultText, documentation: options.documentation ?? '', honoured: options.honoured ?? true }
}

function inBounds(name: string, value: number, { atLeast, atMost, except }: NumberBounds): Parsed<number> {
  if (atLeast !== undefined && value < atLeast) return refuse(name, value, `Value must be at least ${atLeast}`)
  if (atMost !== undefined && value > atMost) return refuse(name, value, `Value must be no more than ${atMost}`)
  if (value === except) return refuse(name, value, `Value must not be ${except}`)
  return { ok: true, value }
}

function refuse(name: string, value: string | number, why: string): { ok: false; problem: string } {
  return { ok: false, problem: `Invalid value ${value} for configuration ${name}: ${why}` }
}

function clamp(value: bigint, lowest: bigint, highest: bigint): bigint {
  if (value < lowest) return lowest
  return value > highest ? highest : value
}
