// The entry of the thread that compacts logs on the machine's disk: it does one cleaning after the other, as it is told. What it may not
// touch, the log itself, stays with the thread that serves it.

import { systemClock } from '../../io/clock.ts'
import { realDisk } from '../../io/disk.real.ts'
import { workerPort } from '../../io/worker.ts'
import { cleanLog } from './clean-log.ts'
import type { CleaningJob } from './cleaning-job.ts'
import type { FromCleaner, ToCleaner } from './cleaning-messages.ts'

/** Nobody else waits for this thread, and whoever wants to abort ends it. */
const undisturbed = { sliceMs: Infinity, signal: new AbortController().signal }

let swapped: () => void = () => {}

const port = workerPort((message) => {
  const told = message as ToCleaner
  if (told.kind === 'swapped') swapped()
  else void clean(told.job)
})

function say(message: FromCleaner): void {
  port.post(message)
}

async function clean(job: CleaningJob): Promise<void> {
  try {
    const result = await cleanLog(job, {
      disk: realDisk,
      clock: systemClock,
      ...undisturbed,
      swap: (segment) =>
        new Promise((resolve) => {
          swapped = resolve
          say({ kind: 'cleaned', segment })
        }),
    })
    say({ kind: 'done', result })
  } catch (error) {
    say({ kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) })
  }
}
