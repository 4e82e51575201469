// A fault of the schedule, for a person.

import type { Fault, ScheduledFault } from './schedule.ts'
import type { Happening } from './story.ts'

/** When it was felt first, and what it was. `beganAtMs`: of the schedule. */
export function happeningOfFault({ atMs, untilMs, fault }: ScheduledFault, beganAtMs: number): Happening {
  const isFeltAtTheEnd = fault.kind === 'emptyDisk' || fault.kind === 'oldDisk'
  const felt = beganAtMs + (isFeltAtTheEnd ? untilMs : atMs)
  const lasts = isFeltAtTheEnd || isMoment(fault) ? '' : `, for ${seconds(untilMs - atMs)} s`
  const copied = fault.kind === 'oldDisk' ? `, as it was at ${seconds(beganAtMs + atMs)}` : ''
  return { atMs: felt, who: whom(fault), what: `${wordsOf(fault)}${copied}${lasts}` }
}

function isMoment({ kind }: Fault): boolean {
  return kind === 'reset' || kind === 'etcdCompacts' || kind === 'leaseLost'
}

function whom(fault: Fault): string {
  if ('machine' in fault) return `broker-${fault.machine}`
  if ('from' in fault) return `broker-${fault.from}`
  return 'etcd'
}

function wordsOf(fault: Fault): string {
  switch (fault.kind) {
    case 'crash':
      return 'the power fails'
    case 'kill':
      return 'kill -9'
    case 'stop':
      return 'is stopped in order'
    case 'emptyDisk':
      return 'the power fails, and it comes back with an empty disk'
    case 'oldDisk':
      return 'the power fails, and it comes back with an old copy of its disk'
    case 'freeze':
      return `stands still (SIGSTOP; ${fault.thaw === 'ioFirst' ? 'what waited is read before timers' : 'timers come first'} when it goes on)`
    case 'slowBroker':
      return `stands still for ${fault.forMs} of every ${fault.everyMs} ms`
    case 'slowDisk':
      return `its disk takes up to ${fault.syncMsMax} ms to sync, ${fault.otherMsMax} ms for the rest`
    case 'diskFull':
      return `its disk has room for ${fault.roomBytes} bytes more`
    case 'diskFails':
      return `its disk fails (${fault.operation}, ${fault.times < 10 ? `${fault.times} times` : 'for good'})`
    case 'clock':
      return `its wall clock is off by ${fault.offMs} ms`
    case 'cut':
      return `nothing passes ${waysOf[fault.ways]} ${otherEnd(fault.to)}`
    case 'latency':
      return `${fault.latencyMs} ms to ${otherEnd(fault.to)}`
    case 'reset':
      return `its connections with ${otherEnd(fault.to)} are reset`
    case 'etcdCut':
      return 'cannot reach etcd'
    case 'etcdKill':
      return `member ${fault.member} is killed`
    case 'etcdFreeze':
      return `member ${fault.member} stands still`
    case 'etcdCalls':
      return `of all calls ${fault.requestLost} % are lost, ${fault.answerLost} % lose their answer, ${fault.late} % are done up to ${fault.lateMsMax} ms later`
    case 'etcdCompacts':
      return 'forgets its past'
    case 'leaseLost':
      return 'etcd ends its lease'
  }
}

const waysOf = { both: 'to or from', there: 'to', back: 'from' } as const

function otherEnd(id: number): string {
  return id === 0 ? 'the clients' : `broker-${id}`
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}
