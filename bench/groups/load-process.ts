// A load generator in a process of its own, so that it shares neither the broker's event loop nor the measurement's. It is asked one thing
// at a time, over the channel between parent and child (`answerParent` is the child's side).

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export class LoadProcess {
  readonly #child: ChildProcess

  /** `program`: a file of this folder. */
  constructor(program: string) {
    this.#child = fork(join(import.meta.dirname, program), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  }

  /** Rejects when the process ends instead of answering. */
  async ask(what: object): Promise<unknown> {
    const answered = new AbortController()
    const { signal } = answered
    try {
      this.#child.send(what)
      const died = once(this.#child, 'exit', { signal }).then(([code]) => {
        throw new Error(`the load generator ended with ${code}`)
      })
      const [answer] = (await Promise.race([once(this.#child, 'message', { signal }), died])) as [unknown]
      return answer
    } finally {
      answered.abort()
    }
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill()
    await exited
  }
}

/** In the child: `answer` is called with each question. What it throws ends the process. */
export function answerParent(answer: (question: never) => Promise<object>): void {
  process.on('message', (question) => {
    void answer(question as never).then((said) => process.send!(said))
  })
}
