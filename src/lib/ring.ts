// A queue that makes no garbage: what was pushed goes from place to place of one array. An array that is pushed to and cut, or a set, lays new
// memory beside the old each time, and each of the large pieces lives until V8 marks its whole heap.

/** Most have next to nothing in them. */
const capacityMin = 4

export class Ring<T> {
  /** Grows as places are used for the first time. */
  #items: (T | undefined)[] = []
  /** Places: a power of two. */
  #capacity = 0
  #oldest = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(item: T): void {
    if (this.#length === this.#capacity) this.#grow()
    this.#items[(this.#oldest + this.#length++) & (this.#capacity - 1)] = item
  }

  /** Undefined when there is none. */
  first(): T | undefined {
    return this.#length === 0 ? undefined : this.#items[this.#oldest]
  }

  /** Lets the first go; there is one. */
  shift(): void {
    this.#items[this.#oldest] = undefined
    this.#oldest = (this.#oldest + 1) & (this.#capacity - 1)
    this.#length--
  }

  #grow(): void {
    if (this.#oldest > 0) {
      this.#items = [...this.#items.slice(this.#oldest), ...this.#items.slice(0, this.#oldest)]
      this.#oldest = 0
    }
    this.#capacity = Math.max(capacityMin, 2 * this.#capacity)
  }
}
