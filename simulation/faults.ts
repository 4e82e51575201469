// Does what the schedule says, and undoes it.

import type { Millis } from '../src/io/clock.ts'
import type { SimulatedDisk } from '../src/io/disk.sim.ts'
import type { EtcdFaults } from './etcd-faults.ts'
import type { LinkFaults } from './link-faults.ts'
import type { SimulatedMachine } from './machine.ts'
import { usualPace } from './process-disk.ts'
import type { Fault, ScheduledFault } from './schedule.ts'
import type { SimulatedWorld } from './world.ts'

type Undo = () => void

export class FaultsUnderWay {
  readonly #world: SimulatedWorld
  readonly #links: LinkFaults
  readonly #etcd: EtcdFaults
  /** How each that has begun is ended. */
  readonly #underWay = new Map<ScheduledFault, Undo>()
  /** The machine that has just lost its disk; until it serves again nothing else happens. */
  #withoutDisk: SimulatedMachine | null = null

  constructor(world: SimulatedWorld, { links, etcd }: { readonly links: LinkFaults; readonly etcd: EtcdFaults }) {
    this.#world = world
    this.#links = links
    this.#etcd = etcd
  }

  begin(item: ScheduledFault): void {
    if (this.#withoutDisk?.state === 'up') this.#withoutDisk = null
    if (this.#withoutDisk !== null) {
      this.#trace(item, 'is spared: a disk has been lost')
      return
    }
    this.#trace(item, 'begins')
    this.#underWay.set(item, this.#done(item.fault, item.untilMs - item.atMs))
  }

  /** Nothing when it is over already. */
  end(item: ScheduledFault): void {
    const undo = this.#underWay.get(item)
    if (undo === undefined) return
    this.#underWay.delete(item)
    this.#trace(item, 'ends')
    undo()
  }

  endAll(): void {
    for (const item of this.#underWay.keys()) this.end(item)
    for (const machine of this.#world.machines) machine.start()
  }

  #trace({ fault: { kind, ...rest } }: ScheduledFault, what: string): void {
    this.#world.trace.add('schedule', `${kind} ${JSON.stringify(rest)} ${what}`)
  }

  /** Does it; the answer undoes it. */
  #done(fault: Fault, lengthMs: Millis): Undo {
    const world = this.#world
    switch (fault.kind) {
      case 'crash':
      case 'kill':
      case 'stop': {
        const machine = world.machine(fault.machine)
        if (fault.kind === 'crash') machine.powerFails()
        else if (fault.kind === 'kill') machine.kill()
        else machine.stop()
        return () => machine.start()
      }
      case 'emptyDisk':
        return () => this.#loseDisk(world.machine(fault.machine), 'empty')
      case 'oldDisk': {
        const machine = world.machine(fault.machine)
        const copy = machine.disk.copy()
        return () => this.#loseDisk(machine, copy)
      }
      case 'freeze': {
        const machine = world.machine(fault.machine)
        machine.freeze()
        return () => machine.thaw(fault.thaw)
      }
      case 'slowBroker':
        return this.#slow(world.machine(fault.machine), fault, lengthMs)
      case 'slowDisk': {
        const { pace } = world.machine(fault.machine)
        Object.assign(pace, { syncMsMax: fault.syncMsMax, otherMsMax: fault.otherMsMax })
        return () => void Object.assign(pace, usualPace)
      }
      case 'diskFull': {
        const machine = world.machine(fault.machine)
        machine.limitRoom(fault.roomBytes)
        return () => machine.limitRoom(null)
      }
      case 'diskFails': {
        const machine = world.machine(fault.machine)
        machine.failDisk({ kind: fault.operation, path: '/data/', times: fault.times })
        return () => {
          machine.failDisk(null)
          machine.restart()
        }
      }
      case 'clock': {
        const machine = world.machine(fault.machine)
        machine.wallOffsetMs += fault.offMs
        return () => void (machine.wallOffsetMs -= fault.offMs)
      }
      case 'cut':
        return this.#links.cut(fault)
      case 'latency':
        return this.#links.latency(fault)
      case 'reset':
        return this.#links.reset(fault)
      case 'etcdCut': {
        const machine = world.machine(fault.machine)
        machine.cutEtcd(true)
        return () => machine.cutEtcd(false)
      }
      case 'etcdKill':
      case 'etcdFreeze':
        return this.#etcd.member(fault.kind, fault.member)
      case 'etcdCalls':
        return this.#etcd.calls(fault)
      case 'etcdCompacts':
        this.#etcd.compact()
        return () => {}
      case 'leaseLost':
        this.#etcd.endLease(fault.machine)
        return () => {}
    }
  }

  /** Whether anything else befalls the cluster now. A copy that waits to be put back befalls nobody. */
  get #isDisturbed(): boolean {
    return [...this.#underWay.keys()].some(({ fault: { kind } }) => kind !== 'oldDisk' && kind !== 'emptyDisk')
  }

  /** Only while nothing else is under way, and what the machine counts for is elsewhere too. */
  #loseDisk(machine: SimulatedMachine, disk: 'empty' | SimulatedDisk): void {
    const { machines, image, trace } = this.#world
    const othersServe = machines.every((other) => other === machine || other.state === 'up')
    const alone = [...image.topicsById.values()].some(({ partitions }) =>
      partitions.some(({ isr }) => isr.length < 2 && isr.includes(machine.id)),
    )
    if (this.#isDisturbed || !othersServe || alone || machine.state !== 'up') {
      trace.add('schedule', `${machine.host} keeps its disk: it may hold the only copy`)
      return
    }
    machine.powerFails()
    machine.start({ disk })
    this.#withoutDisk = machine
  }

  #slow(machine: SimulatedMachine, { everyMs, forMs }: { everyMs: Millis; forMs: Millis }, lengthMs: Millis): Undo {
    const { clock } = this.#world
    const endsAt = clock.monotonic() + lengthMs
    const stand = (): void => {
      if (clock.monotonic() >= endsAt) return
      machine.freeze()
      clock.setTimer(forMs, () => {
        machine.thaw('ioFirst')
        clock.setTimer(everyMs - forMs, stand)
      })
    }
    stand()
    return () => {}
  }
}
