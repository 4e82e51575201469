// Clients whose program is a file of this folder: `PROGRAM produce|consume BOOTSTRAP TOPIC RECORDS RECORD-BYTES` writes one line of JSON,
// its ClientResult.

import type { Client, ClientJob, ClientResult } from './client.ts'
import { outputOf } from './program.ts'

export interface OwnProgram {
  readonly name: string
  readonly title: string
  readonly command: string
  /** Before the arguments above: the interpreter's file. */
  readonly file: string
  readonly missing?: () => string | undefined
}

export function ownProgram({ name, title, command, file, missing }: OwnProgram): Client {
  async function run(work: 'produce' | 'consume', job: ClientJob): Promise<ClientResult> {
    const args = [file, work, job.bootstrap, job.topic, String(job.records), String(job.recordBytes)]
    return JSON.parse(await outputOf({ command, args })) as ClientResult
  }
  return {
    name,
    title,
    missing: missing ?? (() => undefined),
    produce: (job) => run('produce', job),
    consume: (job) => run('consume', job),
  }
}
