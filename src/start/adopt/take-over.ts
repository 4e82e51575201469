// Carrying an adoption out. Either way the last step is that Odradek's metadata gets its name: until then Kafka's records are as they
// were, a broker refuses to start on the folder (unadopted.ts), and the same call begins again where it matters.
//
//   in place   metadata under another name, Kafka's small files set aside, Kafka's metadata renamed, ours gets its name
//   copied     metadata under another name, logs, small files, ours gets its name; Kafka's folders are only read

import type { Disk } from '../../io/disk.ts'
import type { Random } from '../../io/random.ts'
import { encodeCheckpoint, offsetEntry, type OffsetCheckpoint } from '../../storage/checkpoint-file.ts'
import { putCleanMarker } from '../../storage/directory-start.ts'
import { encodeMetaProperties } from '../../storage/meta-properties.ts'
import { leftoverSuffixes } from '../../storage/segment-names.ts'
import { metadataFolder } from '../metadata.ts'
import {
  adoptingFolder,
  asideSuffix,
  type CheckpointFile,
  checkpointFiles,
  type KafkaFolder,
  type KafkaLog,
  metaPropertiesFile,
} from './kafka-folder.ts'
import type { AdoptionPlan } from './plan.ts'
import { bytesInWords, plural } from './words.ts'

export interface TakeOverDoors {
  readonly disk: Disk
  readonly random: Random
  readonly copyFile: (from: string, to: string) => Promise<'copied' | 'same'>
  readonly say: (line: string) => void
}

const highWatermarks: CheckpointFile = 'replication-offset-checkpoint'
/** Copied at the same time: each file waits for the disk. */
const logsAtOnce = 16

/** Kafka's files in `folder` become Odradek's. The metadata lies in `adoptingFolder` already. Answers what Kafka's files are called now. */
export async function setKafkasFilesAside(
  { disk, random }: TakeOverDoors,
  folder: KafkaFolder,
  plan: AdoptionPlan,
): Promise<string[]> {
  const replaced = new Map([[metaPropertiesFile, metaPropertiesOf(folder, plan, random)]])
  // After a crash Kafka's high watermarks promise more than its disk may hold. Ours are a promise.
  if (!plan.wasClean) replaced.set(highWatermarks, encodeCheckpoint([]))
  const present = new Set((await disk.list(folder.path)).map(({ name }) => name))
  const aside: string[] = []
  for (const [name, bytes] of replaced) {
    const path = `${folder.path}/${name}`
    const original = present.has(name + asideSuffix) && folder.isBeingAdopted ? null : await disk.readFile(path)
    if (original !== null) await disk.replaceFile(path + asideSuffix, original)
    await disk.replaceFile(path, bytes)
    if (original !== null || present.has(name + asideSuffix)) aside.push(name)
  }
  const isKafkas = folder.metadataFolder === `${folder.path}/${metadataFolder}`
  if (isKafkas) await disk.rename(folder.metadataFolder, folder.metadataFolder + asideSuffix)
  if (folder.metadataFolder !== null) aside.push(metadataFolder)
  await disk.syncFolder(folder.path)
  return aside
}

/** The last step. */
export async function nameMetadata(disk: Disk, folder: string): Promise<void> {
  await disk.rename(`${folder}/${adoptingFolder}`, `${folder}/${metadataFolder}`)
  await disk.syncFolder(folder)
}

/** Copies the planned logs into `data`, over what an interrupted call has left there. */
export async function copyLogs(
  { disk, copyFile, say }: TakeOverDoors,
  data: string,
  plan: AdoptionPlan,
): Promise<void> {
  const logs = plan.topics.flatMap(({ partitions }) => partitions.flatMap(({ log }) => (log === null ? [] : [log])))
  const wanted = new Set([adoptingFolder, ...logs.map(({ name }) => name)])
  for (const { name, kind } of await disk.list(data)) {
    if (kind === 'folder' && !wanted.has(name) && name !== foreignFolder) await disk.remove(`${data}/${name}`)
  }
  const totalBytes = logs.reduce((sum, log) => sum + log.sizeBytes, 0)
  const progress = new Progress(totalBytes, say)
  // All take from the same list; when one fails, nothing new is begun.
  const rest = logs.values()
  let fault: unknown = null
  const copyInTurn = async () => {
    for (const log of rest) {
      try {
        await copyLog(disk, copyFile, log, `${data}/${log.name}`)
      } catch (error) {
        fault ??= error
      }
      if (fault !== null) return
      progress.add(log.sizeBytes)
    }
  }
  await Promise.all(Array.from({ length: logsAtOnce }, copyInTurn))
  if (fault !== null) throw fault
  await disk.syncFolder(data)
  say(`copied ${plural(logs.length, 'partition')}, ${bytesInWords(totalBytes)}`)
}

async function copyLog(disk: Disk, copyFile: TakeOverDoors['copyFile'], log: KafkaLog, target: string): Promise<void> {
  await disk.makeFolder(target)
  const files = log.files.filter(({ name }) => !leftoverSuffixes.some((suffix) => name.endsWith(suffix)))
  const names = new Set(files.map(({ name }) => name))
  for (const { name } of await disk.list(target)) if (!names.has(name)) await disk.remove(`${target}/${name}`)
  for (const { name } of files) await copyFile(`${log.folder}/${name}`, `${target}/${name}`)
  await disk.syncFolder(target)
}

/** Says each tenth of the bytes. */
class Progress {
  readonly #totalBytes: number
  readonly #say: (line: string) => void
  #bytes = 0
  #saidTenths = 0

  constructor(totalBytes: number, say: (line: string) => void) {
    this.#totalBytes = totalBytes
    this.#say = say
  }

  add(bytes: number): void {
    this.#bytes += bytes
    const tenths = Math.floor((this.#bytes / this.#totalBytes) * 10)
    if (tenths > this.#saidTenths && tenths < 10)
      this.#say(`copied ${tenths * 10}% of ${bytesInWords(this.#totalBytes)}`)
    this.#saidTenths = Math.max(this.#saidTenths, tenths)
  }
}

/** What lies beside the logs: whose they are, and how far they are known to be whole. */
export async function writeSmallFiles(
  { disk, random }: TakeOverDoors,
  data: string,
  folders: readonly KafkaFolder[],
  plan: AdoptionPlan,
): Promise<void> {
  const names = new Set(plan.topics.flatMap(({ partitions }) => partitions.map(({ log }) => log?.name)))
  for (const file of checkpointFiles) {
    if (file === highWatermarks && !plan.wasClean) continue
    const merged: OffsetCheckpoint = new Map()
    for (const { checkpoints, logs } of folders) {
      // An old folder may still speak of a log that has moved to another one.
      const here = new Set(logs.map(({ name }) => name))
      for (const [name, offset] of checkpoints.get(file) ?? []) {
        if (names.has(name) && here.has(name)) merged.set(name, offset)
      }
    }
    if (merged.size > 0)
      await disk.replaceFile(
        `${data}/${file}`,
        encodeCheckpoint([...merged].map(([name, offset]) => offsetEntry(name, offset))),
      )
  }
  const [first] = folders
  await disk.replaceFile(
    `${data}/${metaPropertiesFile}`,
    metaPropertiesOf({ ...first!, directoryId: null }, plan, random),
  )
  if (plan.wasClean) await putCleanMarker(disk, data)
}

/** Made by mkfs, on a volume of its own. */
export const foreignFolder = 'lost+found'

function metaPropertiesOf({ directoryId }: KafkaFolder, plan: AdoptionPlan, random: Random): Uint8Array {
  const { clusterId, brokerId } = plan
  return encodeMetaProperties({ clusterId, nodeId: brokerId, directoryId: directoryId ?? random.uuid() })
}
