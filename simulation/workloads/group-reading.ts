// A group of consumers whose members come and go, by leaving and by dying, and that reads a topic to its end.

import { ClusterClient } from '../clients/cluster-client.ts'
import { GroupMember } from '../clients/group-member.ts'
import { Violation, type Workload, type World } from '../contracts.ts'
import { GroupLedger } from './group-ledger.ts'

export interface GroupReadingOptions {
  readonly world: World
  readonly group: string
  /** Somebody else's. */
  readonly topic: string
  readonly members: number
}

export class GroupReading implements Workload {
  readonly name: string
  readonly #options: GroupReadingOptions
  readonly #ledger: GroupLedger
  readonly #slots: Promise<void>[] = []
  #isSettled = false
  #isStopping = false

  constructor(options: GroupReadingOptions) {
    this.#options = options
    this.name = options.group
    this.#ledger = new GroupLedger(options.group)
  }

  async start(): Promise<void> {
    const { members, world } = this.#options
    for (let slot = 1; slot <= members; slot++) {
      this.#slots.push(
        this.#fill(slot).catch((error: unknown) => {
          if (!(error instanceof Violation)) throw error
          world.violated(error)
        }),
      )
    }
  }

  /** The members stay: they have yet to come to the end. None of them goes any more. */
  async stop(): Promise<void> {
    this.#isSettled = true
  }

  async verify(): Promise<void> {
    const { world, topic, group } = this.#options
    const { image } = world
    const clock = new ClusterClient({ world, name: `${group}-verifier` })
    for (const { index, leader } of image.topicsByName.get(topic)?.partitions ?? []) {
      const end = () =>
        world.machines.find(({ id }) => id === leader)?.inside?.replicas.find(topic, index)?.highWatermark
      while (end() !== 0 && this.#ledger.confirmed(index) !== end()) await clock.sleep(100)
    }
    this.#isStopping = true
    await Promise.all(this.#slots)
    clock.close()
    const { generations, commitsConfirmed } = this.#ledger
    world.trace.add(this.name, `${generations} generations, ${commitsConfirmed} commits, and all has been read`)
  }

  /** One member after the other. */
  async #fill(slot: number): Promise<void> {
    const { world, group, topic } = this.#options
    const random = world.random(`${group} slot ${slot}`)
    for (let life = 1; !this.#isStopping; life++) {
      const client = new ClusterClient({ world, name: `${group}-member-${slot}-${life}` })
      const listener = this.#ledger
      const member = new GroupMember({ client, group, topic, sessionTimeoutMs: 2500, listener })
      const running = member.run()
      const failed = running.then(
        () => null,
        (error: unknown) => error,
      )
      let leftMs = 4000 + random.below(16_000)
      let failure: unknown = null
      while (!this.#isStopping && (this.#isSettled || leftMs > 0) && failure === null) {
        leftMs -= 500
        failure = await Promise.race([failed, client.sleep(500).then(() => null)])
      }
      if (failure !== null) throw failure
      if (this.#isStopping || random.chance(0.6)) await member.stop()
      client.close()
      await running
      await client.sleep(random.below(3000))
    }
  }
}
