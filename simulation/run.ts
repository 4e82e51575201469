// One run: a world from a seed, clients at work, faults by the schedule, rules after every event; then the faults end, the cluster must
// settle, and the clients read back what they were promised.

import { type Invariant, settleMsMax, Violation, type Workload } from './contracts.ts'
import { EtcdFaults } from './etcd-faults.ts'
import { FaultsUnderWay } from './faults.ts'
import { LinkFaults } from './link-faults.ts'
import type { Schedule } from './schedule.ts'
import { scheduleOf } from './schedule-from-seed.ts'
import { whatIsUnsettled } from './settled.ts'
import type { RecordedTrace } from './trace.ts'
import { latencyMs, SimulatedWorld, unknownError } from './world.ts'

export interface RunOptions {
  readonly seed: number
  /** Default 3. */
  readonly brokers?: number
  /** Default: of the seed. */
  readonly schedule?: Schedule
  readonly workloads?: (world: SimulatedWorld) => readonly Workload[]
  readonly invariants?: (world: SimulatedWorld) => readonly Invariant[]
  /** Of every broker, by Kafka's names. */
  readonly settings?: Readonly<Record<string, string>>
}

export interface RunResult {
  readonly seed: number
  /** Null: every rule held. */
  readonly violation: Violation | null
  readonly trace: RecordedTrace
  readonly schedule: Schedule
  /** Names of those that were at work. */
  readonly workloads: readonly string[]
  readonly simulatedMs: number
  /** Timers that fired: after each of them the rules were asked. */
  readonly events: number
}

/** How long a cluster without faults has to come up, and clients to begin or to end. */
const patienceMs = settleMsMax

export async function runSeed(options: RunOptions): Promise<RunResult> {
  const world = new SimulatedWorld(options)
  const schedule = options.schedule ?? scheduleOf(world.random('schedule'), { brokers: world.machines.length })
  const run = new Run(world, schedule, options)
  const onRejection = (error: unknown): void => world.violated(unknownError('somebody', error))
  process.on('unhandledRejection', onRejection)
  try {
    await run.run()
  } catch (error) {
    world.violated(error instanceof Violation ? error : unknownError('the run', error))
  } finally {
    process.off('unhandledRejection', onRejection)
  }
  const { violation, trace, clock } = world
  trace.add('run', violation === null ? `all rules held, ${run.events} events` : `ended after ${run.events} events`)
  return {
    seed: world.seed,
    violation,
    trace,
    schedule,
    workloads: run.workloads,
    simulatedMs: clock.monotonic(),
    events: run.events,
  }
}

class Run {
  events = 0
  readonly #world: SimulatedWorld
  readonly #schedule: Schedule
  readonly #workloads: readonly Workload[]
  readonly #invariants: readonly Invariant[]

  constructor(world: SimulatedWorld, schedule: Schedule, { workloads, invariants }: RunOptions) {
    this.#world = world
    this.#schedule = schedule
    this.#workloads = workloads?.(world) ?? []
    this.#invariants = invariants?.(world) ?? []
  }

  get workloads(): readonly string[] {
    return this.#workloads.map(({ name }) => name)
  }

  async run(): Promise<void> {
    const world = this.#world
    for (const machine of world.machines) machine.start()
    await this.#until(() => whatIsUnsettled(world) === null, 'the cluster comes up')
    await this.#finish('start', (workload) => workload.start())

    const etcd = new EtcdFaults(world.etcd, world.random('etcd faults'))
    const faults = new FaultsUnderWay(world, { links: new LinkFaults(world.network, latencyMs), etcd })
    const beginsAt = world.clock.monotonic()
    for (const item of this.#schedule.items) {
      world.clock.setTimer(item.atMs, () => faults.begin(item))
      world.clock.setTimer(item.untilMs, () => faults.end(item))
    }
    await this.#until(() => world.clock.monotonic() >= beginsAt + this.#schedule.durationMs, 'the schedule ends', {
      withinMs: Infinity,
    })
    faults.endAll()
    world.trace.add('schedule', 'all faults are over')

    await this.#until(() => whatIsUnsettled(world) === null, 'settles')
    await this.#finish('stop', (workload) => workload.stop())
    await this.#until(() => whatIsUnsettled(world, { quiet: true }) === null, 'settles')
    await this.#finish('verify', (workload) => workload.verify())
  }

  /** Steps until it holds; a rule of that name is broken when it does not in time. */
  async #until(
    holds: () => boolean,
    rule: string,
    { withinMs = patienceMs, missing = () => null }: { withinMs?: number; missing?: () => string | null } = {},
  ): Promise<void> {
    const world = this.#world
    const deadline = world.clock.monotonic() + withinMs
    await world.clock.settle()
    while (!holds()) {
      if (world.clock.monotonic() > deadline) {
        const reason = missing() ?? whatIsUnsettled(world, { quiet: true }) ?? 'all is settled'
        throw new Violation(rule, `not in ${withinMs} ms: ${reason}`)
      }
      if (!(await world.clock.step())) throw new Violation(rule, 'nothing will ever happen any more')
      this.events += 1
      // What etcd holds is looked at before it may forget.
      void world.image
      for (const invariant of this.#invariants) invariant.check(world)
      if (world.violation !== null) throw world.violation
    }
  }

  async #finish(what: string, work: (workload: Workload) => Promise<void>): Promise<void> {
    const open = new Set(this.#workloads.map(({ name }) => name))
    let failure: unknown = null
    for (const workload of this.#workloads) {
      work(workload).then(
        () => open.delete(workload.name),
        (error: unknown) => {
          failure ??= error
          open.clear()
        },
      )
    }
    const missing = (): string => [...open].join(', ')
    await this.#until(() => open.size === 0, `workloads ${what}`, { missing })
    if (failure !== null) throw failure
    this.#world.trace.add('run', `workloads ${what}: done`)
  }
}
