// The checkpoints of a data folder, an offset for each of its logs: how far it is known to be whole, where it starts, its high watermark,
// how far it is compacted.
// A log that is not open keeps its entries. Requests that come while a write waits its turn share it.
//
// With many logs a write takes some milliseconds, so it is spread over turns of the event loop. Each entry is then as of some moment of
// the write, which is all that a checkpoint says: what it promises held already, and is lowered before it ceases to hold.

import { type Clock, nextTurn } from '../io/clock.ts'
import type { Disk } from '../io/disk.ts'
import type { Logger } from '../lib/logger.ts'
import {
  CheckpointFormatError,
  decodeOffsetCheckpoint,
  encodeCheckpoint,
  type OffsetCheckpoint,
  offsetEntry,
} from './checkpoint-file.ts'
import type { Offset } from './partition-log.ts'

export const checkpointFileNames = {
  recoveryPoints: 'recovery-point-offset-checkpoint',
  logStarts: 'log-start-offset-checkpoint',
  highWatermarks: 'replication-offset-checkpoint',
  cleaned: 'cleaner-offset-checkpoint',
} as const

export type CheckpointName = keyof typeof checkpointFileNames

export const allCheckpoints: readonly CheckpointName[] = ['recoveryPoints', 'logStarts', 'highWatermarks', 'cleaned']

/** Logs that are looked at, or entries that are encoded, in one turn of the event loop: well under a millisecond. */
const entriesPerTurn = 500

interface Doors {
  readonly disk: Disk
  readonly clock: Clock
  readonly logger: Logger
}

export class DirectoryCheckpoints {
  readonly recoveryPoints: OffsetCheckpoint
  readonly logStarts: OffsetCheckpoint
  readonly highWatermarks: OffsetCheckpoint
  readonly cleaned: OffsetCheckpoint
  readonly #doors: Doors
  readonly #path: string
  readonly #written: Partial<Record<CheckpointName, Uint8Array>> = {}
  #running: Promise<void> = Promise.resolve()
  #wanted = new Set<CheckpointName>()
  #waiting: Promise<void> | null = null
  /** Logs that are gone while files still speak of them. */
  readonly #forgotten: Set<string>
  /** Brings the offsets up to date, a log with each step. Called anew right before a write. */
  refresh: () => Iterator<void> = function* nothing() {}

  private constructor(
    doors: Doors,
    path: string,
    found: Record<CheckpointName, OffsetCheckpoint>,
    forgotten: Set<string>,
  ) {
    this.#doors = doors
    this.#path = path
    this.recoveryPoints = found.recoveryPoints
    this.logStarts = found.logStarts
    this.highWatermarks = found.highWatermarks
    this.cleaned = found.cleaned
    this.#forgotten = forgotten
  }

  /** Reads what is there of the logs in `existing`. An unreadable file says nothing: the logs are then read from their beginning. */
  static async read(doors: Doors, path: string, existing: ReadonlyMap<string, unknown>): Promise<DirectoryCheckpoints> {
    const { disk, logger } = doors
    const forgotten = new Set<string>()
    const read = async (name: CheckpointName): Promise<OffsetCheckpoint> => {
      const file = `${path}/${checkpointFileNames[name]}`
      const bytes = await disk.readFile(file)
      // Kafka makes a checkpoint before it has anything to say.
      if (bytes === null || bytes.length === 0) return new Map()
      try {
        const offsets = decodeOffsetCheckpoint(bytes)
        for (const log of offsets.keys()) {
          if (existing.has(log)) continue
          offsets.delete(log)
          forgotten.add(log)
        }
        return offsets
      } catch (error) {
        if (!(error instanceof CheckpointFormatError)) throw error
        logger.warn({ file, err: error }, 'a checkpoint is unreadable')
        return new Map()
      }
    }
    const found = {
      recoveryPoints: await read('recoveryPoints'),
      logStarts: await read('logStarts'),
      highWatermarks: await read('highWatermarks'),
      cleaned: await read('cleaned'),
    }
    return new DirectoryCheckpoints(doors, path, found, forgotten)
  }

  /** The log is gone. What the files say of it lasts until the next write of all of them; see `nameIsFree`. */
  forget(log: string): void {
    for (const name of allCheckpoints) {
      if (this[name].delete(log)) this.#forgotten.add(log)
    }
  }

  /**
   * Resolves when no file speaks of an earlier log of this name: to be awaited before the new one is on disk, for what was confirmed
   * of the old one says nothing about it. Rejects with the disk's faults.
   */
  async nameIsFree(log: string): Promise<void> {
    if (this.#forgotten.has(log)) await this.write(allCheckpoints)
  }

  /** The log is about to be cut at `end`: nothing may be promised beyond it. To be written before that. */
  lower(log: string, end: Offset): void {
    for (const name of allCheckpoints) if ((this[name].get(log) ?? 0) > end) this[name].set(log, end)
  }

  /** Writes the named files as they are when the write begins or later, each only when it has changed. Rejects with the disk's faults. */
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
    // Whoever asks for one of these names from now on waits for a write of its own, which comes after this one.
    const gone = names.size === allCheckpoints.length ? [...this.#forgotten] : []
    const refreshing = this.refresh()
    for (let step = 1; refreshing.next().done !== true; step++) {
      if (step % entriesPerTurn === 0) await nextTurn(this.#doors.clock)
    }
    for (const name of names) {
      const bytes = await this.#encode(this[name])
      if (this.#written[name] !== undefined && Buffer.compare(this.#written[name], bytes) === 0) continue
      // A write that fails may be there all the same.
      delete this.#written[name]
      await this.#doors.disk.replaceFile(`${this.#path}/${checkpointFileNames[name]}`, bytes)
      this.#written[name] = bytes
    }
    for (const log of gone) this.#forgotten.delete(log)
  }

  /** The logs as of now; one that goes meanwhile is left out. */
  async #encode(offsets: OffsetCheckpoint): Promise<Uint8Array> {
    const entries: string[] = []
    const logs = [...offsets.keys()]
    for (const [i, log] of logs.entries()) {
      if (i > 0 && i % entriesPerTurn === 0) await nextTurn(this.#doors.clock)
      const offset = offsets.get(log)
      if (offset !== undefined) entries.push(offsetEntry(log, offset))
    }
    return encodeCheckpoint(entries)
  }
}
