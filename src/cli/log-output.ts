// Where log lines go: readable on a terminal, one JSON object a line everywhere else.

import { writeSync } from 'node:fs'
import { systemClock } from '../io/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { onDemand } from '../lib/on-demand.ts'
import { jsonLines, type LogLevel } from './json-lines.ts'

const pretty = onDemand((require) => require('pino-pretty') as typeof import('pino-pretty'))

const stdout = 1
/** A reader that is behind is asked again after this. */
const BUSY_MS = 10

export function openLog(level: LogLevel, onTerminal = process.stdout.isTTY, base?: object): Logger {
  const now = () => systemClock.now()
  if (!onTerminal) return jsonLines({ level, ...(base && { base }), now, write: writeOut })
  const words = pretty().prettyFactory({ colorize: true, singleLine: true, translateTime: 'SYS:HH:MM:ss.l' })
  return jsonLines({ level, now, write: (line) => writeOut(words(line)) })
}

/**
 * Returns when it is written, so that the last words of a process that ends are not lost. Whoever read the lines may be gone: the broker's
 * clients are not.
 */
function writeOut(text: string): void {
  const bytes = Buffer.from(text)
  let at = 0
  while (at < bytes.length) {
    try {
      at += writeSync(stdout, bytes, at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS)
    }
  }
}
