// What happens to a data folder in one run of the fuzzing: rounds of random operations, and between them an end, a crash or a fault.

import { RunOver, Workload, type World } from './log-workload.sim.ts'

export interface Scenario {
  /** A sentence that holds after every run. */
  readonly title: string
  /** So many runs, each with a seed of its own, are as many as a test has time for. */
  readonly seeds: number
  readonly run: (world: World) => Promise<void>
}

export const scenarios: readonly Scenario[] = [
  {
    title: 'without faults the logs are the lists of their batches',
    seeds: 150,
    run: async (world) => {
      for (let round = 0; round < 3; round++) {
        const workload = await Workload.open(world)
        await runSteps(world, workload, 60)
        await workload.check()
        await workload.close()
        world.restart()
      }
    },
  },

  {
    title: 'nothing that was confirmed is lost when the power fails at any time',
    seeds: 1500,
    run: async (world) => {
      const { random } = world
      for (let round = 0; round < 3; round++) {
        world.disk.haltAt(1 + random.below(400))
        try {
          const workload = await Workload.open(world)
          if (round > 0) await workload.check()
          await runSteps(world, workload, 80)
        } catch (error) {
          if (!world.disk.off) throw error
        }
        crash(world, random.chance(0.8))
        // The power may also fail while the logs are recovered.
        if (random.chance(0.3)) {
          world.disk.haltAt(1 + random.below(60))
          await Workload.open(world).catch((error: unknown) => {
            if (!world.disk.off) throw error
          })
          crash(world, true)
        }
      }
      await (await Workload.open(world)).check()
    },
  },

  {
    title: 'a disk that fails takes logs offline, and loses nothing that was confirmed',
    seeds: 800,
    run: async (world) => {
      const { random } = world
      for (let round = 0; round < 3; round++) {
        const workload = await Workload.open(world)
        await workload.check()
        await runSteps(world, workload, random.below(40))
        workload.troubled = true
        const kind = random.pick([
          undefined,
          'open',
          'read',
          'write',
          'sync',
          'rename',
          'remove',
          'truncate',
          'syncFolder',
        ] as const)
        const fault = {
          ...(kind === undefined ? {} : { kind }),
          ...(random.chance(0.5) ? { path: `/data/topic${random.below(world.models.length)}-0` } : {}),
          nth: 1 + random.below(20),
          times: random.pick([1, 1, 3, Infinity]),
          afterBytes: random.below(200),
        }
        const armed = world.disk.failWhen(fault)
        try {
          await runSteps(world, workload, 30)
        } catch (error) {
          if (!(error instanceof RunOver)) throw error
        }
        if (random.chance(0.3)) await workload.close()
        armed.cancel()
        // What a failed sync left in the page cache is no more on the disk than before, and nobody can tell after a restart of the process.
        const syncMayHaveFailed = kind === undefined || kind === 'sync'
        crash(world, syncMayHaveFailed || random.chance(0.5))
      }
      await (await Workload.open(world)).check()
    },
  },
]

export async function runSteps(world: World, workload: Workload, steps: number): Promise<void> {
  for (let i = 0; i < steps && !world.disk.off; i++) await workload.step()
}

function crash(world: World, power: boolean): void {
  if (power) world.failPower()
  else world.kill()
}
