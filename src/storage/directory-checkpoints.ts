// The checkpoints of a data folder, an offset for each of its logs: how far it is known to be whole, where it starts, its high watermark.
// A log that is not open keeps its entries. Requests that come while a write waits its turn share it.

import type { Disk } from '../io/disk.ts'
import type { Logger } from '../lib/logger.ts'
import {
  CheckpointFormatError,
  decodeOffsetCheckpoint,
  encodeOffsetCheckpoint,
  type OffsetCheckpoint,
} from './checkpoint-file.ts'
import type { Offset } from './partition-log.ts'

const fileNames = {
  recoveryPoints: 'recovery-point-offset-checkpoint',
  logStarts: 'log-start-offset-checkpoint',
  highWatermarks: 'replication-offset-checkpoint',
} as const

export type CheckpointName = keyof typeof fileNames

export const allCheckpoints: readonly CheckpointName[] = ['recoveryPoints', 'logStarts', 'highWatermarks']

export class DirectoryCheckpoints {
  readonly recoveryPoints: OffsetCheckpoint
  readonly logStarts: OffsetCheckpoint
  readonly highWatermarks: OffsetCheckpoint
  readonly #disk: Disk
  readonly #path: string
  readonly #written: Partial<Record<CheckpointName, string>> = {}
  #running: Promise<void> = Promise.resolve()
  #wanted = new Set<CheckpointName>()
  #waiting: Promise<void> | null = null
  /** Called right before a write: brings the offsets up to date. */
  refresh: () => void = () => {}

  private constructor(disk: Disk, path: string, found: Record<CheckpointName, OffsetCheckpoint>) {
    this.#disk = disk
    this.#path = path
    this.recoveryPoints = found.recoveryPoints
    this.logStarts = found.logStarts
    this.highWatermarks = found.highWatermarks
  }

  /** Reads what is there of the logs in `existing`. An unreadable file says nothing: the logs are then read from their beginning. */
  static async read(
    { disk, logger }: { disk: Disk; logger: Logger },
    path: string,
    existing: ReadonlyMap<string, unknown>,
  ): Promise<DirectoryCheckpoints> {
    const read = async (name: CheckpointName): Promise<OffsetCheckpoint> => {
      const file = `${path}/${fileNames[name]}`
      const bytes = await disk.readFile(file)
      if (bytes === null) return new Map()
      try {
        return new Map([...decodeOffsetCheckpoint(bytes)].filter(([log]) => existing.has(log)))
      } catch (error) {
        if (!(error instanceof CheckpointFormatError)) throw error
        logger.warn({ file, err: error }, 'a checkpoint is unreadable')
        return new Map()
      }
    }
    return new DirectoryCheckpoints(disk, path, {
      recoveryPoints: await read('recoveryPoints'),
      logStarts: await read('logStarts'),
      highWatermarks: await read('highWatermarks'),
    })
  }

  /** The log is gone. To be written before its name is used again. */
  forget(log: string): void {
    for (const name of allCheckpoints) this[name].delete(log)
  }

  /** The log is about to be cut at `end`: nothing may be promised beyond it. To be written before that. */
  lower(log: string, end: Offset): void {
    for (const name of allCheckpoints) if ((this[name].get(log) ?? 0) > end) this[name].set(log, end)
  }

  /** Writes the named files as they are when the write begins, each only when it has changed. Rejects with the disk's faults. */
  write(names: readonly CheckpointName[]): Promise<void> {
    for (const name of names) this.#wanted.add(name)
    this.#waiting ??= this.#running.then(() => this.#writeWanted())
    this.#running = this.#waiting.catch(() => undefined)
    return this.#waiting
  }

  async #writeWanted(): Promise<void> {
    const names = this.#wanted
    this.#wanted = new Set()
    this.#waiting = null
    this.refresh()
    for (const name of names) {
      const text = Buffer.from(encodeOffsetCheckpoint(this[name])).toString()
      if (this.#written[name] === text) continue
      await this.#disk.replaceFile(`${this.#path}/${fileNames[name]}`, Buffer.from(text))
      this.#written[name] = text
    }
  }
}
