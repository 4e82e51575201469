import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Failure, type RunParts, shrink } from './shrink.ts'

type Parts = RunParts<number>

const whole: Parts = {
  faults: Array.from({ length: 40 }, (_, i) => i),
  workloads: ['produce', 'groups', 'topics'],
  durationMs: 60_000,
}

/** Breaks a rule when all of `needed` are there, the workload runs, and the time is long enough. */
function breaksWith(needed: readonly number[], { workload = 'groups', atMs = 12_300 } = {}) {
  return async ({ faults, workloads, durationMs }: Parts): Promise<Failure | null> => {
    const breaks = needed.every((fault) => faults.includes(fault)) && workloads.includes(workload)
    return breaks && durationMs >= atMs ? { rule: 'no record is lost', atMs } : null
  }
}

test('only what the failure needs is left', async () => {
  const run = breaksWith([3, 17, 30])
  const failure = await run(whole)
  const { parts } = await shrink({ parts: whole, failure: failure!, run, runsMax: 500 })
  assert.deepEqual(parts, { faults: [3, 17, 30], workloads: ['groups'], durationMs: 14_000 })
})

test('a failure without any fault is left with none', async () => {
  const run = breaksWith([])
  const { parts, runs } = await shrink({ parts: whole, failure: (await run(whole))!, run, runsMax: 500 })
  assert.deepEqual(parts.faults, [])
  assert.ok(runs < 20, `${runs} runs`)
})

test('another rule that breaks is another failure', async () => {
  const sameRule = breaksWith([5])
  const run = async (parts: Parts): Promise<Failure | null> =>
    (await sameRule(parts)) ?? { rule: 'one leader for each epoch', atMs: 1 }
  const { parts, failure } = await shrink({ parts: whole, failure: (await run(whole))!, run, runsMax: 500 })
  assert.deepEqual(parts.faults, [5])
  assert.equal(failure.rule, 'no record is lost')
})

test('it stops after so many runs, and answers the smallest failure that it has seen', async () => {
  let runs = 0
  const breaks = breaksWith([3, 17, 30])
  const run = (parts: Parts) => {
    runs += 1
    return breaks(parts)
  }
  const failure: Failure = { rule: 'no record is lost', atMs: 12_300 }
  const shrunk = await shrink({ parts: whole, failure, run, runsMax: 5 })
  assert.equal(runs, 5)
  assert.equal(shrunk.runs, 5)
  assert.deepEqual(await breaks(shrunk.parts), failure)
  const refused = await shrink({ parts: whole, failure, run, runsMax: 100, mayGoOn: () => false })
  assert.deepEqual(refused.parts, whole)
  assert.equal(runs, 5)
})

test('nothing is tried twice', async () => {
  const seen = new Set<string>()
  const breaks = breaksWith([1, 2])
  const run = (parts: Parts) => {
    const key = JSON.stringify(parts)
    assert.ok(!seen.has(key), `tried twice: ${key}`)
    seen.add(key)
    return breaks(parts)
  }
  await shrink({ parts: whole, failure: { rule: 'no record is lost', atMs: 12_300 }, run, runsMax: 500 })
})

test('a failure that shows only in the end is tried with less and less time', async () => {
  const run = async ({ durationMs }: Parts): Promise<Failure | null> =>
    durationMs >= 5000 ? { rule: 'no record is lost', atMs: durationMs + 30_000 } : null
  const { parts } = await shrink({ parts: whole, failure: (await run(whole))!, run, runsMax: 500 })
  assert.equal(parts.durationMs, 7000)
})
