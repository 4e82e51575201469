// The disk as a process uses it: operations take time, may be slow or fail, and wait while the process is frozen.

import type { SimulatedClock } from '../src/io/clock.sim.ts'
import type { Millis } from '../src/io/clock.ts'
import type { DiskOperation, SimulatedDisk } from '../src/io/disk.sim.ts'
import type { SeededRandom } from '../src/io/random.sim.ts'
import type { ProcessLife } from './process-life.ts'

/** How long the disk takes, of one machine; faults change it. */
export interface DiskPace {
  syncMsMax: Millis
  otherMsMax: Millis
}

export const usualPace: Readonly<DiskPace> = { syncMsMax: 2, otherMsMax: 0.2 }

/** From now on the disk is this process's: its operations take the time of `pace`. */
export function useDisk(
  disk: SimulatedDisk,
  life: ProcessLife,
  { clock, random, pace }: { clock: SimulatedClock; random: SeededRandom; pace: Readonly<DiskPace> },
): void {
  const resume = (resolve: () => void): void => life.enter(resolve)
  disk.onOperation = ({ kind }: DiskOperation): void | Promise<void> => {
    const msMax = kind === 'sync' || kind === 'syncFolder' ? pace.syncMsMax : pace.otherMsMax
    // What is in the page cache comes at once.
    const atOnce = pace.otherMsMax <= usualPace.otherMsMax && kind !== 'sync' && random.below(8) > 0
    if (!atOnce) {
      const ms = (random.below(1000) / 1000) * msMax
      return new Promise((resolve) => {
        clock.setTimer(ms, () => resume(resolve))
      })
    }
    return life.frozen || life.over ? new Promise(resume) : undefined
  }
}
