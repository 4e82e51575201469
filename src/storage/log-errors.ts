// Faults of a log that are not the disk's own words.

import type { Offset } from './partition-log.ts'

/**
 * What the disk holds is not what was confirmed: a batch is damaged where it must be whole. The log stays offline, nothing is cut:
 * only an operator, or another replica, can know what belongs there.
 */
export class CorruptLogError extends Error {
  override readonly name = 'CorruptLogError'
  readonly file: string
  readonly position: number
  /** The first offset that cannot be trusted. */
  readonly offset: Offset

  constructor(file: string, position: number, offset: Offset, reason: string) {
    super(`${file} is damaged at byte ${position}, offset ${offset}: ${reason}`)
    this.file = file
    this.position = position
    this.offset = offset
  }
}

/** There was no room on the disk: what was appended last is dropped. The log goes on when there is. */
export class RecordsDropped extends Error {
  override readonly name = 'RecordsDropped'
}

/** The log was closed, or its partition deleted. */
export class LogClosedError extends Error {
  override readonly name = 'LogClosedError'
}
