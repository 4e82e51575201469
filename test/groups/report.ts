// Scenarios in words.

import type { Judgement } from './scene.ts'

export interface Row {
  readonly client: string
  readonly scenario: string
  readonly tookMs: number
  /** A reason when it was not played. */
  readonly outcome: Judgement | string
}

export function lineOf({ client, scenario, tookMs, outcome }: Row): string {
  const head = `${client.padEnd(29)} ${scenario.padEnd(18)}`
  if (typeof outcome === 'string') return `${head}  not played: ${outcome}`
  const { problem } = outcome
  if (problem !== null) return `${head}  WRONG after ${seconds(tookMs)}: ${problem}`
  return `${head}  well  ${wordsOf(outcome)}  in ${seconds(tookMs)}`
}

function wordsOf({ records, again, lostLate, generations, generationsSince, settledMs }: Judgement): string {
  const since = generationsSince === null ? '' : ` (${generationsSince} of them after the fault)`
  const late = lostLate === 0 ? '' : `, ${lostLate} partitions lost late`
  return `${records} records, ${again} read again${late}, ${generations} generations${since}, settled within ${seconds(settledMs)}`
}

/** Markdown: a row for each client, a column for each scenario. */
export function tableOf(rows: readonly Row[]): string {
  const scenarios = [...new Set(rows.map(({ scenario }) => scenario))]
  const lines = [...new Set(rows.map(({ client }) => client))].map((client) => {
    const cells = scenarios.map((scenario) => {
      const row = rows.find((one) => one.client === client && one.scenario === scenario)
      if (row === undefined) return ''
      if (typeof row.outcome === 'string') return '-'
      return row.outcome.problem === null ? `well, ${seconds(row.tookMs)}` : 'WRONG'
    })
    return `| ${client} | ${cells.join(' | ')} |`
  })
  return [`| client | ${scenarios.join(' | ')} |`, `|---|${scenarios.map(() => '---|').join('')}`, ...lines].join('\n')
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
