// What measurements have in common: figures of a series, and what the machine did beside them.

import { cpus, loadavg } from 'node:os'

/** How busy the machine is: a figure taken beside other work is a ratio at best. */
export function printMachine(): void {
  const load = loadavg().map((value) => value.toFixed(1))
  console.log(`# ${cpus().length} cores, load ${load.join(' ')} (1, 5, 15 minutes), Node ${process.version}`)
}

/** NaN when there is none. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5)
}

/** `share` from 0 to 1; NaN when there is none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** `median 12, worst 30 ms of 10` */
export function medianAndWorst(values: readonly number[], unit = 'ms'): string {
  return `median ${median(values).toFixed(0)}, worst ${Math.max(...values).toFixed(0)} ${unit} of ${values.length}`
}
