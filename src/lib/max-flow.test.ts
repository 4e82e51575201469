import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { FlowNetwork } from './max-flow.ts'

test('what flows is bounded by the narrowest cut', () => {
  const network = new FlowNetwork(4)
  const edges = [
    network.connect(0, 1, 3),
    network.connect(0, 2, 2),
    network.connect(1, 2, 5),
    network.connect(1, 3, 2),
    network.connect(2, 3, 3),
  ]
  assert.equal(network.maximize(0, 3), 5)
  assert.equal(network.flowOn(edges[3]!) + network.flowOn(edges[4]!), 5)
  assert.equal(network.maximize(0, 3), 0, 'again there is nothing more')
})

test('a choice made early is undone when another needs it', () => {
  // Both 1 and 2 can go to 3; only 1 can go to 4 as well.
  const network = new FlowNetwork(6)
  network.connect(0, 1, 1)
  network.connect(0, 2, 1)
  const taken = network.connect(1, 3, 1)
  network.connect(1, 4, 1)
  network.connect(2, 3, 1)
  network.connect(3, 5, 1)
  network.connect(4, 5, 1)
  assert.equal(network.maximize(0, 5), 2)
  assert.equal(network.flowOn(taken), 0)
})

test('a sink that cannot be reached gets nothing', () => {
  const network = new FlowNetwork(3)
  network.connect(0, 1, 4)
  assert.equal(network.maximize(0, 2), 0)
})

test('a way longer than the stack is deep is walked', () => {
  const length = 100_000
  const network = new FlowNetwork(length)
  for (let node = 0; node + 1 < length; node++) network.connect(node, node + 1, 2)
  assert.equal(network.maximize(0, length - 1), 2)
})

interface Pipe {
  from: number
  to: number
  capacity: number
}

/** Every way to part the nodes: the least capacity from the source's side to the sink's. */
function narrowestCut(nodes: number, pipes: readonly Pipe[]): number {
  let least = Infinity
  for (let side = 0; side < 1 << nodes; side++) {
    const within = (node: number) => (side & (1 << node)) !== 0
    if (!within(0) || within(nodes - 1)) continue
    const crossing = pipes.filter(({ from, to }) => within(from) && !within(to))
    least = Math.min(
      least,
      crossing.reduce((sum, { capacity }) => sum + capacity, 0),
    )
  }
  return least
}

test('the flow is as great as the narrowest cut, kept at every node, and within every capacity', () => {
  const nodes = 6
  const node = fc.nat(nodes - 1)
  const pipe = fc.record({ from: node, to: node, capacity: fc.nat(7) })
  fc.assert(
    fc.property(fc.array(pipe, { maxLength: 14 }), (pipes) => {
      const network = new FlowNetwork(nodes)
      const edges = pipes.map(({ from, to, capacity }) => network.connect(from, to, capacity))
      const flow = network.maximize(0, nodes - 1)
      assert.equal(flow, narrowestCut(nodes, pipes))
      const balance = Array.from({ length: nodes }, () => 0)
      for (const [index, { from, to, capacity }] of pipes.entries()) {
        const on = network.flowOn(edges[index]!)
        assert.ok(on >= 0 && on <= capacity)
        balance[from]! -= on
        balance[to]! += on
      }
      assert.deepEqual(balance, [0 - flow, 0, 0, 0, 0, flow])
    }),
  )
})
