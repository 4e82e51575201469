// Moves partitions of other workloads from broker to broker while they are used, changes its mind, and elects preferred leaders.

import { Admin } from '../clients/admin.ts'
import { ClusterClient } from '../clients/cluster-client.ts'
import { Violation, type Workload, type World } from '../contracts.ts'

export interface ReassigningOptions {
  readonly world: World
  readonly topics: readonly string[]
  readonly pauseMsMax: number
}

export class Reassigning implements Workload {
  readonly name = 'reassigning'
  readonly #options: ReassigningOptions
  readonly #client: ClusterClient
  readonly #admin: Admin
  #isStopping = false
  #running: Promise<void> = Promise.resolve()

  constructor(options: ReassigningOptions) {
    this.#options = options
    this.#client = new ClusterClient({ world: options.world, name: this.name })
    this.#admin = new Admin(this.#client)
  }

  async start(): Promise<void> {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#running
    this.#client.close()
  }

  async verify(): Promise<void> {
    for (const { name, partitions } of this.#options.world.image.topicsById.values()) {
      for (const { index, adding, removing } of partitions) {
        if (adding.length + removing.length === 0) continue
        throw new Violation(
          'reassignments come to an end',
          `${name}-${index} adds ${adding.join()}, removes ${removing.join()}`,
        )
      }
    }
  }

  async #run(): Promise<void> {
    const { world, topics, pauseMsMax } = this.#options
    const { random } = this.#client
    while (!this.#isStopping) {
      await this.#client.sleep(500 + random.below(pauseMsMax))
      const topic = random.pick(topics)
      const partitions = world.image.topicsByName.get(topic)?.partitions ?? []
      if (partitions.length === 0) continue
      const { index, replicas } = random.pick(partitions)
      const kind = random.below(10)
      if (kind < 6) await this.#admin.reassign(topic, index, this.#someBrokers(replicas.length))
      else if (kind < 8) await this.#admin.reassign(topic, index, null)
      else await this.#admin.electPreferred(topic, index)
    }
  }

  /** In another order at least; with a fourth machine there is somewhere to move to. Now and then one fewer, or one more. */
  #someBrokers(before: number): number[] {
    const { random, world } = this.#client
    const left = world.machines.map(({ id }) => id)
    const count = Math.min(left.length, Math.max(2, Math.min(3, before + random.below(3) - 1)))
    return Array.from({ length: count }, () => left.splice(random.below(left.length), 1)[0]!)
  }
}
