// A load generator in a process of its own, so that it does not share the broker's processor time, nor the measurement's.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** Runs `program` (a file of this folder) with what it is to do, and answers what it says last. */
export async function runLoad<Load, Result>(program: string, load: Load): Promise<Result> {
  const child = fork(join(import.meta.dirname, program), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const exited = once(child, 'exit')
  let result: Result | undefined
  child.on('message', (message) => {
    result = message as Result
  })
  child.send(load as object)
  const [code] = (await exited) as [number]
  if (code !== 0 || result === undefined) throw new Error(`${program} ended with ${code}`)
  return result
}
