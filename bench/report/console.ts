// A run as it goes, on the terminal.

import { digits } from './numbers.ts'
import { goalText, peerTitles } from './markdown.ts'
import type { PeerName } from '../peers/peer.ts'
import { figures, type RowResult, type RunResult } from './result.ts'
import { countOf, figureOf, verdictOf, verdictsOf } from './verdicts.ts'

/** The row's title, and a line for each goal. */
export function printRow(
  row: RowResult,
  { position, minutes }: { readonly position: string; readonly minutes: number },
): void {
  console.log(`\n[${position}, ${digits(minutes)} min] ${row.title}`)
  for (const goal of row.goals) {
    const { ratio, outcome } = verdictOf(row, goal)
    const values = (['odradek', goal.against] as const).map(
      (peer) => `${peerTitles[peer]} ${digits(figureOf(row, peer, goal.figure)?.median)}`,
    )
    const spread = ratio === undefined ? '' : ` (${digits(ratio.min)} to ${digits(ratio.max)})`
    const cells = [
      figures[goal.figure].unit.padEnd(16),
      values.join(', ').padEnd(34),
      `ratio ${digits(ratio?.median)}${spread}`.padEnd(32),
      goalText(goal).padEnd(20),
      outcome,
    ]
    console.log(`  ${cells.join('')}`)
  }
  for (const [peer, why] of Object.entries(row.failures ?? {})) {
    console.log(`  ${peerTitles[peer as PeerName]} FAILED: ${why}`)
  }
}

export function printSummary(run: RunResult): void {
  const verdicts = verdictsOf(run)
  console.log(
    `\n${countOf(verdicts, 'met')} of ${verdicts.length} goals met, ${countOf(verdicts, 'NOT MET')} not met, ` +
      `${countOf(verdicts, 'not measured')} not measured, in ${digits(run.minutes)} minutes`,
  )
}
