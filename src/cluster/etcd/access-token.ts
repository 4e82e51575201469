// The token that etcd gives for a user's name and password. It runs out after minutes without use, and when members restart;
// whoever sees it refused has it forgotten, and the next one who needs it asks for a new one.

import { EtcdError, status } from '../../io/etcd.ts'

export interface EtcdUser {
  readonly name: string
  readonly password: string
}

export class AccessToken {
  readonly #user: EtcdUser | null
  readonly #authenticate: (user: EtcdUser) => Promise<{ readonly token: string }>
  #token: string | null = null
  #asking: Promise<string | null> | null = null
  #notNeeded = false

  constructor(user: EtcdUser | null, authenticate: (user: EtcdUser) => Promise<{ readonly token: string }>) {
    this.#user = user
    this.#authenticate = authenticate
  }

  /** Null when nobody needs one. Rejects when etcd refuses the user, or cannot be asked. */
  async get(): Promise<string | null> {
    const user = this.#user
    if (user === null || this.#notNeeded || this.#token !== null) return this.#token
    this.#asking ??= this.#ask(user).finally(() => {
      this.#asking = null
    })
    return this.#asking
  }

  /** etcd did not take it. False when there is nobody to show instead. */
  forget(token: string | null): boolean {
    this.#notNeeded = false
    if (this.#token === token) this.#token = null
    return this.#user !== null
  }

  async #ask(user: EtcdUser): Promise<string | null> {
    try {
      this.#token = (await this.#authenticate(user)).token
    } catch (error) {
      // As etcd's own client: a user that is not asked for does no harm.
      if (!(error instanceof EtcdError && isNotEnabled(error))) throw error
      this.#notNeeded = true
    }
    return this.#token
  }
}

function isNotEnabled(error: EtcdError): boolean {
  return error.code === status.FAILED_PRECONDITION && error.message.includes('authentication is not enabled')
}
