// What is due when, with the next one at hand: a binary heap. A deadline that is put off stays where it is in the heap
// until it comes to the top, and only then sinks to its place: a session that is renewed a thousand times before it would run out
// costs a thousand assignments and one walk down the heap, and the heap holds it once, whatever happens.

/** `due` and `order` as they were set last, `placedDue` and `placedOrder` as they were when it was placed. */
export interface Deadline<Value> {
  value: Value
  due: number
  order: number
  placedDue: number
  placedOrder: number
  /** In the heap; -1 once it has been taken or removed. */
  index: number
}

export class Deadlines<Value> {
  readonly #heap: Deadline<Value>[] = []
  #order = 0

  get size(): number {
    return this.#heap.length
  }

  /** No deadline is due before this; one may be later, because it was put off. Infinity when there is none. */
  get nextCheck(): number {
    return this.#heap[0]?.placedDue ?? Infinity
  }

  add(due: number, value: Value): Deadline<Value> {
    const order = this.#order++
    const deadline = { value, due, order, placedDue: due, placedOrder: order, index: this.#heap.length }
    this.#heap.push(deadline)
    this.#rise(deadline)
    return deadline
  }

  /** As if it were removed and added: among equals it is the last. It must not have been taken or removed. */
  move(deadline: Deadline<Value>, due: number): void {
    deadline.due = due
    deadline.order = this.#order++
    if (due >= deadline.placedDue) return
    deadline.placedDue = due
    deadline.placedOrder = deadline.order
    this.#rise(deadline)
  }

  /** Without effect when it was taken or removed before. */
  remove(deadline: Deadline<Value>): void {
    const { index } = deadline
    if (index < 0) return
    deadline.index = -1
    const last = this.#heap.pop()!
    if (last === deadline) return
    this.#put(last, index)
    this.#rise(last)
    this.#sink(last)
  }

  /** Takes out the earliest deadline that is due at `now`; among equals the one that was set first. */
  take(now: number): Deadline<Value> | undefined {
    for (;;) {
      const first = this.#heap[0]
      if (first === undefined || first.placedDue > now) return undefined
      if (first.placedOrder === first.order) {
        this.remove(first)
        return first
      }
      first.placedDue = first.due
      first.placedOrder = first.order
      this.#sink(first)
    }
  }

  #put(deadline: Deadline<Value>, index: number): void {
    this.#heap[index] = deadline
    deadline.index = index
  }

  #rise(deadline: Deadline<Value>): void {
    let { index } = deadline
    while (index > 0) {
      const parent = this.#heap[(index - 1) >> 1]!
      if (isBefore(parent, deadline)) break
      this.#put(parent, index)
      index = (index - 1) >> 1
    }
    this.#put(deadline, index)
  }

  #sink(deadline: Deadline<Value>): void {
    let { index } = deadline
    for (;;) {
      let child = this.#heap[2 * index + 1]
      if (child === undefined) break
      const right = this.#heap[2 * index + 2]
      if (right !== undefined && isBefore(right, child)) child = right
      if (isBefore(deadline, child)) break
      const below = child.index
      this.#put(child, index)
      index = below
    }
    this.#put(deadline, index)
  }
}

/** Placed before the other; no two have the same order. */
function isBefore<Value>(a: Deadline<Value>, b: Deadline<Value>): boolean {
  return a.placedDue < b.placedDue || (a.placedDue === b.placedDue && a.placedOrder < b.placedOrder)
}
