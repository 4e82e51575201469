import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ErrorCode } from '../../../protocol/error-code.ts'
import { ConsumerGroupTester, ObedientClient } from './consumer-group-tester.sim.ts'
import { ClassicClient } from './migration-tester.sim.ts'

type Client =
  | { readonly protocol: 'classic'; readonly is: ClassicClient }
  | { readonly protocol: 'consumer'; readonly is: ObedientClient }

type Operation =
  | { readonly kind: 'classicJoins' | 'consumerJoins'; readonly isStatic: boolean }
  | { readonly kind: 'leaves' | 'crashes' | 'changesProtocol'; readonly who: number }
  | { readonly kind: 'grows' | 'restart' }
  | { readonly kind: 'works'; readonly rounds: number; readonly order: number }

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('classicJoins', 'consumerJoins'), isStatic: fc.boolean() }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('leaves', 'crashes', 'changesProtocol'), who: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('grows', 'restart') }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('works'), rounds: fc.integer({ min: 1, max: 6 }), order: fc.nat() }),
  },
)

/** A group whose members come and go under both protocols. After every step, no partition has two owners. */
class MixedGroup {
  readonly tester = new ConsumerGroupTester({ initialRebalanceDelayMs: 0 })
  clients: Client[] = []
  #partitions = 5
  #next = 1
  #committed = new Map<number, number>()

  constructor() {
    this.tester.topic('orders', this.#partitions)
  }

  do(operation: Operation): void {
    switch (operation.kind) {
      case 'classicJoins':
      case 'consumerJoins':
        if (this.clients.length < 5)
          this.#add(operation.kind === 'classicJoins' ? 'classic' : 'consumer', operation.isStatic)
        break
      case 'leaves':
        this.#with(operation.who, (client) => this.#leaves(client))
        break
      case 'crashes':
        this.#with(operation.who, () => undefined)
        break
      case 'changesProtocol':
        this.#with(operation.who, (client) => this.#comesBack(client))
        break
      case 'grows':
        this.#partitions++
        this.tester.topic('orders', this.#partitions)
        break
      case 'restart':
        this.tester.restart()
        for (const { is } of this.clients) if (is instanceof ClassicClient) is.interrupted()
        break
      case 'works':
        for (let round = 0; round < operation.rounds; round++) this.round(operation.order + round)
    }
    this.assertOneOwner()
  }

  /** Everybody takes a step, in one order or another, and commits what it has read. */
  round(order: number): void {
    const shift = this.clients.length === 0 ? 0 : order % this.clients.length
    for (const { is } of [...this.clients.slice(shift), ...this.clients.slice(0, shift)]) {
      if (is instanceof ClassicClient) is.step()
      else is.beat()
      this.assertOneOwner()
    }
    for (const client of this.clients) this.#commits(client)
    this.tester.advance(500)
  }

  assertOneOwner(): void {
    const owners = new Set<number>()
    for (const { is } of this.clients) {
      for (const partition of is.owned['orders'] ?? []) {
        assert.ok(!owners.has(partition), `partition ${partition} has one owner`)
        owners.add(partition)
      }
    }
  }

  /** Long enough for the sessions of those that have crashed to end. */
  assertSettles(): void {
    for (let round = 0; round < 200; round++) this.round(round)
    if (this.clients.length === 0) return
    const owned = this.clients.flatMap(({ is }) => is.owned['orders'] ?? [])
    assert.deepEqual(
      owned.toSorted((one, other) => one - other),
      Array.from({ length: this.#partitions }, (_, index) => index),
    )
    const { groupType, groupState } = this.tester.list()[0]!
    assert.equal(groupState, 'Stable')
    // Where all are classic the group may be one or the other: nobody has left it since, perhaps.
    if (this.clients.some(({ protocol }) => protocol === 'consumer')) assert.equal(groupType, 'consumer')
    for (const [partition, offset] of this.#committed) {
      assert.equal(this.tester.fetch({ topic: 'orders', partition }).committedOffset, offset)
    }
  }

  #add(protocol: 'classic' | 'consumer', isStatic: boolean, instance = isStatic ? `i${this.#next}` : null): void {
    const identity = instance === null ? {} : { instance }
    this.clients.push(
      protocol === 'classic'
        ? { protocol, is: new ClassicClient(this.tester, identity) }
        : { protocol, is: new ObedientClient(this.tester, `c${this.#next}`, identity) },
    )
    this.#next++
  }

  #with(who: number, what: (client: Client) => void): void {
    const client = this.clients[who % Math.max(1, this.clients.length)]
    if (client === undefined) return
    this.clients = this.clients.filter((each) => each !== client)
    what(client)
  }

  #leaves({ is }: Client, epoch = -1): void {
    if (is instanceof ClassicClient) is.leave()
    else if (is.epoch > 0) this.tester.beat({ member: is.memberId, epoch, instance: is.instance })
  }

  /** As one does with a static member: stopped, and started with the other protocol. A dynamic one has left. */
  #comesBack(client: Client): void {
    const { instance } = client.is
    if (instance === null) this.#leaves(client)
    else if (client.protocol === 'consumer') this.#leaves(client, -2)
    this.#add(client.protocol === 'classic' ? 'consumer' : 'classic', instance !== null, instance)
  }

  #commits({ is }: Client): void {
    const [partition] = is.owned['orders'] ?? []
    if (partition === undefined) return
    const generation = is instanceof ClassicClient ? is.generation : is.epoch
    const offset = (this.#committed.get(partition) ?? 0) + 1
    const identity = { memberId: is.memberId, generation, instanceId: is.instance }
    const code = this.tester.commit(offset, { ...identity, topic: 'orders', partition })
    if (code === ErrorCode.NONE) this.#committed.set(partition, offset)
  }
}

test('whoever comes and goes under either protocol: no partition has two owners, all have one in the end, no commit is lost', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 40, size: 'max' }), (operations) => {
      const group = new MixedGroup()
      for (const each of operations) group.do(each)
      group.assertSettles()
    }),
    { numRuns: 500 },
  )
})
