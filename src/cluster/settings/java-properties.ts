// The format of server.properties, as java.util.Properties reads it: `key=value`, `key: value` or `key value`; lines that start with
// '#' or '!' are comments; a line that ends with an odd number of backslashes goes on in the next; \t \n \r \f \uXXXX are escapes.

/** Later lines win over earlier ones with the same key. Throws `PropertiesError` on a malformed \u escape. */
export function parseProperties(text: string): Map<string, string> {
  const properties = new Map<string, string>()
  for (const line of logicalLines(text)) {
    const { key, value } = splitLine(line)
    properties.set(unescape(key), unescape(value))
  }
  return properties
}

export class PropertiesError extends Error {
  override readonly name = 'PropertiesError'
}

/** Lines without comments and blank ones, with their continuations joined; leading white space is gone. */
function* logicalLines(text: string): Generator<string> {
  const lines = text.split(/\r\n|\n|\r/)
  for (let i = 0; i < lines.length; i++) {
    let line = withoutIndent(lines[i]!)
    if (line === '' || line.startsWith('#') || line.startsWith('!')) continue
    while (continues(line)) {
      i++
      line = line.slice(0, -1) + withoutIndent(lines[i] ?? '')
    }
    if (line !== '') yield line
  }
}

function withoutIndent(line: string): string {
  return line.replace(/^[ \t\f]+/, '')
}

function continues(line: string): boolean {
  const backslashes = /\\*$/.exec(line)![0].length
  return backslashes % 2 === 1
}

function splitLine(line: string): { key: string; value: string } {
  let end = 0
  while (end < line.length && !/[=: \t\f]/.test(line[end]!)) end += line[end] === '\\' ? 2 : 1
  const rest = line.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '')
  return { key: line.slice(0, end), value: rest }
}

const letters: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescape(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|[^]|$)/g, (_, escaped: string) => {
    if (escaped === 'u') throw new PropertiesError(`malformed \\uXXXX escape in '${text}'`)
    if (escaped.length === 5) return String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
    return letters[escaped] ?? escaped
  })
}
