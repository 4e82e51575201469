// Keys in order, so that a prefix is a range. An array: inserting moves memory, which for the few hundred thousand keys of a
// cluster costs microseconds, and thousands of them at once are merged in.

/** As many single changes cost about what a pass over all keys does. */
const onePassFrom = 100

export class KeyIndex {
  #keys: string[]

  /** `keys` in any order, without duplicates. */
  constructor(keys: Iterable<string> = []) {
    this.#keys = [...keys].sort(compare)
  }

  /** Adds and removes, of which neither names a key of the other. One pass over all keys when there are many. */
  update(added: readonly string[], removed: ReadonlySet<string>): void {
    if (added.length + removed.size > onePassFrom) {
      this.#merge([...added].sort(compare), removed)
      return
    }
    for (const key of added) {
      const at = this.#find(key)
      if (this.#keys[at] !== key) this.#keys.splice(at, 0, key)
    }
    for (const key of removed) {
      const at = this.#find(key)
      if (this.#keys[at] === key) this.#keys.splice(at, 1)
    }
  }

  /** Keys that start with `prefix`, in order. */
  withPrefix(prefix: string): string[] {
    const found: string[] = []
    for (let at = this.#find(prefix); at < this.#keys.length; at++) {
      const key = this.#keys[at]!
      if (!key.startsWith(prefix)) break
      found.push(key)
    }
    return found
  }

  #merge(added: readonly string[], removed: ReadonlySet<string>): void {
    const merged: string[] = []
    let next = 0
    for (const key of this.#keys) {
      while (next < added.length && added[next]! < key) merged.push(added[next++]!)
      if (added[next] === key) next++
      if (!removed.has(key)) merged.push(key)
    }
    while (next < added.length) merged.push(added[next++]!)
    this.#keys = merged
  }

  /** Position of the first key that is not below `key`. */
  #find(key: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#keys[middle]! < key) low = middle + 1
      else high = middle
    }
    return low
  }
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
