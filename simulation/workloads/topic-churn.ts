// Topics that come, grow and go. What was confirmed holds: a topic that was created is there until somebody deletes it, one that was
// deleted is gone, from the metadata and from every disk. What was not answered may have been done or not.

import { ErrorCode } from '../../src/protocol/error-code.ts'
import { Admin } from '../clients/admin.ts'
import { ClusterClient } from '../clients/cluster-client.ts'
import { Violation, type Workload, type World } from '../contracts.ts'

export interface TopicChurnOptions {
  readonly world: World
  readonly name: string
  /** At the same time. */
  readonly topicsMax: number
}

type Fate = 'there' | 'gone' | 'unknown'

interface ChurnedTopic {
  readonly name: string
  fate: Fate
  /** At least. */
  partitions: number
}

const dataFolder = '/data'

export class TopicChurn implements Workload {
  readonly name: string
  readonly #options: TopicChurnOptions
  readonly #client: ClusterClient
  readonly #admin: Admin
  readonly #topics: ChurnedTopic[] = []
  #isStopping = false
  #running: Promise<void> = Promise.resolve()

  constructor(options: TopicChurnOptions) {
    this.#options = options
    this.name = options.name
    this.#client = new ClusterClient({ world: options.world, name: options.name })
    this.#admin = new Admin(this.#client)
  }

  async start(): Promise<void> {
    this.#running = this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#running
  }

  async verify(): Promise<void> {
    const { world } = this.#options
    await this.#client.sleep(3000)
    for (const topic of this.#topics) {
      const there = world.image.topicsByName.get(topic.name)
      if (topic.fate === 'there' && there === undefined) this.#broken(`${topic.name} was created, and is not there`)
      if (topic.fate === 'gone' && there !== undefined) this.#broken(`${topic.name} was deleted, and is there`)
      if (there !== undefined) {
        if (there.partitions.length < topic.partitions) {
          this.#broken(`${topic.name} has ${there.partitions.length} partitions, ${topic.partitions} were promised`)
        }
        continue
      }
      for (const { host, disk } of world.machines) {
        if (disk.look(`${dataFolder}/${topic.name}-0/partition.metadata`, 'shown') !== null) {
          this.#broken(`${topic.name} is deleted, and ${host} keeps its log`)
        }
      }
    }
    this.#client.close()
    const count = (fate: Fate) => this.#topics.filter((topic) => topic.fate === fate).length
    world.trace.add(
      this.name,
      `${count('there')} topics are there, ${count('gone')} gone, ${count('unknown')} nobody knew of`,
    )
  }

  async #run(): Promise<void> {
    const { random } = this.#client
    for (let number = 1; !this.#isStopping;) {
      await this.#client.sleep(200 + random.below(2000))
      const present = this.#topics.filter(({ fate }) => fate !== 'gone')
      const kind = random.below(10)
      if (present.length < this.#options.topicsMax && kind < 5) await this.#create(`${this.name}-${number++}`)
      else if (present.length > 0 && kind < 8) await this.#delete(random.pick(present))
      else if (present.length > 0) await this.#grow(random.pick(present))
    }
  }

  async #create(name: string): Promise<void> {
    const { random } = this.#client
    const partitions = 1 + random.below(3)
    const topic: ChurnedTopic = { name, fate: 'unknown', partitions: 1 }
    this.#topics.push(topic)
    // A single replica ends with its disk, and no machine could lose one.
    const replicationFactor = Math.min(2 + random.below(2), this.#options.world.machines.length)
    const code = await this.#admin.createTopic({ name, partitions, replicationFactor })
    if (code !== ErrorCode.NONE) return
    topic.fate = 'there'
    topic.partitions = partitions
  }

  async #delete(topic: ChurnedTopic): Promise<void> {
    const code = await this.#admin.deleteTopic(topic.name)
    topic.fate = code === ErrorCode.NONE ? 'gone' : 'unknown'
  }

  async #grow(topic: ChurnedTopic): Promise<void> {
    const count = topic.partitions + 1
    if ((await this.#admin.growTopic(topic.name, count)) === ErrorCode.NONE) topic.partitions = count
  }

  #broken(what: string): never {
    throw new Violation('topics come and go as was confirmed', what)
  }
}
