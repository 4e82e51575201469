// Runs a client's program to its end and answers what it wrote.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

/** A client that hangs must not hang the bench. */
const secondsMax = 180

export interface Program {
  readonly command: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Rejects with what it complained of when it fails or takes more than three minutes. */
export async function outputOf({ command, args, env }: Program): Promise<string> {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: secondsMax * 1000,
    killSignal: 'SIGKILL',
  })
  const [output, complaints, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>,
  ])
  if (code === 0) return output
  throw new Error(`${command} ${args.join(' ')} ended with ${code ?? signal}: ${complaints.slice(-2000)}`)
}
