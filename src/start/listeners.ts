// Opens the listeners of the settings, and says why one cannot be opened.

import type { BrokerServer, ListenerAddress } from '../broker/server.ts'
import type { BrokerSettings } from '../cluster/settings/broker-settings.ts'
import { NetworkError } from '../io/network.ts'
import { StartRefused } from './start-refused.ts'

const reasons: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'another program listens there'],
  ['EADDRNOTAVAIL', 'this machine does not have that address'],
  ['EACCES', 'this user may not open that port'],
  ['ENOTFOUND', 'there is no host of that name'],
])

/** Answers with the addresses it got. Rejects with `StartRefused`. */
export async function openListeners(server: BrokerServer, settings: BrokerSettings): Promise<ListenerAddress[]> {
  const bound: ListenerAddress[] = []
  for (const { name, host, port } of settings.listeners) {
    try {
      bound.push(await server.listen({ name, host: host === '' ? '0.0.0.0' : host, port }))
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error
      const where = `${host.includes(':') ? `[${host}]` : host}:${port}`
      throw new StartRefused(`cannot listen on ${where}: ${reasons.get(error.code) ?? error.message}`, { cause: error })
    }
  }
  return bound
}
