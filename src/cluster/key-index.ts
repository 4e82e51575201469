// Keys in order, so that a prefix is a range. An array: inserting moves memory, which for the few hundred thousand keys of a
// cluster costs microseconds.

export class KeyIndex {
  #keys: string[]

  /** `keys` in any order, without duplicates. */
  constructor(keys: Iterable<string> = []) {
    this.#keys = [...keys].sort(compare)
  }

  add(key: string): void {
    const at = this.#find(key)
    if (this.#keys[at] !== key) this.#keys.splice(at, 0, key)
  }

  remove(key: string): void {
    const at = this.#find(key)
    if (this.#keys[at] === key) this.#keys.splice(at, 1)
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
