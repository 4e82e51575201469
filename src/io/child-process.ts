// The door to other processes of this program: starts them with a channel for messages, and is one of them.

import { type ChildProcess, fork } from 'node:child_process'
import type { Readable } from 'node:stream'
import type { MessageChannel } from './message-channel.ts'

export interface ChildOptions {
  /** File of the program, as a path. */
  readonly program: string
  /** Flags of Node's own for it: those of this process (of its tests, its profiler) are not the child's. */
  readonly nodeFlags: readonly string[]
  readonly args: readonly string[]
  /** Each line that it writes, to its standard output or its standard error. */
  readonly onLine: (line: string) => void
}

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly signal: string | null
}

export interface Child {
  readonly pid: number
  readonly channel: MessageChannel
  /** Resolves when nothing of it is left, and all that it wrote was read. Never rejects: a start that fails ends with code 1. */
  readonly ended: Promise<Ended>
  kill(signal: 'SIGTERM' | 'SIGKILL'): void
}

/** It is not in the terminal's hands: Ctrl-C is its parent's to pass on. */
export function startChild({ program, nodeFlags, args, onLine }: ChildOptions): Child {
  const child = fork(program, [...args], {
    execArgv: [...nodeFlags],
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  })
  const read = Promise.all([readLines(child.stdout!, onLine), readLines(child.stderr!, onLine)])
  // Not by its event `close`: that one never comes when this side has closed the channel.
  const exited = new Promise<Ended>((resolve) => {
    child.once('error', (error) => {
      if (child.pid !== undefined) return
      onLine(String(error))
      resolve({ code: 1, signal: null })
    })
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  return {
    pid: child.pid ?? -1,
    channel: new ProcessChannel(child),
    ended: exited.then(async (ended) => {
      await read
      return ended
    }),
    kill: (signal) => void child.kill(signal),
  }
}

/** To the process that started this one by `startChild`; null when another did. */
export function parentChannel(): MessageChannel | null {
  return process.send === undefined ? null : new ProcessChannel(process)
}

type Ipc = Pick<ChildProcess, 'connected' | 'disconnect'> & {
  send?(message: object, handle: undefined, options: object, callback: (error: Error | null) => void): boolean
  on(event: 'message', listener: (message: unknown) => void): unknown
  once(event: 'disconnect', listener: () => void): unknown
}

class ProcessChannel implements MessageChannel {
  onMessage: (message: unknown) => void = () => {}
  onClose: () => void = () => {}
  readonly #ipc: Ipc

  constructor(process: ChildProcess | NodeJS.Process) {
    this.#ipc = process
    this.#ipc.on('message', (message) => this.onMessage(message))
    this.#ipc.once('disconnect', () => this.onClose())
  }

  post(message: unknown): void {
    // A message that could not be sent is told by the end of the channel.
    if (this.#ipc.connected) this.#ipc.send?.(message as object, undefined, {}, () => {})
  }

  close(): void {
    if (this.#ipc.connected) this.#ipc.disconnect()
  }
}

/** The last line may lack its end. Resolves when there is nothing more. */
function readLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    for (const line of lines) onLine(line)
  })
  return new Promise((resolve) => {
    stream.on('close', () => {
      if (rest !== '') onLine(rest)
      resolve()
    })
  })
}
