// A group of one client's members, a server, and numbers being written: what a scenario is played on, and how it is judged.

import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kafkaJs } from '../support/kafkajs-client.ts'
import { waitFor, within } from '../support/wait-for.ts'
import type { Client } from './clients.ts'
import { type GroupLog, readGroupLog, wrongCommit } from './group-log.ts'
import { judge, type Observation, type PartitionName } from './journal.ts'
import { Member } from './member.ts'
import { Numbers } from './numbers.ts'
import { type Kind, partitionOfGroup, type Server, startServer } from './server.ts'

/** What does not come in this time, however loaded the machine is, does not come. */
const patienceMs = 120_000
/** Two topics, so that assignors differ; more partitions than members. */
const partitions: ReadonlyMap<string, number> = new Map([
  ['first', 4],
  ['second', 3],
])
const group = 'readers'

export interface SceneOptions {
  readonly client: Client
  readonly server: Kind
  readonly sessionTimeoutMs: number
  /** Leaves logs and data where they are, and says where on stderr. */
  readonly keep?: boolean
}

export interface Judgement {
  /** Null: it went well. */
  readonly problem: string | null
  readonly records: number
  /** Read more than once. */
  readonly again: number
  readonly lostLate: number
  /** Generations, or epochs, that the group had. */
  readonly generations: number
  /** Of these, those since what happened to the brokers: null where nothing did. */
  readonly generationsSince: number | null
  /** From what happened until the group had settled; the longest, where several things did. */
  readonly settledMs: number
}

/** Plays a scenario and judges it. What is left of one that went wrong stays, and the problem says where. */
export async function played(
  options: SceneOptions,
  scenario: { play(scene: Scene): Promise<void> },
): Promise<Judgement> {
  const folder = await mkdtemp(join(tmpdir(), 'odradek-groups-'))
  const scene = new Scene(folder, options)
  let problems: string[]
  try {
    await scene.begin()
    await scenario.play(scene)
    problems = await scene.end()
  } catch (error) {
    problems = [...scene.problems(), wordsOf(error)]
  }
  await scene.close().catch((error: unknown) => void problems.push(wordsOf(error)))
  if (options.keep === true) console.error(`logs and data: ${folder}`)
  else if (problems.length === 0) await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  const problem = problems.length === 0 ? null : `${problems.slice(0, 5).join('\n')}\nlogs and data: ${folder}`
  return { problem, ...scene.figures() }
}

export class Scene {
  readonly folder: string
  readonly client: Client
  readonly #options: SceneOptions
  readonly #members: Member[] = []
  readonly #observations: Observation[] = []
  /** By partition, as of now: who says to own it. */
  readonly #owners = new Map<PartitionName, Set<string>>()
  readonly #values = new Map<PartitionName, Map<number, string>>()
  readonly #committed = new Map<PartitionName, number>()
  readonly #problems: string[] = []
  #server: Server | null = null
  #numbers: Numbers | null = null
  #started = 0
  #settledMs = 0
  #generations = 0
  #generationsBefore: number | null = null

  /** `folder` gets its data, and what members say. */
  constructor(folder: string, options: SceneOptions) {
    this.folder = folder
    this.client = options.client
    this.#options = options
  }

  /** The server is there, and numbers are written. */
  async begin(): Promise<void> {
    const { server, sessionTimeoutMs } = this.#options
    await mkdir(join(this.folder, 'data'))
    this.#server = await startServer(server, this.folder, sessionTimeoutMs)
    const { bootstrap } = this.#server
    const replicationFactor = server === 'cluster' ? 3 : 1
    const admin = kafkaJs('', { brokers: [...bootstrap] }).admin()
    await admin.connect()
    try {
      await waitFor('all brokers to be known', async () => {
        return (await admin.describeCluster()).brokers.length === replicationFactor
      })
      const topics = [...partitions].map(([topic, numPartitions]) => ({ topic, numPartitions, replicationFactor }))
      await admin.createTopics({ waitForLeaders: true, topics })
    } finally {
      await admin.disconnect()
    }
    this.#numbers = new Numbers(bootstrap, partitions)
  }

  get server(): Server {
    return this.#server!
  }

  get group(): string {
    return group
  }

  /** Those that run. */
  get members(): readonly Member[] {
    return this.#members.filter(({ running }) => running)
  }

  async join(instance?: string): Promise<Member> {
    const member = await Member.start({
      name: `member-${++this.#started}`,
      client: this.client,
      group,
      bootstrap: this.server.bootstrap,
      topics: [...partitions.keys()],
      sessionTimeoutMs: this.#options.sessionTimeoutMs,
      instance,
      folder: this.folder,
      onObservation: (observation) => this.#observe(observation),
    })
    this.#members.push(member)
    return member
  }

  /** SIGTERM, and the end of it. */
  async leave(member: Member): Promise<void> {
    await member.close(patienceMs)
  }

  /**
   * Each partition has one owner among those that run, each of them owns its share, and in every partition something that was written
   * after this call is read and committed.
   */
  async settled(what: string): Promise<void> {
    const began = performance.now()
    await this.together(what)
    this.#settledMs = Math.max(this.#settledMs, performance.now() - began)
  }

  /** As `settled`, where how long it takes is not the subject: programs have to start. */
  async together(what: string): Promise<void> {
    const before = this.#numbers!.ends()
    await this.#until(`every partition to have its owner after ${what}`, () => this.#everythingOwned())
    await this.#until(`something to be written to every partition after ${what}`, () => {
      return [...this.#numbers!.ends()].every(([name, end]) => end > before.get(name)!)
    })
    const ends = this.#numbers!.ends()
    await this.#until(`all that was written to be read and committed after ${what}`, () => {
      return this.#everythingOwned() && [...ends].every(([name, end]) => this.#isDone(name, end))
    })
  }

  /** What the coordinator has kept, once it has kept all that members know to be committed. */
  async log(): Promise<GroupLog> {
    return waitFor('the log of the group', async () => {
      const told = new Map(this.#committed)
      const log = await readGroupLog(this.server.folders, partitionOfGroup(group), group)
      return wrongCommit(log, told) === null && log
    })
  }

  /** Something happens to the brokers, and the group settles; that the brokers come back is part of it. */
  async brokersMeet(what: string, fault: () => Promise<void>): Promise<void> {
    this.#generationsBefore = (await this.log()).generations.length
    const began = performance.now()
    await fault()
    await this.together(what)
    this.#settledMs = performance.now() - began
  }

  /** Adds a problem unless nothing was given or taken from these members since then. */
  expectUntouched(members: readonly Member[], since: number): void {
    const names = new Set(members.map(({ name }) => name))
    for (const one of this.#observations) {
      if (one.at < since || !names.has(one.member)) continue
      if (one.kind === 'assigned' || one.kind === 'revoked' || one.kind === 'lost') {
        this.#problems.push(`${one.member} was ${one.kind} ${one.partitions.join(' ')}, and nothing was to be moved`)
      }
    }
  }

  expect(holds: boolean, problem: string): void {
    if (!holds) this.#problems.push(problem)
  }

  /** Nothing more is written; everything is read; everyone leaves. Answers what was wrong, all in all. */
  async end(): Promise<string[]> {
    await this.#numbers!.stop()
    const ends = [...this.#numbers!.ends()]
    await this.#until('all to be read and committed', () => ends.every(([name, end]) => this.#isDone(name, end)))
    this.#generations = (await this.log()).generations.length
    for (const member of this.members) await this.leave(member)
    const log = await readGroupLog(this.server.folders, partitionOfGroup(group), group)
    const wrong = wrongCommit(log, this.#committed)
    if (wrong !== null) this.#problems.push(wrong)
    for (const [name, acknowledged] of this.#numbers!.acknowledged) {
      const values = this.#values.get(name)
      const other = acknowledged.find(({ offset, value }) => values?.get(offset) !== value)
      if (other === undefined) continue
      this.#problems.push(`${other.value} was written to offset ${other.offset} of ${name}, and not read there`)
    }
    return this.problems()
  }

  /** Of all that was observed so far. */
  problems(): string[] {
    const ends = this.#members.flatMap(({ endedByItself }) => endedByItself ?? [])
    const { problems } = judge(this.#observations, this.client)
    return [...ends, ...problems, ...this.#problems]
  }

  figures(): Omit<Judgement, 'problem'> {
    const { again, lostLate } = judge(this.#observations, this.client)
    const records = this.#numbers?.count ?? 0
    const generations = this.#generations
    const generationsSince = this.#generationsBefore === null ? null : generations - this.#generationsBefore
    return { records, again, lostLate, generations, generationsSince, settledMs: this.#settledMs }
  }

  async close(): Promise<void> {
    await Promise.all(this.members.map((member) => member.kill()))
    const stopped = this.#numbers?.stop() ?? Promise.resolve()
    await within('the last number', stopped, 10_000).catch(() => {}) // there may be nobody to take it
    await this.#server?.stop()
  }

  #observe(one: Observation): void {
    this.#observations.push(one)
    switch (one.kind) {
      case 'assigned':
        for (const name of one.partitions) this.#ownersOf(name).add(one.member)
        break
      case 'revoked':
      case 'lost':
        for (const name of one.partitions) this.#ownersOf(name).delete(one.member)
        break
      case 'closed':
      case 'ended':
        for (const owners of this.#owners.values()) owners.delete(one.member)
        break
      case 'record': {
        const values = this.#values.get(one.partition) ?? new Map<number, string>()
        values.set(one.offset, one.value)
        this.#values.set(one.partition, values)
        break
      }
      case 'committed':
        this.#committed.set(one.partition, Math.max(this.#committed.get(one.partition) ?? 0, one.offset))
        break
      case 'committing':
      case 'failed':
    }
  }

  #ownersOf(name: PartitionName): Set<string> {
    let owners = this.#owners.get(name)
    if (owners === undefined) {
      owners = new Set()
      this.#owners.set(name, owners)
    }
    return owners
  }

  /** By one of those that run each, and by all of them alike, as every assignor has it with these topics. */
  #everythingOwned(): boolean {
    const owned = new Map(this.members.map(({ name }) => [name, 0]))
    const names = [...this.#numbers!.acknowledged.keys()]
    for (const name of names) {
      const [owner, another] = this.#ownersOf(name)
      if (owner === undefined || another !== undefined) return false
      owned.set(owner, (owned.get(owner) ?? 0) + 1)
    }
    const share = names.length / owned.size
    return [...owned.values()].every((count) => count >= Math.floor(share) && count <= Math.ceil(share))
  }

  /** Read and committed up to `end`. */
  #isDone(name: PartitionName, end: number): boolean {
    return (this.#committed.get(name) ?? 0) >= end && this.#unread(name, end).length === 0
  }

  #unread(name: PartitionName, end: number): number[] {
    const read = this.#values.get(name)
    const unread: number[] = []
    for (let offset = 0; offset < end; offset++) if (read?.has(offset) !== true) unread.push(offset)
    return unread
  }

  /** Fails at once when a member ends by itself. */
  async #until(what: string, holds: () => boolean): Promise<void> {
    let ended: string | null = null
    await waitFor(
      what,
      () => {
        ended = this.#members.flatMap(({ endedByItself }) => endedByItself ?? [])[0] ?? null
        return ended !== null || holds()
      },
      patienceMs,
    ).catch((cause: unknown) => {
      throw new Error(`${wordsOf(cause)}: ${this.#stateInWords()}`, { cause })
    })
    if (ended !== null) throw new Error(ended)
  }

  #stateInWords(): string {
    const ends = this.#numbers!.ends()
    const words = [...ends].map(([name, end]) => {
      const unread = this.#unread(name, end)
      const committed = `committed ${this.#committed.get(name) ?? 0} of ${end}`
      const left = unread.length === 0 ? committed : `${unread.length} unread from ${unread[0]}, ${committed}`
      return `${name} ${[...this.#ownersOf(name)].join('+') || 'nobody'} ${left}`
    })
    return `${this.members.map(({ name }) => name).join(' ')} run; ${words.join(', ')}`
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 2000) : String(error)
}
