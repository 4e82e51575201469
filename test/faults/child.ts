// Child processes of the faults, which say more than anyone wants to keep: handed on line by line, and none left behind.

import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { within } from '../support/wait-for.ts'

const alive = new Set<ChildProcess>()
process.on('exit', () => {
  for (const process of alive) process.kill('SIGKILL')
})

export interface ChildOptions {
  readonly onLine: (line: string) => void
  /** What it says on stderr. Default: dropped. */
  readonly onError?: (text: string) => void
  readonly onEnd?: (how: string) => void
}

export class Child {
  readonly ended: Promise<void>
  readonly #name: string
  readonly #process: ChildProcess

  constructor(name: string, [program, ...args]: readonly string[], { onLine, onError, onEnd }: ChildOptions) {
    const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#name = name
    this.#process = child
    alive.add(child)
    createInterface({ input: child.stdout }).on('line', onLine)
    child.stderr.setEncoding('utf8').on('data', (text: string) => onError?.(text))
    this.ended = new Promise((resolve) => {
      const end = (how: string): void => {
        alive.delete(child)
        onEnd?.(how)
        resolve()
      }
      child.once('error', (error) => end(error.message))
      child.once('close', (code, signal) => end(signal ?? `exit code ${code}`))
    })
  }

  get pid(): number {
    return this.#process.pid!
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** Resolves when it has ended; one that takes longer is killed, and that is an error. */
  async end(signal: NodeJS.Signals, timeoutMs = 60_000): Promise<void> {
    this.#process.kill(signal)
    try {
      await within(`the end of ${this.#name} by ${signal}`, this.ended, timeoutMs)
    } catch (error) {
      this.#process.kill('SIGKILL')
      throw error
    }
  }
}
