// The probe: the least that a broker must do, and that as well as Node can: receive, hold each batch against its CRC-32C, append it to a
// file, answer; and read, send. It has no indexes, no checks but that one, no sessions and no limits, and forgets its topics when it ends.
// What it reaches is what the machine and Node allow.
//
//   node bench/peers/probe-server.ts PORT FOLDER

import { mkdirSync } from 'node:fs'
import { Connection } from './probe/connection.ts'
import { serve } from './probe/receiver.ts'
import { Topics } from './probe/topics.ts'

const [port, folder] = process.argv.slice(2)
if (port === undefined || folder === undefined) throw new Error('usage: probe-server.ts PORT FOLDER')

mkdirSync(folder, { recursive: true })
const topics = new Topics(folder, Number(port))
serve(Number(port), (socket) => new Connection(socket, topics))
process.once('SIGTERM', () => process.exit(0))
