// Taking over what a stopped Apache Kafka has left on disk: looked at, decided (plan.ts), said, and carried out (take-over.ts).

import { resolve } from 'node:path'
import { KraftLogDamaged, readKraftLog } from '../../cluster/kraft-log.ts'
import { KraftMetadata, KraftMetadataBroken } from '../../cluster/kraft-metadata.ts'
import type { Clock } from '../../io/clock.ts'
import type { Disk } from '../../io/disk.ts'
import type { LockHolder } from '../../io/file-lock-holder.ts'
import { DecodeError } from '../../protocol/schema/index.ts'
import { Gate } from '../../storage/gate.ts'
import { decodeMetaProperties } from '../../storage/meta-properties.ts'
import { metadataFolder } from '../metadata.ts'
import {
  adoptingFolder,
  asideSuffix,
  cleanShutdownFile,
  type KafkaFolder,
  type KafkaLog,
  lockFile,
  metaPropertiesFile,
  readKafkaFolder,
} from './kafka-folder.ts'
import { factsOf, type LogFacts } from './kafka-log.ts'
import { writeNewMetadata } from './new-metadata.ts'
import { type AdoptionOptions, type AdoptionPlan, planAdoption, type PlannedPartition } from './plan.ts'
import {
  copyLogs,
  foreignFolder,
  nameMetadata,
  setKafkasFilesAside,
  type TakeOverDoors,
  writeSmallFiles,
} from './take-over.ts'
import { bytesInWords, plural } from './words.ts'

export interface AdoptRequest extends AdoptionOptions {
  /** Kafka's `log.dirs`. */
  readonly folders: readonly string[]
  /** Where the records are copied to; null: they stay where they are. */
  readonly data: string | null
  /** Where KRaft's metadata log is, or the folder around it; null: in one of `folders`. */
  readonly metadata: string | null
  /** The operator knows that Kafka has stopped, where the system does not tell. */
  readonly force: boolean
  /** Looks and says, and changes nothing. */
  readonly dryRun: boolean
}

export interface AdoptDoors extends TakeOverDoors {
  readonly clock: Clock
  readonly lockHolderOf: (path: string) => Promise<LockHolder>
}

export type Adoption =
  | { readonly ok: true; readonly data: string; readonly plan: AdoptionPlan }
  /** Nothing of Kafka's was changed. */
  | { readonly ok: false; readonly problems: readonly string[] }

/** Rejects with the disk's faults: then the same call may be made again. */
export async function adoptKafka(doors: AdoptDoors, request: AdoptRequest): Promise<Adoption> {
  const problem = placeProblem(request)
  if (problem !== null) return { ok: false, problems: [problem] }
  const adopting = new Adopting(doors, request)
  const [folder] = request.folders
  // Into a new folder nothing is locked, nor made, before it is known that it can be done.
  const isInPlace = request.data === null && !request.dryRun && (await doors.disk.list(folder!)).length > 0
  return isInPlace ? withLock(doors.disk, folder!, () => adopting.run()) : adopting.run()
}

/** While no broker uses the folder, and none begins to. */
async function withLock(disk: Disk, folder: string, work: () => Promise<Adoption>): Promise<Adoption> {
  const lock = await disk.lock(folder)
  if (lock === null) return { ok: false, problems: [`${folder} is in use by Odradek`] }
  try {
    return await work()
  } finally {
    await lock.release()
  }
}

function placeProblem({ folders, data }: AdoptRequest): string | null {
  if (folders.length === 0) return "no folder of Kafka's is named"
  if (data === null) {
    return folders.length === 1
      ? null
      : 'a broker of Odradek keeps its records in one folder: name a new one with --data'
  }
  const inside = folders.find((folder) => `${resolve(data)}/`.startsWith(`${resolve(folder)}/`))
  if (inside === undefined) return null
  return `${data} lies in Kafka's own folder ${inside}: name another one, or leave --data out to take the folder over in place`
}

class Adopting {
  readonly #doors: AdoptDoors
  readonly #request: AdoptRequest
  readonly #target: string

  constructor(doors: AdoptDoors, request: AdoptRequest) {
    this.#doors = doors
    this.#request = request
    this.#target = request.data ?? request.folders[0]!
  }

  async run(): Promise<Adoption> {
    const running = await this.#running()
    if (running.length > 0) return { ok: false, problems: running }
    const found = await this.#look()
    if (!found.ok) return found
    const planned = planAdoption({ ...found, newId: () => this.#doors.random.uuid() }, this.#request)
    if (!planned.ok) return planned
    const { plan } = planned
    this.#sayPlan(found.folders, plan)
    if (this.#request.dryRun) {
      this.#doors.say('Nothing was changed (--dry-run).')
      return { ok: true, data: this.#target, plan }
    }
    if (this.#request.data === null) return this.#carryOut(found.folders, plan)
    await this.#doors.disk.makeFolder(this.#target)
    return withLock(this.#doors.disk, this.#target, async () => {
      // Another adoption may have been there in between.
      const problems = await this.#targetProblems()
      return problems.length > 0 ? { ok: false, problems } : this.#carryOut(found.folders, plan)
    })
  }

  /** Where Kafka still runs, or may run. */
  async #running(): Promise<string[]> {
    const { folders, metadata, force } = this.#request
    const problems: string[] = []
    for (const folder of new Set([...folders, ...(metadata === null ? [] : [metadata])])) {
      const holder = await this.#doors.lockHolderOf(`${folder}/${lockFile}`)
      if (holder.kind === 'process') problems.push(`Kafka runs on ${folder} (process ${holder.pid}): stop it first`)
      if (holder.kind === 'unknown' && !force) {
        problems.push(
          `whether Kafka still runs on ${folder} cannot be seen here: make sure that it does not, then say --force`,
        )
      }
    }
    return problems
  }

  async #look() {
    const { disk } = this.#doors
    const problems: string[] = []
    const folders: KafkaFolder[] = []
    for (const path of this.#request.folders) {
      const read = await readKafkaFolder(disk, path)
      if (read.ok) folders.push(read.folder)
      else problems.push(read.problem)
    }
    problems.push(...differences(folders), ...(await this.#targetProblems()))
    if (problems.length > 0) return { ok: false as const, problems }
    const place = await this.#metadataPlace(folders)
    if (!place.ok) return { ok: false as const, problems: [place.problem] }
    const metadata = place.path === null ? null : await this.#readMetadata(place.path)
    if (typeof metadata === 'string') return { ok: false as const, problems: [metadata] }
    const facts = new Map<KafkaLog, LogFacts>()
    const gate = new Gate(16)
    const logs = folders.flatMap((folder) => folder.logs)
    await Promise.all(logs.map((log) => gate.run(async () => facts.set(log, await factsOf(disk, log)))))
    return { ok: true as const, folders, metadata, facts }
  }

  /** Only a new folder, or one where the same was begun: what else lies there would be taken for part of it. */
  async #targetProblems(): Promise<string[]> {
    const { data } = this.#request
    if (data === null) return []
    const names = (await this.#doors.disk.list(data)).map(({ name }) => name)
    if (names.includes(adoptingFolder)) return []
    const others = names.filter((name) => name !== foreignFolder && !name.startsWith(`${lockFile}-`))
    if (others.length === 0) return []
    return [`${data} is not empty: the records are copied into a folder of their own`]
  }

  async #metadataPlace(
    folders: readonly KafkaFolder[],
  ): Promise<{ readonly ok: true; readonly path: string | null } | { readonly ok: false; readonly problem: string }> {
    const { disk } = this.#doors
    const { metadata } = this.#request
    if (metadata === null) {
      const having = folders.filter((folder) => folder.metadataFolder !== null)
      if (having.length < 2) return { ok: true, path: having[0]?.metadataFolder ?? null }
      const paths = having.map((folder) => folder.metadataFolder)
      return {
        ok: false,
        problem: `there are two metadata logs: ${paths.join(' and ')}; say with --metadata which one counts`,
      }
    }
    for (const path of [`${metadata}/${metadataFolder}`, `${metadata}/${metadataFolder}${asideSuffix}`, metadata]) {
      const names = (await disk.list(path)).map(({ name }) => name)
      if (!names.some((name) => name.endsWith('.log') || name.endsWith('.checkpoint'))) continue
      const properties = await disk.readFile(`${metadata}/${metaPropertiesFile}`)
      const clusterId = properties === null ? null : decodeMetaProperties(properties).clusterId
      if (clusterId === null || clusterId === folders[0]!.clusterId) return { ok: true, path }
      return { ok: false, problem: `${metadata} is of cluster ${clusterId}, the logs are of ${folders[0]!.clusterId}` }
    }
    return { ok: false, problem: `${metadata} holds no metadata log of KRaft` }
  }

  /** What it says, or why it cannot be read. */
  async #readMetadata(path: string): Promise<KraftMetadata | string> {
    const metadata = new KraftMetadata()
    try {
      const { endOffset, tornBytes } = await readKraftLog(this.#doors.disk, path, (value) => metadata.apply(value))
      this.#doors.say(`Read Kafka's metadata log ${path} up to offset ${endOffset}.`)
      if (tornBytes > 0)
        this.#doors.say(`Its last ${tornBytes} bytes are a record that was not written whole, and are left out.`)
      return metadata
    } catch (error) {
      if (error instanceof KraftLogDamaged) return error.message
      if (error instanceof KraftMetadataBroken) return `${path} is not whole: ${error.message}`
      if (error instanceof DecodeError)
        return `${path} was written by a Kafka that Odradek does not know yet: ${error.message}`
      throw error
    }
  }

  #sayPlan(folders: readonly KafkaFolder[], plan: AdoptionPlan): void {
    const { say } = this.#doors
    for (const { path, clusterId, nodeId, wasClean } of folders) {
      const stop = wasClean ? 'stopped cleanly' : 'not stopped cleanly: its logs will be checked when Odradek starts'
      say(`${path}: Apache Kafka, cluster ${clusterId}, node ${nodeId}, ${stop}.`)
    }
    const partitions = plan.topics.flatMap((topic) => topic.partitions)
    const sizeOf = (some: readonly PlannedPartition[]) => some.reduce((sum, { log }) => sum + (log?.sizeBytes ?? 0), 0)
    say(
      `${plural(plan.topics.length, 'topic')}, ${plural(partitions.length, 'partition')}, ${bytesInWords(sizeOf(partitions))}:`,
    )
    for (const topic of plan.topics.slice(0, topicsSaidMax)) {
      const configs = [...topic.configs].map(([name, value]) => `${name}=${value}`).join(' ')
      const size = `${plural(topic.partitions.length, 'partition')}, ${bytesInWords(sizeOf(topic.partitions))}`
      say(`  ${topic.name}: ${size}${configs === '' ? '' : `, ${configs}`}`)
    }
    if (plan.topics.length > topicsSaidMax) say(`  and ${plan.topics.length - topicsSaidMax} more`)
    if (plan.leftOut.length > 0) say('Left out:')
    for (const line of plan.leftOut) say(`  ${line}`)
    if (plan.notes.length > 0) say('Note:')
    for (const line of plan.notes) say(`  ${line}`)
  }

  async #carryOut(folders: readonly KafkaFolder[], plan: AdoptionPlan): Promise<Adoption> {
    const { disk, say } = this.#doors
    const { data } = this.#request
    const target = this.#target
    say(`Writing Odradek's metadata, ${target}/${adoptingFolder}`)
    await writeNewMetadata(this.#doors, `${target}/${adoptingFolder}`, plan)
    if (data !== null) {
      say(`Copying the records to ${data}`)
      await copyLogs(this.#doors, data, plan)
      await writeSmallFiles(this.#doors, data, folders, plan)
    }
    const running = await this.#running()
    const changed = running.length > 0 ? running : await this.#startedMeanwhile(folders)
    if (changed.length > 0) return { ok: false, problems: changed }
    if (data === null) {
      const aside = await setKafkasFilesAside(this.#doors, folders[0]!, plan)
      await nameMetadata(disk, target)
      this.#sayWayBack(target, aside)
    } else {
      await nameMetadata(disk, target)
      say(`Done. Kafka's folders are as they were; to go back, start Kafka on them and delete ${data}.`)
    }
    return { ok: true, data: target, plan }
  }

  /** Kafka takes its mark of a clean stop away when it starts. */
  async #startedMeanwhile(folders: readonly KafkaFolder[]): Promise<string[]> {
    const problems: string[] = []
    for (const { path, wasClean } of folders) {
      const isClean = (await this.#doors.disk.readFile(`${path}/${cleanShutdownFile}`)) !== null
      if (isClean !== wasClean) problems.push(`Kafka was started on ${path} meanwhile: begin again when it has stopped`)
    }
    return problems
  }

  #sayWayBack(folder: string, aside: readonly string[]): void {
    const { say } = this.#doors
    say(`Done. Kafka's own files are kept beside: ${aside.map((name) => name + asideSuffix).join(', ')}.`)
    say('To go back to Kafka, as long as Odradek was not started on the folder:')
    say(`  rm -r ${folder}/${metadataFolder}`)
    for (const name of aside) say(`  mv ${folder}/${name}${asideSuffix} ${folder}/${name}`)
  }
}

const topicsSaidMax = 50

/** One node's folders are of one cluster and one node. */
function differences(folders: readonly KafkaFolder[]): string[] {
  const [first, ...others] = folders
  return others.flatMap(({ path, clusterId, nodeId }) => {
    if (clusterId !== first!.clusterId)
      return [`${path} is of cluster ${clusterId}, ${first!.path} of ${first!.clusterId}`]
    if (nodeId !== first!.nodeId)
      return [`${path} is of node ${nodeId}, ${first!.path} of node ${first!.nodeId}: adopt one node at a time`]
    return []
  })
}
