import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LoadProcess } from './load/load-process.ts'
import type { Peer, RunningPeer } from './peers/peer.ts'
import { type Contender, type Ground, measureRow } from './rounds.ts'
import type { SharedRound, SharedRow } from './workloads/workload.ts'

const contenders: Contender<'a' | 'b'>[] = [
  { label: 'a', peer: { name: 'odradek' } as Peer },
  { label: 'b', peer: { name: 'kafka' } as Peer },
]

function groundOf(rounds: number, renewed: string[] = []): Ground {
  return {
    rounds,
    warmSeconds: 0,
    seconds: 1,
    quick: false,
    folder: '/nowhere',
    standing: {
      load: async () => ({}) as LoadProcess,
      broker: async () => ({}) as RunningPeer,
      settle: async () => {},
      renew: async ({ label }) => void renewed.push(label),
    },
  }
}

/** A row that writes down what it is asked for. */
function rowOf(steps: Partial<Pick<SharedRow, 'measure' | 'roundsMax' | 'roundsTimes'>> = {}): {
  row: SharedRow
  log: string[]
} {
  const log: string[] = []
  const note = (step: string, { name, index }: SharedRound): void => void log.push(`${step} ${name} ${index}`)
  const row: SharedRow = {
    id: 'section/row',
    section: 'produce',
    title: 'a row',
    goals: [],
    brokers: 'shared',
    prepare: async (round) => note('prepare', round),
    clear: async (round) => note('clear', round),
    ...steps,
    measure: async (round) => {
      note('measure', round)
      return steps.measure?.(round) ?? { milliseconds: round.index }
    },
  }
  return { row, log }
}

test('rounds alternate, and the first one is not counted', async () => {
  const { row, log } = rowOf()
  const { samples } = await measureRow(row, contenders, groundOf(2))
  assert.deepEqual(log, [
    'prepare section-row-a 0',
    'prepare section-row-b 0',
    'measure section-row-a 0',
    'measure section-row-b 0',
    'measure section-row-a 1',
    'measure section-row-b 1',
    'measure section-row-a 2',
    'measure section-row-b 2',
    'clear section-row-a 0',
    'clear section-row-b 0',
  ])
  assert.deepEqual(samples, {
    a: [{ milliseconds: 1 }, { milliseconds: 2 }],
    b: [{ milliseconds: 1 }, { milliseconds: 2 }],
  })
})

test('a row may want fewer rounds, or more', async () => {
  const countOf = async (wants: Parameters<typeof rowOf>[0]) =>
    (await measureRow(rowOf(wants).row, contenders, groundOf(3))).samples.a?.length
  assert.deepEqual(
    [await countOf({ roundsMax: 1 }), await countOf({ roundsMax: 5 }), await countOf({ roundsTimes: 2 })],
    [1, 3, 6],
  )
})

test('a row that fails on one goes on with the other, on new ground', async () => {
  const renewed: string[] = []
  const { row, log } = rowOf({
    measure: async ({ peer, index }) => {
      if (peer.name === 'kafka' && index === 1) throw new Error('the disk is full', { cause: new Error('ENOSPC') })
      return { milliseconds: index }
    },
  })
  const { samples, failures } = await measureRow(row, contenders, groundOf(2, renewed))
  assert.deepEqual(failures, { b: 'the disk is full: ENOSPC' })
  assert.deepEqual(renewed, ['b'])
  assert.equal(samples.a?.length, 2)
  assert.equal(samples.b, undefined)
  assert.equal(log.filter((each) => each.startsWith('clear section-row-b')).length, 1)
})
