// One place in a group: a consumer, and after its end the next one, and what befalls them. Some places are static (KIP-345): each next
// consumer has the instance id of the last.

import type { Millis } from '../../src/io/clock.ts'
import type { SeededRandom } from '../../src/io/random.sim.ts'
import { ClusterClient } from '../clients/cluster-client.ts'
import type { World } from '../contracts.ts'
import { type MemberOptions, memberTiming, type SimulatedMember } from './member.ts'
import { type CutWay, MemberHost } from './member-host.ts'

export interface MemberSlotOptions {
  readonly world: World
  readonly name: string
  readonly topics: readonly string[]
  /** A static member that comes back with other topics is not heard by a classic group that is stable, so it keeps to them. */
  readonly staticKeepsTopics: boolean
  /** Between two things that befall it. */
  readonly calmMsMax: Millis
  readonly start: (client: ClusterClient, own: Pick<MemberOptions, 'instanceId' | 'topics'>) => SimulatedMember
}

type Event = 'kill' | 'power' | 'leave' | 'freeze' | 'takeover' | 'dawdle' | 'subscribe' | 'cut'

const events: readonly Event[] = ['kill', 'power', 'leave', 'freeze', 'takeover', 'dawdle', 'subscribe', 'cut']
const { sessionTimeoutMs, pollGapMsMax } = memberTiming
const lookMs: Millis = 300

export class MemberSlot {
  readonly name: string
  readonly #options: MemberSlotOptions
  readonly #random: SeededRandom
  readonly #client: ClusterClient
  readonly #instanceId: string | null
  #topics: readonly string[]
  #host: MemberHost | null = null
  /** Those that have not ended: closing, or frozen while another process has taken their instance id. */
  readonly #former: MemberHost[] = []
  #lives = 0
  #isCalm = false
  #isOver = false

  constructor(options: MemberSlotOptions) {
    const { world, name } = options
    this.name = name
    this.#options = options
    this.#random = world.random(`${name} slot`)
    this.#client = new ClusterClient({ world, name: `${name}-slot` })
    this.#instanceId = this.#random.chance(0.25) ? name : null
    this.#topics = this.#someTopics()
  }

  /** Null when none runs. */
  get host(): MemberHost | null {
    return this.#host === null || this.#host.isOver ? null : this.#host
  }

  get isStatic(): boolean {
    return this.#instanceId !== null
  }

  begin(): void {
    void this.#live()
  }

  /** From here on nothing befalls it, and who is dead comes back. */
  calmDown(): void {
    this.#isCalm = true
    for (const host of [this.#host, ...this.#former]) {
      host?.thaw('ioFirst')
      for (const machine of this.#options.world.machines) host?.heal(machine.host)
    }
  }

  /** Its consumer is closed, and the next one is there at once. */
  async restart(): Promise<void> {
    await this.host?.leave()
    this.#start()
  }

  /** For good, and without a word. */
  powerFails(): void {
    this.#isOver = true
    this.host?.powerFails()
  }

  /** Closes the consumer. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.host?.leave()
    for (const host of this.#former) host.kill()
  }

  async #live(): Promise<void> {
    await this.#rest(2000)
    while (!this.#isOver) {
      if (this.host === null) this.#start()
      if (this.#isCalm) {
        await this.#client.sleep(lookMs)
        for (const host of this.#former) host.kill()
      } else {
        await this.#befall()
      }
    }
  }

  #start(): void {
    const { world, name, start } = this.#options
    this.#lives += 1
    const own = { instanceId: this.#instanceId, topics: this.#topics }
    this.#host = new MemberHost({
      world,
      name: `${name}-${this.#lives}`,
      rack: `rack-${1 + this.#random.below(3)}`,
      start: (client) => start(client, own),
    })
  }

  async #befall(): Promise<void> {
    const random = this.#random
    await this.#rest(this.#options.calmMsMax)
    const host = this.host
    if (host === null || this.#isCalm || this.#isOver) return
    switch (random.pick(events)) {
      case 'kill':
        host.kill()
        return this.#rest(2 * sessionTimeoutMs)
      case 'power':
        host.powerFails()
        return this.#rest(2 * sessionTimeoutMs)
      case 'leave':
        this.#part(host)
        void host.leave()
        return this.#rest(sessionTimeoutMs)
      case 'freeze':
        host.freeze()
        await this.#rest(random.pick([500, sessionTimeoutMs, 3 * sessionTimeoutMs]))
        return host.thaw(random.pick(['ioFirst', 'timersFirst']))
      case 'takeover':
        if (this.#instanceId === null) return
        host.freeze()
        this.#part(host)
        this.#start()
        await this.#rest(3 * sessionTimeoutMs)
        host.thaw(random.pick(['ioFirst', 'timersFirst']))
        // A KIP-848 group goes by who was first, if it is still there: then somebody has to end that one.
        await this.#rest(sessionTimeoutMs)
        return host.kill()
      case 'dawdle':
        return host.member.dawdle(random.below(1.7 * pollGapMsMax))
      case 'subscribe':
        this.#topics = this.#someTopics()
        return host.member.subscribe(this.#topics)
      case 'cut': {
        const broker = random.pick(this.#options.world.machines).host
        host.cut(broker, random.pick<CutWay>(['requests', 'answers', 'both']))
        await this.#rest(2 * sessionTimeoutMs)
        return host.heal(broker)
      }
    }
  }

  /** It has no place any more, and has yet to end. */
  #part(host: MemberHost): void {
    this.#host = null
    this.#former.push(host)
  }

  /** Mostly all of them. */
  #someTopics(): readonly string[] {
    const { topics } = this.#options
    if (this.#options.staticKeepsTopics && this.isStatic) return topics
    return this.#random.chance(0.7) ? topics : [this.#random.pick(topics)]
  }

  /** Not beyond the moment at which all is to be calm. */
  async #rest(msMax: Millis): Promise<void> {
    const { clock } = this.#options.world
    const until = clock.monotonic() + this.#random.below(msMax)
    while (!this.#isCalm && !this.#isOver && clock.monotonic() < until) {
      await this.#client.sleep(Math.min(lookMs, until - clock.monotonic()))
    }
  }
}
