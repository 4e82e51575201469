// `npm run bench:cluster`: what a cluster of three brokers does when one of them goes, and what replication costs. Brokers in processes of
// their own, with a real etcd; everything shares this machine, so read ratios where other work runs beside it.
//
//   npm run bench:cluster                      everything, about ten minutes
//   npm run bench:cluster -- kills             kill -9 of a leader, with a lease of 2 s and of 9 s
//   npm run bench:cluster -- restarts          clean restarts under load
//   npm run bench:cluster -- partitions        the death of a broker that leads a third of 3,000 partitions
//   npm run bench:cluster -- throughput        3 replicas beside 1
//   npm run bench:cluster -- memory            of an idle broker, by number of replicas
//   ... --rounds 10 --partitions 3000 --seconds 3 --replicas 0,1000,3000,10000

import { parseArgs } from 'node:util'
import { printMachine } from '../measured.ts'
import { measureKills } from './kill.ts'
import { measureMemory } from './memory.ts'
import { measureDeathOfMany } from './partitions.ts'
import { measureRestarts } from './restart.ts'
import { measureThroughput } from './throughput.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '10' },
    partitions: { type: 'string', default: '3000' },
    seconds: { type: 'string', default: '3' },
    replicas: { type: 'string', default: '0,1000,3000,10000' },
  },
})
const rounds = Number(values.rounds)

const measurements: Record<string, () => Promise<void>> = {
  kills: async () => {
    for (const sessionTimeoutMs of [2000, 9000]) await measureKills(sessionTimeoutMs, rounds)
  },
  restarts: () => measureRestarts(rounds),
  partitions: () => measureDeathOfMany(Number(values.partitions)),
  throughput: () => measureThroughput(Number(values.seconds)),
  memory: () => measureMemory(values.replicas.split(',').map(Number)),
}

const wanted = positionals.length === 0 ? Object.keys(measurements) : positionals
const unknown = wanted.filter((name) => measurements[name] === undefined)
if (unknown.length > 0) {
  console.error(`there is no ${unknown.join()}; there are ${Object.keys(measurements).join(', ')}`)
  process.exit(2)
}
for (const name of wanted) {
  printMachine()
  await measurements[name]!()
}
printMachine()
// What clients left open ends with the process.
process.exit(0)
