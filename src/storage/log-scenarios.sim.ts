// What happens to a data folder in one run of the fuzzing: rounds of random operations, and between them an end, a crash or a fault.

import assert from 'node:assert/strict'
import { baseOffsetOf, computedCrcOf, crcOf, nextOffsetOf } from '../records/batch.ts'
import { batchesIn } from '../records/batches-in.ts'
import { checkBatch } from './log-check.sim.ts'
import { CorruptLogError } from './log-errors.ts'
import type { LogModel } from './log-model.sim.ts'
import type { SegmentedLog } from './segmented-log.ts'
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
    seeds: 80,
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
    seeds: 1200,
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
    seeds: 400,
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
  {
    title: 'a disk that is full now and then loses nothing that was confirmed',
    seeds: 150,
    run: async (world) => {
      const { random } = world
      for (let round = 0; round < 3; round++) {
        const workload = await Workload.open(world)
        await workload.check()
        await runSteps(world, workload, random.below(30))
        workload.troubled = true
        workload.full = true
        for (const model of world.models) model.startUnsure = true
        world.disk.capacityBytes = world.disk.usedBytes + random.below(3000)
        await runSteps(world, workload, 30)
        world.disk.capacityBytes = Infinity
        await runSteps(world, workload, 20)
        if (random.chance(0.3)) await workload.close()
        crash(world, random.chance(0.5))
      }
      await (await Workload.open(world)).check()
    },
  },
  {
    title: 'a bit that rots is never served under a right checksum, and nothing before it is lost',
    seeds: 600,
    run: async (world) => {
      const { random } = world
      const first = await Workload.open(world)
      await runSteps(world, first, 30 + random.below(60))
      await first.check()
      if (random.chance(0.5)) {
        await first.close()
        world.restart()
      } else world.kill()
      await flipSomeBit(world)
      const workload = await Workload.open(world, true)
      for (const { log, model } of workload.online) await checkRotten(log, model, 1 + random.below(1000))
    },
  },
]

/** In a batch of some log: where a checksum, or the place of the batches, can tell. */
async function flipSomeBit({ disk, models, random }: World): Promise<void> {
  const model = random.pick(models)
  const folder = `/data/${model.topicName}-0`
  const files = (await disk.list(folder)).filter(({ name, sizeBytes }) => name.endsWith('.log') && sizeBytes > 0)
  if (files.length === 0) return
  const path = `${folder}/${random.pick(files).name}`
  const content = (await disk.readFile(path))!
  const batch = random.pick([...batchesIn(content)])
  // Neither where it begins nor the leader's epoch is covered by the checksum.
  const at = random.pick([8, 9, 10, 11, 16, 17 + random.below(batch.length - 17)])
  disk.flipBit(path, batch.byteOffset - content.byteOffset + at, random.below(8))
  model.rotten = model.batchAt(baseOffsetOf(batch)) ?? null
}

/** Reads to the end, or to where the log cannot go on. */
async function checkRotten(log: SegmentedLog, model: LogModel, maxBytes: number): Promise<void> {
  for (let next = log.logStartOffset; next < log.logEndOffset;) {
    const read = await log.read(next, maxBytes, Infinity, true).catch((error: unknown) => {
      if (error instanceof CorruptLogError) return null
      throw error
    })
    if (read === null || !read.ok) {
      assert.ok(log.fault instanceof CorruptLogError, 'a log that cannot be read is offline, and says why')
      assert.ok(model.rotten !== null)
      return
    }
    assert.ok(read.sizeBytes > 0, `there are batches from ${next} on`)
    for (const batch of read.chunks.flatMap((chunk) => [...batchesIn(chunk)])) {
      if (crcOf(batch) === computedCrcOf(batch)) checkBatch(batch, model)
      next = nextOffsetOf(batch)
    }
  }
}

export async function runSteps(world: World, workload: Workload, steps: number): Promise<void> {
  for (let i = 0; i < steps && !world.disk.off; i++) await workload.step()
}

function crash(world: World, power: boolean): void {
  if (power) world.failPower()
  else world.kill()
}
