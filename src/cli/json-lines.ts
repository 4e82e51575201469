// Log lines as JSON, one object a line, named as in pino's lines, which tools know: level, time, the fields, msg.
// An own writer, for it is small: a library's costs an idle broker 7 MB.

import type { Logger } from '../lib/logger.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

const weights: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50, silent: Infinity }

export const logLevels = Object.keys(weights) as readonly LogLevel[]

export interface JsonLinesOptions {
  /** What is below is left out. */
  readonly level: LogLevel
  /** With every line. */
  readonly base?: object
  /** Wall time, milliseconds since 1970. */
  readonly now: () => number
  /** Takes one line with its end. */
  readonly write: (line: string) => void
}

export function jsonLines({ level, base, now, write }: JsonLinesOptions): Logger {
  const at = (name: Exclude<LogLevel, 'silent'>): Logger['info'] => {
    const weight = weights[name]
    if (weight < weights[level]) return () => {}
    return (fields, message) => {
      const head = { level: weight, time: new Date(now()).toISOString(), ...base }
      write(`${lineOf(head, fields, message)}\n`)
    }
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** What cannot be written as JSON costs its fields, not the line. */
function lineOf(head: object, fields: object, message: string): string {
  try {
    return JSON.stringify({ ...head, ...fields, msg: message }, readable)
  } catch (error) {
    return JSON.stringify({ ...head, fieldsLost: String(error), msg: message })
  }
}

/** What JSON alone makes nothing of. */
function readable(_name: string, value: unknown): unknown {
  if (value instanceof Error) return fieldsOf(value)
  return typeof value === 'bigint' ? value.toString() : value
}

/** Message and stack tell of the causes, too. */
function fieldsOf(error: Error): object {
  const errors = withCauses(error)
  return {
    type: error.constructor.name,
    message: errors.map(({ message }) => message).join(': '),
    stack: errors.map(({ stack }) => stack).join('\ncaused by: '),
    ...(error instanceof AggregateError && { aggregateErrors: error.errors as unknown[] }),
    ...Object.fromEntries(Object.entries(error)),
  }
}

function withCauses(error: Error): readonly Error[] {
  const errors = [error]
  for (let { cause } = error; cause instanceof Error && !errors.includes(cause); { cause } = cause) errors.push(cause)
  return errors
}
