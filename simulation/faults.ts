// Does what the schedule says, and undoes it.

import type { Fault, ScheduledFault } from './schedule.ts'
import type { SimulatedWorld } from './world.ts'

export class FaultsUnderWay {
  readonly #world: SimulatedWorld
  /** How each that has begun is ended. */
  readonly #underWay = new Map<ScheduledFault, () => void>()

  constructor(world: SimulatedWorld) {
    this.#world = world
  }

  begin(item: ScheduledFault): void {
    const { kind, ...rest } = item.fault
    this.#world.trace.add('schedule', `${kind} ${JSON.stringify(rest)} begins`)
    this.#underWay.set(item, this.#done(item.fault))
  }

  /** Nothing when it is over already. */
  end(item: ScheduledFault): void {
    const undo = this.#underWay.get(item)
    if (undo === undefined) return
    this.#underWay.delete(item)
    const { kind, ...rest } = item.fault
    this.#world.trace.add('schedule', `${kind} ${JSON.stringify(rest)} ends`)
    undo()
  }

  endAll(): void {
    for (const item of this.#underWay.keys()) this.end(item)
    for (const machine of this.#world.machines) machine.start()
  }

  /** Does it; the answer undoes it. */
  #done(fault: Fault): () => void {
    const machine = this.#world.machine(fault.machine)
    if (fault.kind === 'crash') machine.powerFails()
    else if (fault.kind === 'kill') machine.kill()
    else machine.stop()
    return () => machine.start()
  }
}
