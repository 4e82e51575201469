// A host with one consumer on it, from its start to its end: killed, without power, frozen, cut off, or closed in order.

import { ClusterClient } from '../clients/cluster-client.ts'
import { Violation, type World } from '../contracts.ts'
import { ProcessLife, type ThawOrder } from '../process-life.ts'
import { memberTiming, type SimulatedMember } from './member.ts'

export interface MemberHostOptions {
  readonly world: World
  readonly name: string
  readonly rack: string
  readonly start: (client: ClusterClient) => SimulatedMember
}

/** What passes no more between a member and a broker: its requests, or the answers. */
export type CutWay = 'requests' | 'answers' | 'both'

export class MemberHost {
  readonly name: string
  readonly member: SimulatedMember
  readonly #world: World
  readonly #life: ProcessLife
  readonly #client: ClusterClient
  #leaving: Promise<void> = Promise.resolve()
  #isOver = false

  constructor({ world, name, rack, start }: MemberHostOptions) {
    this.name = name
    this.#world = world
    this.#life = new ProcessLife(
      world.clock,
      () => 0,
      (error) => this.#threw(error),
    )
    this.#client = new ClusterClient({ world, name, rack, timeoutMs: memberTiming.requestTimeoutMs, life: this.#life })
    this.member = start(this.#client)
    this.#life.enter(() => {
      this.member
        .run()
        .then(() => this.#leaving)
        .then(
          () => this.#ended(),
          (error: unknown) => this.#threw(error),
        )
    })
  }

  /** Its process has ended, whoever ended it. */
  get isOver(): boolean {
    return this.#isOver
  }

  get isFrozen(): boolean {
    return this.#life.frozen
  }

  freeze(): void {
    if (this.#isOver || this.#life.frozen) return
    this.#note('freezes')
    this.#life.freeze()
  }

  thaw(order: ThawOrder): void {
    if (this.#isOver || !this.#life.frozen) return
    this.#note('thaws')
    this.#life.thaw(order)
  }

  /** `kill -9`: the system closes its connections. */
  kill(): void {
    if (this.#isOver) return
    this.#note('is killed')
    this.#end()
    this.#world.network.killHost(this.name)
  }

  /** Nobody hears of it. */
  powerFails(): void {
    if (this.#isOver) return
    this.#note('loses power')
    this.#end()
    this.#world.network.crashHost(this.name)
  }

  /** Closes the consumer, and ends when it has; a frozen one is killed. */
  async leave(): Promise<void> {
    if (this.#isOver) return
    if (this.#life.frozen) return this.kill()
    this.#note('leaves')
    this.#leaving = this.member.leave()
    await this.#leaving
  }

  cut(broker: string, way: CutWay): void {
    const { network } = this.#world
    this.#note(`${way} no longer pass to ${broker}`)
    if (way !== 'answers') network.cutOneWay(this.name, broker)
    if (way !== 'requests') network.cutOneWay(broker, this.name)
  }

  heal(broker: string): void {
    this.#world.network.heal(this.name, broker)
  }

  #ended(): void {
    if (this.#isOver) return
    this.#note('has ended')
    this.#end()
    this.#client.close()
  }

  #end(): void {
    this.#isOver = true
    this.#life.end()
    this.member.died()
  }

  #threw(error: unknown): void {
    if (!(error instanceof Violation)) throw error
    this.#world.violated(error)
  }

  #note(what: string): void {
    this.#world.trace.add(this.name, what)
  }
}
