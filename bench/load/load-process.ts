// The load generator as the runner has it: a process that is started once and given one command after the other.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { LoadCommand, LoadEvent, LoadResult } from './load.ts'

/** Called when the window begins and ends: the time to look at what the peer has used. */
export interface WindowEdges {
  readonly onBegin?: () => void
  readonly onEnd?: () => void
}

interface Running extends WindowEdges {
  readonly resolve: (result: LoadResult) => void
  readonly reject: (error: Error) => void
}

export class LoadProcess {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  #running: Running | null = null

  private constructor(child: ChildProcess) {
    this.#child = child
    process.once('exit', () => child.kill())
    this.#exited = once(child, 'exit').then(([code, signal]) => {
      this.#taken()?.reject(new Error(`the load generator ended with ${code ?? signal}`))
    })
    createInterface({ input: child.stdout! }).on('line', (line) => this.#on(JSON.parse(line) as LoadEvent))
  }

  static async start(): Promise<LoadProcess> {
    const program = join(import.meta.dirname, 'main.ts')
    const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
    await once(child, 'spawn')
    return new LoadProcess(child)
  }

  get pid(): number {
    return this.#child.pid as number
  }

  /** One command at a time. Rejects with the reason when the load fails; the process can go on with the next. */
  async run(command: LoadCommand, edges: WindowEdges = {}): Promise<LoadResult> {
    if (this.#running !== null) throw new Error('the load generator is at work')
    if (this.#child.exitCode !== null || this.#child.signalCode !== null)
      throw new Error('the load generator has ended')
    return new Promise((resolve, reject) => {
      this.#running = { ...edges, resolve, reject: (error) => reject(new Error(`${command.kind}: ${error.message}`)) }
      this.#child.stdin!.write(`${JSON.stringify(command)}\n`)
    })
  }

  /** Ends the process, also in the middle of a command. */
  async stop(): Promise<void> {
    this.#child.kill()
    await this.#exited
  }

  #on(event: LoadEvent): void {
    switch (event.event) {
      case 'begin':
        this.#running?.onBegin?.()
        return
      case 'end':
        this.#running?.onEnd?.()
        return
      case 'result':
        this.#taken()?.resolve(event.result)
        return
      case 'failed':
        this.#taken()?.reject(new Error(event.message))
    }
  }

  #taken(): Running | null {
    const running = this.#running
    this.#running = null
    return running
  }
}
