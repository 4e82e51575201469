// A map that never changes, and makes another one with some entries changed at the cost of these and not of all: it is a large map that
// many share, and over it the little that differs. When the little has grown to about the square root of the large one, both become one.
//
//   base { a: 1, b: 2 }, changes { b: gone, c: 3 }: a is 1, c is 3, size 2

/** Fewer differing entries than this are never worth a new base. */
const changesMin = 32

export class LayeredMap<K, V extends object> implements ReadonlyMap<K, V> {
  readonly size: number
  readonly #base: ReadonlyMap<K, V>
  /** Undefined: not there. */
  readonly #changes: ReadonlyMap<K, V | undefined>

  /** `base` must not change from now on. */
  static over<K, V extends object>(base: ReadonlyMap<K, V>): LayeredMap<K, V> {
    return base instanceof LayeredMap ? (base as LayeredMap<K, V>) : new LayeredMap(base, new Map(), base.size)
  }

  private constructor(base: ReadonlyMap<K, V>, changes: ReadonlyMap<K, V | undefined>, size: number) {
    this.#base = base
    this.#changes = changes
    this.size = size
  }

  /** This map with other values for some keys; undefined: without them. */
  with(values: Iterable<readonly [K, V | undefined]>): LayeredMap<K, V> {
    const changes = new Map(this.#changes)
    let { size } = this
    for (const [key, value] of values) {
      const before = changes.has(key) ? changes.get(key) : this.#base.get(key)
      size += Number(value !== undefined) - Number(before !== undefined)
      if (value === undefined && !this.#base.has(key)) changes.delete(key)
      else changes.set(key, value)
    }
    const isLittle = changes.size < changesMin || changes.size ** 2 < this.#base.size
    return isLittle ? new LayeredMap(this.#base, changes, size) : LayeredMap.over(joined(this.#base, changes))
  }

  get(key: K): V | undefined {
    if (this.#changes.size === 0) return this.#base.get(key)
    const changed = this.#changes.get(key)
    return changed !== undefined || this.#changes.has(key) ? changed : this.#base.get(key)
  }

  has(key: K): boolean {
    return this.get(key) !== undefined
  }

  /** In the order of the base, then what is new. */
  *entries(): Generator<[K, V], undefined> {
    for (const [key, value] of this.#base) {
      if (!this.#changes.has(key)) yield [key, value]
      else {
        const changed = this.#changes.get(key)
        if (changed !== undefined) yield [key, changed]
      }
    }
    for (const [key, value] of this.#changes) {
      if (value !== undefined && !this.#base.has(key)) yield [key, value]
    }
  }

  *keys(): Generator<K, undefined> {
    for (const [key] of this.entries()) yield key
  }

  *values(): Generator<V, undefined> {
    for (const [, value] of this.entries()) yield value
  }

  [Symbol.iterator](): Generator<[K, V], undefined> {
    return this.entries()
  }

  forEach(callback: (value: V, key: K, map: ReadonlyMap<K, V>) => void): void {
    for (const [key, value] of this.entries()) callback(value, key, this)
  }
}

function joined<K, V>(base: ReadonlyMap<K, V>, changes: ReadonlyMap<K, V | undefined>): Map<K, V> {
  const whole = new Map(base)
  for (const [key, value] of changes) {
    if (value === undefined) whole.delete(key)
    else whole.set(key, value)
  }
  return whole
}
