// The probe as a peer.

import { join } from 'node:path'
import { freePortsInRow } from './free-ports.ts'
import type { Peer } from './peer.ts'
import { PeerProcesses } from './peer-processes.ts'

const server = join(import.meta.dirname, 'probe-server.ts')

export function probe(): Peer {
  return {
    name: 'probe',

    version: async () => `Node ${process.version}`,

    async start({ data, brokers = 1, settings = [], profile }) {
      if (brokers !== 1 || settings.length > 0) throw new Error('the probe is one process, and has no settings')
      const port = await freePortsInRow(1)
      const profiling = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`]
      return PeerProcesses.start({
        name: 'probe',
        programs: [{ command: process.execPath, args: [...profiling, server, String(port), data] }],
        addresses: [`127.0.0.1:${port}`],
      })
    },

    topicConfigs: (durability) => ({ 'flush.policy': durability }),
  }
}
