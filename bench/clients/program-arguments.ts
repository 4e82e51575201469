// What the programs of this folder are told on their command line, and how they answer. See own-program.ts.

import type { ClientJob, ClientResult } from './client.ts'

export interface ProgramArguments extends ClientJob {
  readonly work: 'produce' | 'consume'
}

export function programArguments(): ProgramArguments {
  const [work, bootstrap, topic, records, recordBytes] = process.argv.slice(2)
  if ((work !== 'produce' && work !== 'consume') || bootstrap === undefined || topic === undefined) {
    throw new Error('usage: produce|consume BOOTSTRAP TOPIC RECORDS RECORD-BYTES')
  }
  return { work, bootstrap, topic, records: Number(records), recordBytes: Number(recordBytes) }
}

/** The last thing a program does: what its client still has open goes with it. */
export function answer(result: ClientResult): void {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))
}

/** A library that has no queue of its own is used as its documentation does: some records a call, some calls at once. */
export const recordsPerSend = 100
const sendsAtOnce = 5

/** Calls `send` with how many records to send until there were `records` of them, five at a time. Answers the seconds it took. */
export async function sendAll(records: number, send: (count: number) => Promise<unknown>): Promise<number> {
  const started = performance.now()
  let left = records
  const sender = async (): Promise<void> => {
    while (left > 0) {
      const count = Math.min(recordsPerSend, left)
      left -= count
      await send(count)
    }
  }
  await Promise.all(Array.from({ length: sendsAtOnce }, sender))
  return (performance.now() - started) / 1000
}
