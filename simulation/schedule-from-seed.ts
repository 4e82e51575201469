// A schedule from a seed. Each seed has its own few kinds of faults and its own pace (swarm testing: a run in which everything happens
// shows less than many in which a few things happen often).

import type { SeededRandom } from '../src/io/random.sim.ts'
import type { Millis } from '../src/io/clock.ts'
import type { Fault, Schedule, ScheduledFault } from './schedule.ts'

type Kind = Fault['kind']

/** How often a kind is among those of a seed, in percent. */
const likelihood: Readonly<Record<Kind, number>> = {
  crash: 60,
  kill: 50,
  stop: 30,
  emptyDisk: 25,
  oldDisk: 25,
  freeze: 40,
  slowBroker: 15,
  slowDisk: 30,
  diskFull: 15,
  diskFails: 20,
  clock: 20,
  cut: 50,
  latency: 20,
  reset: 25,
  etcdCut: 40,
  etcdKill: 20,
  etcdFreeze: 20,
  etcdCalls: 35,
  etcdCompacts: 15,
  leaseLost: 25,
}

/** A disk is lost only while all else is well: as long before and after nothing else happens. Two copies lost are records lost. */
const quietMs: Millis = 8000

export function scheduleOf(random: SeededRandom, { brokers }: { readonly brokers: number }): Schedule {
  const durationMs = 15_000 + random.below(40_000)
  const kinds = (Object.keys(likelihood) as Kind[]).filter((kind) => random.below(100) < likelihood[kind])
  const gapMsMax = random.pick([800, 2000, 5000, 10_000])
  const lengthMsMax = random.pick([500, 3000, 8000, 15_000])
  const items: ScheduledFault[] = []
  const losses: { from: Millis; to: Millis }[] = []
  for (const kind of ['emptyDisk', 'oldDisk'] as const) {
    if (!kinds.includes(kind)) continue
    const untilMs = quietMs + random.below(durationMs)
    if (losses.some(({ from, to }) => untilMs + quietMs > from && untilMs - quietMs < to)) continue
    losses.push({ from: untilMs - quietMs, to: untilMs + quietMs })
    const atMs = kind === 'oldDisk' ? random.below(untilMs) : untilMs - 1
    items.push({ atMs, untilMs, fault: { kind, machine: 1 + random.below(brokers) } })
  }
  const others = kinds.filter((kind) => kind !== 'emptyDisk' && kind !== 'oldDisk')
  if (others.length > 0) {
    for (let atMs = random.below(2000); atMs < durationMs; atMs += 50 + random.below(gapMsMax)) {
      const fault = faultOf(random, random.pick(others), brokers)
      const untilMs = Math.min(durationMs, atMs + 20 + random.below(lengthMsMax))
      if (losses.some(({ from, to }) => untilMs > from && atMs < to)) continue
      items.push({ atMs, untilMs, fault })
    }
  }
  return { durationMs, items: items.toSorted((one, other) => one.atMs - other.atMs) }
}

function faultOf(random: SeededRandom, kind: Kind, brokers: number): Fault {
  const machine = 1 + random.below(brokers)
  const other = 1 + ((machine + random.below(Math.max(1, brokers - 1))) % brokers)
  switch (kind) {
    case 'crash':
    case 'kill':
    case 'stop':
    case 'emptyDisk':
    case 'oldDisk':
    case 'etcdCut':
    case 'leaseLost':
      return { kind, machine }
    case 'freeze':
      return { kind, machine, thaw: random.pick(['ioFirst', 'timersFirst']) }
    case 'slowBroker':
      return { kind, machine, everyMs: 100, forMs: 20 + random.below(75) }
    case 'slowDisk':
      return { kind, machine, syncMsMax: random.pick([20, 200, 1000]), otherMsMax: random.pick([0.2, 20, 100]) }
    case 'diskFull':
      return { kind, machine, roomBytes: random.below(20_000) }
    case 'diskFails':
      return { kind, machine, operation: random.pick(['read', 'write', 'sync']), times: random.pick([1, 2, 1_000_000]) }
    case 'clock':
      return { kind, machine, offMs: random.pick([-1, 1]) * random.pick([10, 1000, 10_000, 600_000]) }
    case 'cut':
      return {
        kind,
        from: machine,
        to: otherOrClients(random, machine, other),
        ways: random.pick(['both', 'there', 'back']),
      }
    case 'latency':
      return { kind, from: machine, to: otherOrClients(random, machine, other), latencyMs: random.pick([5, 50, 500]) }
    case 'reset':
      return { kind, from: machine, to: otherOrClients(random, machine, other) }
    case 'etcdKill':
    case 'etcdFreeze':
      return { kind, member: 1 + random.below(3) }
    case 'etcdCalls': {
      const requestLost = random.below(15)
      return {
        kind,
        requestLost,
        answerLost: random.below(15),
        late: random.below(15),
        lateMsMax: 1 + random.below(8000),
      }
    }
    case 'etcdCompacts':
      return { kind }
  }
}

/** 0: the clients. */
function otherOrClients(random: SeededRandom, machine: number, other: number): number {
  return other === machine || random.chance(0.3) ? 0 : other
}
