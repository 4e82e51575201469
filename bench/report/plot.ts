// The report as a picture: how many times better than Apache Kafka each figure is, one bar for each goal on a logarithmic scale, with
// its goal as a mark and the spread of the rounds as a line. Colours follow the reader's light or dark scheme.

import { digits } from './numbers.ts'
import { figures, type Goal, type RowResult, type RunResult, sections } from './result.ts'
import { type Spread, type Verdict, verdictOf } from './verdicts.ts'

const width = 1200
const margin = 24
/** Where titles end, units end, and bars begin and end. */
const columns = { title: 640, unit: 740, plot: 752, plotEnd: 1110, value: width - margin }
const lineHeight = 15
const rowGap = 5
const sectionHeight = 44
const headHeight = 92
/** The scale holds at least this, whatever is measured. */
const leastRange = { from: 0.5, to: 8 }
/** And at most this: a bar that leaves it is cut, its number says the rest. */
const mostRange = { from: 1 / 8, to: 64 }

interface Bar {
  readonly row: RowResult
  readonly verdict: Verdict
  readonly better: Spread
  readonly goal: number
}

const style = `
  .page { fill: #ffffff } .ink { fill: #1f2328 } .soft { fill: #59636e } .grid { stroke: #d1d9e0 } .one { stroke: #59636e }
  .met { fill: #2da44e } .missed { fill: #d4622a } .goal { stroke: #1f2328 } .spread { stroke: #1f2328 } .rule { stroke: #d1d9e0 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #0d1117 } .ink { fill: #f0f6fc } .soft { fill: #9198a1 } .grid { stroke: #2a313a } .one { stroke: #9198a1 }
    .met { fill: #3fb950 } .missed { fill: #e07b45 } .goal { stroke: #f0f6fc } .spread { stroke: #f0f6fc } .rule { stroke: #3d444d }
  }
  text { font: 12px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif }
  .title { font-size: 20px; font-weight: 600 } .section { font-size: 14px; font-weight: 600 } .small { font-size: 11px }
  .grid, .one, .rule { stroke-width: 1 } .goal { stroke-width: 2.5 } .spread { stroke-width: 1; opacity: 0.55 }`

export function plot(run: RunResult): string {
  const bars = run.rows.flatMap((row) => row.goals.flatMap((goal) => barOf(row, goal)))
  const scale = scaleFor(bars)
  const parts: string[] = []
  let y = headHeight
  for (const section of sections) {
    const ofSection = bars.filter(({ row }) => row.section === section)
    if (ofSection.length === 0) continue
    parts.push(text({ x: margin, y: y + 28, kind: 'section ink' }, section))
    parts.push(line({ x: margin, y: y + 36, to: { x: width - margin, y: y + 36 }, kind: 'rule' }))
    for (const tick of ticks(scale)) {
      parts.push(text({ x: scale.at(tick), y: y + 28, kind: 'soft small', anchor: 'middle' }, `${tick}×`))
    }
    y += sectionHeight
    const top = y
    const drawn: string[] = []
    for (const [index, bar] of ofSection.entries()) {
      const isFirst = ofSection[index - 1]?.row !== bar.row
      if (isFirst && index > 0) y += rowGap
      drawn.push(...drawBar(bar, { y, isFirst, scale }))
      y += lineHeight
    }
    parts.push(...grid(scale, { top, bottom: y }), ...drawn)
    y += 6
  }
  const height = y + margin
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    '<title>How many times better than Apache Kafka each figure is</title>',
    `<style>${style}\n</style>`,
    `<rect class="page" width="${width}" height="${height}" rx="8"/>`,
    ...head(bars),
    ...parts,
    '</svg>\n',
  ].join('\n')
}

/** Twice as good is 2 whichever way is better. None for what was not measured, and none against the probe: that is another scale. */
function barOf(row: RowResult, goal: Goal): Bar[] {
  const verdict = verdictOf(row, goal)
  const { ratio } = verdict
  if (ratio === undefined || goal.against !== 'kafka') return []
  if (figures[goal.figure].better === 'more') return [{ row, verdict, better: ratio, goal: goal.ratio }]
  const better = { median: 1 / ratio.median, min: 1 / ratio.max, max: 1 / ratio.min }
  return [{ row, verdict, better, goal: 1 / goal.ratio }]
}

interface Scale {
  readonly from: number
  readonly to: number
  at(value: number): number
}

/** From a power of two to a power of two that hold all bars and goals. */
function scaleFor(bars: readonly Bar[]): Scale {
  const values = bars.flatMap(({ better, goal }) => [better.median, goal]).filter((value) => value > 0)
  const from = Math.max(mostRange.from, 2 ** Math.floor(Math.log2(Math.min(leastRange.from, ...values))))
  const to = Math.min(mostRange.to, 2 ** Math.ceil(Math.log2(Math.max(leastRange.to, ...values))))
  const perOctave = (columns.plotEnd - columns.plot) / Math.log2(to / from)
  return {
    from,
    to,
    at: (value) => columns.plot + Math.log2(Math.min(to, Math.max(from, value)) / from) * perOctave,
  }
}

function head(bars: readonly Bar[]): string[] {
  const met = bars.filter(({ verdict }) => verdict.outcome === 'met').length
  const subtitle = `ratios of one run on one machine, ${met} of ${bars.length} goals against it met; further right is better, whatever the figure`
  const legendY = 78
  return [
    text({ x: margin, y: 36, kind: 'title ink' }, 'Odradek: how many times better than Apache Kafka'),
    text({ x: margin, y: 56, kind: 'soft' }, subtitle),
    `<rect class="met" x="${margin}" y="${legendY - 9}" width="22" height="9" rx="1"/>`,
    text({ x: margin + 28, y: legendY, kind: 'soft small' }, 'goal met'),
    `<rect class="missed" x="${margin + 90}" y="${legendY - 9}" width="22" height="9" rx="1"/>`,
    text({ x: margin + 118, y: legendY, kind: 'soft small' }, 'not met'),
    line({ x: margin + 180, y: legendY - 11, to: { x: margin + 180, y: legendY + 2 }, kind: 'goal' }),
    text({ x: margin + 188, y: legendY, kind: 'soft small' }, 'the goal'),
    line({ x: margin + 250, y: legendY - 4, to: { x: margin + 276, y: legendY - 4 }, kind: 'spread' }),
    text({ x: margin + 282, y: legendY, kind: 'soft small' }, 'least and most of the rounds'),
  ]
}

function ticks({ from, to }: Scale): number[] {
  const octaves = Math.round(Math.log2(to / from))
  return Array.from({ length: octaves + 1 }, (_, index) => from * 2 ** index)
}

function grid(scale: Scale, { top, bottom }: { readonly top: number; readonly bottom: number }): string[] {
  return ticks(scale).map((tick) => {
    const x = scale.at(tick)
    return line({ x, y: top - 4, to: { x, y: bottom }, kind: tick === 1 ? 'one' : 'grid' })
  })
}

function drawBar(
  { row, verdict, better, goal }: Bar,
  { y, isFirst, scale }: { readonly y: number; readonly isFirst: boolean; readonly scale: Scale },
): string[] {
  const baseline = y + 11
  const [one, end] = [scale.at(1), scale.at(better.median)]
  const kind = verdict.outcome === 'met' ? 'met' : 'missed'
  const middle = y + 7
  return [
    ...(isFirst ? [text({ x: margin, y: baseline, kind: 'ink' }, row.title, columns.title - margin)] : []),
    text({ x: columns.unit, y: baseline, kind: 'soft small', anchor: 'end' }, figures[verdict.goal.figure].unit),
    `<rect class="${kind}" x="${round(Math.min(one, end))}" y="${y + 2}" width="${round(Math.max(1, Math.abs(end - one)))}" height="10" rx="1"/>`,
    line({ x: scale.at(better.min), y: middle, to: { x: scale.at(better.max), y: middle }, kind: 'spread' }),
    line({ x: scale.at(goal), y: y + 0.5, to: { x: scale.at(goal), y: y + 13.5 }, kind: 'goal' }),
    text({ x: columns.value, y: baseline, kind: 'ink small', anchor: 'end' }, times(better.median)),
  ]
}

/** `0.50×`, `1.27×`, `13.4×`, `134×` */
function times(value: number): string {
  return `${digits(value)}×`
}

/** Of the font above, on average: where a title would run into the next column, it is drawn narrower. */
const pixelsPerLetter = 6.1

function text(
  {
    x,
    y,
    kind,
    anchor,
  }: { readonly x: number; readonly y: number; readonly kind: string; readonly anchor?: 'end' | 'middle' },
  content: string,
  widthMax = Number.POSITIVE_INFINITY,
): string {
  const anchored = anchor === undefined ? '' : ` text-anchor="${anchor}"`
  const narrow =
    content.length * pixelsPerLetter > widthMax ? ` textLength="${widthMax}" lengthAdjust="spacingAndGlyphs"` : ''
  return `<text class="${kind}" x="${round(x)}" y="${round(y)}"${anchored}${narrow}>${escaped(content)}</text>`
}

interface Point {
  readonly x: number
  readonly y: number
}

function line({ x, y, to, kind }: Point & { readonly to: Point; readonly kind: string }): string {
  return `<line class="${kind}" x1="${round(x)}" y1="${round(y)}" x2="${round(to.x)}" y2="${round(to.y)}"/>`
}

const round = (value: number): number => Math.round(value * 10) / 10

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
