// What embedded brokers have in common: how they say where they are, and what they say when something goes wrong.

import { type Logger, silentLogger } from '../lib/logger.ts'

export const errorsOnly: Logger = {
  ...silentLogger,
  error: (fields, message) => console.error(`odradek: ${message}`, fields),
}

/** An IPv6 address as it stands before a port. */
export const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host)

/** Where a client of this machine reaches a listener. */
export function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}
