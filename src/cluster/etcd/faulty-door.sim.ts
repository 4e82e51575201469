// A door to etcd, simulated or real, that loses what passes through it when it is told to.

import {
  type EtcdCallOptions,
  type EtcdDoor,
  EtcdError,
  type EtcdMember,
  type EtcdMethod,
  status,
} from '../../io/etcd.ts'

/** `late`: neither done nor answered until `deliverLate` is called. */
export type DoorFault = 'requestLost' | 'answerLost' | 'late'

export class FaultyDoor implements EtcdDoor {
  readonly #inner: EtcdDoor
  readonly #faults: { readonly method: EtcdMethod; readonly fault: DoorFault }[] = []
  #late: (() => Promise<unknown>)[] = []

  constructor(inner: EtcdDoor) {
    this.#inner = inner
  }

  /** Of the next call of this kind; given more than once, of the ones after it. */
  failNext(method: EtcdMethod, fault: DoorFault): void {
    this.#faults.push({ method, fault })
  }

  /** Does what came `late`, and resolves when it is done. */
  async deliverLate(): Promise<void> {
    const late = this.#late
    this.#late = []
    for (const deliver of late) await deliver()
  }

  member(endpoint: string): EtcdMember {
    const inner = this.#inner.member(endpoint)
    return {
      endpoint,
      call: async (method, request, options) => {
        const at = this.#faults.findIndex((planned) => planned.method === method)
        const fault = this.#faults[at]?.fault
        if (fault === undefined) return inner.call(method, request, options)
        this.#faults.splice(at, 1)
        const call = async (): Promise<unknown> => inner.call(method, request, { token: options.token })
        if (fault === 'answerLost') await call()
        if (fault === 'late') this.#late.push(call)
        return givenUp(endpoint, options)
      },
      watch: (options, handler) => inner.watch(options, handler),
      close: () => inner.close(),
    }
  }
}

/** Rejects when the caller has waited long enough. */
function givenUp(endpoint: string, { signal }: EtcdCallOptions): Promise<never> {
  return new Promise((_, reject) => {
    const giveUp = (): void => reject(new EtcdError(status.CANCELLED, `${endpoint}: given up`, true))
    if (signal?.aborted) giveUp()
    else signal?.addEventListener('abort', giveUp, { once: true })
  })
}
