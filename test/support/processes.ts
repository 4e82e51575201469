// Child processes of the tests: their output kept, their time bounded, none left behind.

import { spawn, type ChildProcess } from 'node:child_process'
import { waitFor, within } from './wait-for.ts'

export interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Written to stdin, which is then closed. Without it stdin is empty. */
  readonly input?: string | Uint8Array
}

export interface Finished {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

const alive = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/** A running program. Kill it, or wait for its end; a test process that ends takes it along. */
export class RunningProcess {
  readonly finished: Promise<Finished>
  readonly #title: string
  readonly #child: ChildProcess
  #stdout = ''
  #stderr = ''
  #end: Finished | undefined

  constructor(command: string, args: readonly string[], options: ProcessOptions = {}) {
    this.#title = [command, ...args].join(' ')
    this.#child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    alive.add(this.#child)
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#stdout += text))
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    this.#child.stdin?.on('error', () => {}) // the program may end before it has read everything
    this.#child.stdin?.end(options.input ?? '')
    this.finished = new Promise((resolve, reject) => {
      this.#child.once('error', (error) => {
        alive.delete(this.#child)
        reject(error)
      })
      this.#child.once('close', (code, signal) => {
        alive.delete(this.#child)
        this.#end = { code, signal, stdout: this.#stdout, stderr: this.#stderr }
        resolve(this.#end)
      })
    })
    this.finished.catch(() => {}) // whoever waits for it hears of it
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`could not start ${this.#title}`)
    return this.#child.pid
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  get running(): boolean {
    return this.#end === undefined
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.#child.kill(signal)
  }

  /** Waits until stdout holds a match; fails at once when the program ends without one. */
  async output(pattern: RegExp, timeoutMs = 30_000): Promise<RegExpMatchArray> {
    await waitFor(
      `${pattern} in the output of ${this.#title}`,
      () => pattern.test(this.#stdout) || this.#end !== undefined,
      timeoutMs,
    ).catch((cause: unknown) => {
      throw new Error(this.#report(`did not print ${pattern} in ${timeoutMs} ms`), { cause })
    })
    const match = this.#stdout.match(pattern)
    if (match === null) throw new Error(this.#report(`ended without printing ${pattern}`))
    return match
  }

  /** Asks it to end (SIGTERM) and waits for that; after `timeoutMs` it is killed and the wait fails. */
  async stop(timeoutMs = 20_000): Promise<Finished> {
    this.kill('SIGTERM')
    return this.end(timeoutMs)
  }

  /** Waits for it to end by itself; after `timeoutMs` it is killed and the wait fails. */
  async end(timeoutMs = 60_000): Promise<Finished> {
    try {
      return await within(`the end of ${this.#title}`, this.finished, timeoutMs)
    } catch (cause) {
      this.kill('SIGKILL')
      throw new Error(this.#report(`did not end in ${timeoutMs} ms`), { cause })
    }
  }

  #report(what: string): string {
    return `${this.#title} ${what}\n--- stdout\n${this.#stdout}\n--- stderr\n${this.#stderr}`
  }
}

/** Runs a program to its end. An exit code other than 0 is an error that carries the output, unless `anyCode`. */
export async function run(
  command: string,
  args: readonly string[],
  options: ProcessOptions & { readonly timeoutMs?: number; readonly anyCode?: boolean } = {},
): Promise<Finished> {
  const finished = await new RunningProcess(command, args, options).end(options.timeoutMs)
  if (finished.code !== 0 && options.anyCode !== true) {
    const ended = finished.signal === null ? `exit code ${finished.code}` : finished.signal
    throw new Error(
      `${[command, ...args].join(' ')}: ${ended}\n--- stdout\n${finished.stdout}\n--- stderr\n${finished.stderr}`,
    )
  }
  return finished
}
