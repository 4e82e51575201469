// Ports for a peer to listen on. It is told them before it starts, so that nobody has to read in its log where it listens.
//
// They lie below those that systems give to outgoing connections (from 32768 on Linux): there, a connection to a port on which nobody
// listens yet may be given that port as its own, and then it talks to itself.

import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'

const lowest = 15_000
const beyond = 32_000
const triesMax = 100

/** The first of `count` ports in a row that are free on 127.0.0.1 now. */
export async function freePortsInRow(count: number): Promise<number> {
  for (let tries = 0; tries < triesMax; tries++) {
    const first = randomInt(lowest, beyond - count)
    const servers: Server[] = []
    try {
      for (let port = first; port < first + count; port++) servers.push(await listeningOn(port))
      return first
    } catch {
      // One of them is taken: try elsewhere.
    } finally {
      await Promise.all(servers.map(close))
    }
  }
  throw new Error(`no ${count} free ports in a row`)
}

async function listeningOn(port: number): Promise<Server> {
  const server = createServer()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function close(server: Server): Promise<void> {
  server.close()
  await once(server, 'close')
}
