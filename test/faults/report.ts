// Rounds in words.

import type { RoundReport } from './session.ts'

export function lineOf({ fault, round, problem, acknowledged, gapsMs, settledMs }: RoundReport): string {
  const head = `${fault.padEnd(18)} ${String(round).padStart(2)}`
  if (problem !== null) return `${head}  WRONG: ${problem}`
  const gaps = [...gapsMs].map(([name, ms]) => `${name} ${seconds(ms)}`).join(', ')
  return `${head}  well  ${acknowledged} acknowledged  gaps: ${gaps}  in sync after ${seconds(settledMs)}`
}

/** Markdown: a row for each fault; the gap of a round is the longest of any load. */
export function tableOf(reports: readonly RoundReport[]): string {
  const names = [...new Set(reports.map(({ fault }) => fault))]
  const rows = names.map((name) => {
    const own = reports.filter(({ fault }) => fault === name)
    const well = own.filter(({ problem }) => problem === null)
    const gaps = well.map(({ gapsMs }) => Math.max(...gapsMs.values())).sort((a, b) => a - b)
    const acknowledged = well.reduce((sum, report) => sum + report.acknowledged, 0)
    const median = gaps.length === 0 ? '-' : seconds(gaps[Math.floor(gaps.length / 2)]!)
    const worst = gaps.length === 0 ? '-' : seconds(gaps.at(-1)!)
    return `| ${name} | ${well.length} of ${own.length} | ${acknowledged} | ${median} | ${worst} |`
  })
  return [
    '| fault | rounds well | records acknowledged | gap, median | gap, worst |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`
