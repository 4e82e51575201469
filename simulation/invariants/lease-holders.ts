// A broker acts as a member only while the cluster counts on it: who believes in its lease is registered (F4, F5). A broker that is frozen
// does nothing; from the moment on in which it thaws it must know. Only when etcd ends a lease before its time may its holder be
// the last to hear of it.

import { type Invariant, type Machine, Violation, type World } from '../contracts.ts'

const endedByFault = /^\d+ [\d.]+ schedule: leaseLost \{"machine":(\d+)\} begins$/

export class LeaseHolders implements Invariant {
  readonly name = 'who believes in its lease is registered'
  #linesRead = 0
  /** Their leases were ended early, and they may not know yet. */
  readonly #unaware = new Set<number>()

  check({ trace: { lines }, machines, image }: Pick<World, 'trace' | 'machines' | 'image'>): void {
    for (; this.#linesRead < lines.length; this.#linesRead++) {
      const ended = endedByFault.exec(lines[this.#linesRead]!)
      if (ended !== null) this.#unaware.add(Number(ended[1]))
    }
    for (const machine of machines) {
      const believes = isActing(machine)
      if (!believes || image.brokers.has(machine.id)) {
        // While it is frozen it hears nothing.
        if (!believes && machine.state !== 'frozen') this.#unaware.delete(machine.id)
        continue
      }
      if (this.#unaware.has(machine.id)) continue
      throw new Violation(this.name, `broker ${machine.id} believes that its lease holds, and etcd has ended it`)
    }
  }
}

function isActing({ state, inside }: Machine): boolean {
  return state === 'up' && inside !== null && inside.valid()
}
