// Where log lines go: readable on a terminal, one JSON object a line everywhere else.

import pino from 'pino'
import { onDemand } from '../lib/on-demand.ts'

const pretty = onDemand((require) => require('pino-pretty') as typeof import('pino-pretty'))

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent']

/** Synchronous, so that the last words of a process that ends are not lost. `base`: with every line of JSON. */
export function openLog(
  level: LogLevel,
  onTerminal = process.stdout.isTTY,
  base: Readonly<Record<string, unknown>> | null = null,
): pino.Logger {
  const options: pino.LoggerOptions = {
    level,
    base: onTerminal ? null : base,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { error: pino.stdSerializers.err },
  }
  if (onTerminal) {
    return pino(options, pretty()({ colorize: true, sync: true, singleLine: true, translateTime: 'SYS:HH:MM:ss.l' }))
  }
  const output = pino.destination({ dest: 1, sync: true })
  // Whoever read the lines may be gone; the broker's clients are not.
  output.on('error', () => {})
  return pino(options, output)
}
