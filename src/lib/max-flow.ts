// The greatest flow through a network of whole capacities (Dinic): who can be given what, when each giver and each taker has a bound.
// Deterministic: edges are tried in the order they were added.

export class FlowNetwork {
  /** Edges in pairs, one with its opposite: edge `e` is undone by `e ^ 1`. */
  readonly #to: number[] = []
  readonly #left: number[] = []
  readonly #edgesOf: number[][]

  /** Nodes are numbers in [0, nodeCount). */
  constructor(nodeCount: number) {
    this.#edgesOf = Array.from({ length: nodeCount }, () => [])
  }

  /** Returns the edge's number, for `flowOn`. */
  connect(from: number, to: number, capacity: number): number {
    const edge = this.#to.length
    this.#to.push(to, from)
    this.#left.push(capacity, 0)
    this.#edgesOf[from]!.push(edge)
    this.#edgesOf[to]!.push(edge + 1)
    return edge
  }

  flowOn(edge: number): number {
    return this.#left[edge ^ 1]!
  }

  /** Raises the flow to the greatest there is; returns by how much. */
  maximize(source: number, sink: number): number {
    let raised = 0
    for (let levels = this.#levels(source); levels[sink]! >= 0; levels = this.#levels(source)) {
      raised += this.#block(source, sink, levels)
    }
    return raised
  }

  /** Each node's distance from the source over edges with room; -1 where there is no way. */
  #levels(source: number): Int32Array {
    const levels = new Int32Array(this.#edgesOf.length).fill(-1)
    levels[source] = 0
    const queue = [source]
    for (let head = 0; head < queue.length; head++) {
      const node = queue[head]!
      for (const edge of this.#edgesOf[node]!) {
        const to = this.#to[edge]!
        if (this.#left[edge] === 0 || levels[to] !== -1) continue
        levels[to] = levels[node]! + 1
        queue.push(to)
      }
    }
    return levels
  }

  /** Fills shortest ways until none is left. Walks by hand: ways may be longer than the stack is deep. */
  #block(source: number, sink: number, levels: Int32Array): number {
    const next = new Int32Array(this.#edgesOf.length)
    const way: number[] = []
    let raised = 0
    for (;;) {
      const node = way.length === 0 ? source : this.#to[way.at(-1)!]!
      if (node === sink) {
        raised += this.#fill(way)
        continue
      }
      const edge = this.#onward(node, next, levels)
      if (edge !== null) {
        way.push(edge)
        continue
      }
      if (way.length === 0) return raised
      // A dead end: nobody comes here again.
      levels[node] = -1
      way.pop()
    }
  }

  #onward(node: number, next: Int32Array, levels: Int32Array): number | null {
    const edges = this.#edgesOf[node]!
    for (; next[node]! < edges.length; next[node]!++) {
      const edge = edges[next[node]!]!
      if (this.#left[edge]! > 0 && levels[this.#to[edge]!] === levels[node]! + 1) return edge
    }
    return null
  }

  /** Sends what fits, and steps back to before the first edge that is full. */
  #fill(way: number[]): number {
    const amount = way.reduce((least, edge) => Math.min(least, this.#left[edge]!), Infinity)
    for (const edge of way) {
      this.#left[edge]! -= amount
      this.#left[edge ^ 1]! += amount
    }
    way.length = way.findIndex((edge) => this.#left[edge] === 0)
    return amount
  }
}
