// Columns and long lines, as wide as the terminal has room for.

export interface Column<Row> {
  readonly title: string
  /** Numbers are aligned to the right. */
  readonly number?: boolean
  readonly text: (row: Row) => string
}

/** Room for the rest of a row that is continued below its last column; with less it is continued near the left. */
const continuedMin = 24

/**
 * Columns in which no row has anything to say are left out. A row longer than `width` goes on in the next line, where its last column
 * begins.
 */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { indent = '', width = Infinity }: { readonly indent?: string; readonly width?: number } = {},
): string[] {
  const filled = columns.filter(({ text }) => rows.some((row) => text(row) !== ''))
  const cells = rows.map((row) => filled.map(({ text }) => text(row)))
  const widths = filled.map(({ title }, at) => Math.max(title.length, ...cells.map((row) => row[at]!.length)))
  const lastAt = widths.slice(0, -1).reduce((sum, each) => sum + each + 2, indent.length)
  const continued = ' '.repeat(width - lastAt >= continuedMin ? lastAt : indent.length + 4)
  const breakable = lastAt < width && filled.at(-1)?.number !== true
  return [filled.map(({ title }) => title), ...cells].flatMap((row) => {
    const padded = row.map((cell, at) =>
      filled[at]!.number === true ? cell.padStart(widths[at]!) : cell.padEnd(widths[at]!),
    )
    const line = `${indent}${padded.join('  ').trimEnd()}`
    return breakable ? wrapped(line, width, continued) : [line]
  })
}

/** Lines of at most `width` characters, broken at spaces; those after the first begin with `indent`. A longer word stays whole. */
export function wrapped(text: string, width: number, indent: string): string[] {
  const [first, ...words] = text.trimStart().split(' ')
  const lines: string[] = []
  let line = text.slice(0, text.length - text.trimStart().length) + first!
  for (const word of words) {
    if (line.length + 1 + word.length <= width) {
      line += ` ${word}`
    } else {
      lines.push(line)
      line = indent + word
    }
  }
  return [...lines, line]
}

/** Characters in a line of the terminal; where the output goes elsewhere lines may be as long as they are. */
export const terminalWidth = (): number => (process.stdout.isTTY && process.stdout.columns) || Infinity
