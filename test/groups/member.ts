// A member as a process: what it says is kept, as it came, in a file and handed on.

import { createWriteStream, type WriteStream } from 'node:fs'
import { join } from 'node:path'
import { Child } from '../faults/child.ts'
import { within } from '../support/wait-for.ts'
import type { Client } from './clients.ts'
import { type Observation, observationOf } from './journal.ts'

export interface MemberOptions {
  readonly name: string
  readonly client: Client
  readonly group: string
  readonly bootstrap: readonly string[]
  readonly topics: readonly string[]
  readonly sessionTimeoutMs: number
  /** A static member's. */
  readonly instance?: string | undefined
  /** Of the log, which is named after the member. */
  readonly folder: string
  readonly onObservation: (observation: Observation) => void
}

export class Member {
  readonly name: string
  readonly instance: string | undefined
  readonly ended: Promise<void>
  readonly #child: Child
  #closed = false
  /** Null while it runs. */
  #howEnded: string | null = null
  #toldToEnd = false

  static async start(options: MemberOptions): Promise<Member> {
    return new Member(options, await options.client.program())
  }

  private constructor(options: MemberOptions, program: readonly string[]) {
    const { name, client, group, bootstrap, topics, sessionTimeoutMs, instance, folder, onObservation } = options
    this.name = name
    this.instance = instance
    const given = {
      bootstrap: bootstrap.join(),
      topics: topics.join(),
      group,
      name,
      protocol: client.protocol,
      assignor: client.assignor,
      sessionTimeoutMs: String(sessionTimeoutMs),
      ...(instance !== undefined && { instance }),
    }
    const log: WriteStream = createWriteStream(join(folder, `${name}.log`))
    const args = Object.entries(given).map(([key, value]) => `${key}=${value}`)
    this.#child = new Child(name, [...program, ...args], {
      onLine: (line) => {
        log.write(`${line}\n`)
        const observation = observationOf(name, line)
        if (observation === null) return
        if (observation.kind === 'closed') this.#closed = true
        onObservation(observation)
      },
      onError: (text) => void log.write(text),
      onEnd: (how) => {
        this.#howEnded = how
        log.end()
        onObservation({ at: Date.now() * 1000, member: name, kind: 'ended' })
      },
    })
    this.ended = this.#child.ended
  }

  get running(): boolean {
    return this.#howEnded === null
  }

  /** How it ended without being told to; null when it did not. */
  get endedByItself(): string | null {
    if (this.#howEnded === null || this.#toldToEnd) return null
    return `${this.name} ended by itself: ${this.#howEnded}`
  }

  /** SIGTERM: it commits, leaves (a static member does not), and ends. */
  async close(timeoutMs: number): Promise<void> {
    this.#toldToEnd = true
    await this.#child.end('SIGTERM', timeoutMs)
    if (!this.#closed) throw new Error(`${this.name} was told to close, and ended without having closed`)
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#toldToEnd = true
    await this.#child.end('SIGKILL')
  }

  /** It is expected to end by itself. Resolves when it has. */
  async endsByItself(timeoutMs: number): Promise<void> {
    this.#toldToEnd = true
    await within(`the end of ${this.name}`, this.ended, timeoutMs)
  }
}
