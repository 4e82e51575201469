// What processes have used, as /proc tells it.

import { readdirSync, readFileSync } from 'node:fs'

export interface Usage {
  /** User and system time since the processes began. */
  readonly cpuSeconds: number
  /** Resident now. */
  readonly residentBytes: number
  /** The most that was ever resident, summed over the processes. */
  readonly peakBytes: number
  /** Page faults that were served without the disk: memory touched for the first time. */
  readonly minorFaults: number
  readonly contextSwitches: number
}

/** Ticks of /proc/PID/stat in a second: 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

/** Of all `pids` together; one that has ended counts nothing. */
export function usageOf(pids: readonly number[]): Usage {
  const sum = { cpuSeconds: 0, residentBytes: 0, peakBytes: 0, minorFaults: 0, contextSwitches: 0 }
  for (const pid of pids) {
    // The name of the program, in parentheses, may hold anything.
    const stat = read(`/proc/${pid}/stat`)
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    sum.minorFaults += Number(fields[7] ?? 0)
    sum.cpuSeconds += (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / ticksPerSecond
    const status = read(`/proc/${pid}/status`)
    sum.residentBytes += number(status, 'VmRSS') * 1024
    sum.peakBytes += number(status, 'VmHWM') * 1024
    for (const thread of list(`/proc/${pid}/task`)) {
      const threadStatus = read(`/proc/${pid}/task/${thread}/status`)
      sum.contextSwitches += number(threadStatus, 'voluntary_ctxt_switches')
      sum.contextSwitches += number(threadStatus, 'nonvoluntary_ctxt_switches')
    }
  }
  return sum
}

function number(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
