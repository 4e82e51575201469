// The rules that hold the folders in order, as functions over source text: which folder may import which, and what only
// src/io may touch. Source is scanned, not parsed: TypeScript 7 has no JavaScript API.
import { posix } from 'node:path'

/** A folder of src imports only from folders with a lower step, never sideways. */
export const steps: Readonly<Record<string, number>> = {
  lib: 1,
  io: 2,
  records: 2,
  protocol: 2,
  storage: 3,
  cluster: 3,
  security: 4,
  replication: 4,
  coordinators: 4,
  broker: 5,
  http: 6,
  start: 7,
  testkit: 8,
  cli: 8,
}

export interface SourceFile {
  /** From the root of the repository, with '/': `src/io/clock.ts`. */
  readonly path: string
  readonly text: string
}

type Door = 'files' | 'network' | 'time' | 'randomness'

const modules: { readonly door: Door; readonly pattern: RegExp }[] = [
  { door: 'files', pattern: /^(node:)?fs(\/|$)/ },
  { door: 'network', pattern: /^(node:)?(net|dgram)$/ },
  { door: 'time', pattern: /^(node:)?(timers(\/|$)|perf_hooks$)/ },
]

/** A date made from a given number is arithmetic; one made from nothing reads the clock. */
const words: { readonly door: Door; readonly pattern: RegExp }[] = [
  { door: 'time', pattern: /\bDate\s*\.\s*now\b/ },
  { door: 'time', pattern: /\bnew\s+Date\b(?!\s*(\(\s*[^\s)]|\.))/ },
  { door: 'time', pattern: /(?<!new\s+)(?<![\w.$])Date\s*\(/ },
  { door: 'time', pattern: /(?<![\w$])(?<!(?<!globalThis\s*)\.\s*)performance\s*\./ },
  { door: 'time', pattern: /\bprocess\s*\.\s*hrtime\b/ },
  { door: 'time', pattern: /(?<![\w$])(?<!(?<!globalThis\s*)\.\s*)set(Timeout|Interval|Immediate)\s*\(/ },
  { door: 'randomness', pattern: /\bMath\s*\.\s*random\b/ },
  { door: 'randomness', pattern: /\b(randomBytes|randomInt|randomUUID|randomFill|randomFillSync|getRandomValues)\b/ },
]

/** What a file imports or re-exports, types included, and what it imports while it runs. */
export function importsOf(text: string): string[] {
  const { code, strings } = scan(text)
  const found: string[] = []
  // In `code` a string literal is its quotes around its number, so nothing inside one can be mistaken for an import.
  for (const match of code.matchAll(/(?<![.\w$])(?:from\s*|(?:import|require)\s*\(?\s*)"(\d+)"/g)) {
    found.push(strings[Number(match[1])]!)
  }
  return found
}

/** Every rule the file breaks, in words; none for a good file. `dependencies`: what package.json installs for users. */
export function violationsOf(file: SourceFile, dependencies: ReadonlySet<string>): string[] {
  const home = folderOf(file.path)
  if (home === null || steps[home] === undefined) return [`${file.path}: its folder has no step`]
  const violations: string[] = []
  const published = !isTest(file.path)
  for (const specifier of importsOf(file.text)) {
    if (specifier.startsWith('.')) {
      const complaint = complaintAbout(file.path, home, posix.join(posix.dirname(file.path), specifier))
      if (complaint !== null) violations.push(`${file.path}: imports ${specifier}, ${complaint}`)
      continue
    }
    const door = modules.find((module) => module.pattern.test(specifier))?.door
    if (door !== undefined && !mayUse(file.path, home, door)) {
      violations.push(`${file.path}: imports ${specifier}, which only src/io may (${door})`)
    }
    if (door !== undefined) continue
    if (published && !specifier.startsWith('node:') && !dependencies.has(packageOf(specifier))) {
      violations.push(`${file.path}: imports ${specifier}, which is not installed with the package`)
    }
  }
  const { code } = scan(file.text)
  for (const { door, pattern } of words) {
    const match = pattern.exec(code)
    // The simulated clock lets real turns of the event loop pass; no time is read by that.
    if (match === null || mayUse(file.path, home, door) || isSettling(file.path, match[0])) continue
    const line = code.slice(0, match.index).split('\n').length
    violations.push(`${file.path}:${line}: ${match[0].trim()}, which only src/io may (${door})`)
  }
  return violations
}

function complaintAbout(path: string, home: string, target: string): string | null {
  const folder = folderOf(target)
  if (folder === null) return 'outside src'
  if (!isTest(path) && isTest(target)) return 'a test'
  if (!target.endsWith('.ts') && !target.endsWith('.json')) return 'without its ending .ts'
  if (folder === home) return null
  const step = steps[folder]
  if (step === undefined) return 'whose folder has no step'
  return step < steps[home]! ? null : `step ${step} from step ${steps[home]}`
}

function mayUse(path: string, home: string, door: Door): boolean {
  if (isTest(path)) return true
  // A simulated twin that reads the real world is no simulation.
  if (path.endsWith('.sim.ts')) return false
  if (home === 'io') return true
  return home === 'cli' && (door === 'files' || door === 'time')
}

function isSettling(path: string, found: string): boolean {
  return path === 'src/io/clock.sim.ts' && found.startsWith('setImmediate')
}

function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.endsWith('.contract.ts')
}

/** `src/io/clock.ts` is of io, `src/start.ts` and its test of start; null outside src. */
function folderOf(path: string): string | null {
  const [root, folder] = path.split('/')
  if (root !== 'src' || folder === undefined) return null
  return folder.replace(/(\.test)?\.ts$/, '')
}

/** `@scope/name/part` is of `@scope/name`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/**
 * The text with comments blanked and each string literal replaced by `"n"`, its index in `strings`. Line breaks stay.
 * Code inside a template literal's `${}` stays code.
 */
export function scan(text: string): { code: string; strings: string[] } {
  const strings: string[] = []
  /** For each template literal we are inside of: how many braces are open in its current `${}`. */
  const templates: number[] = []
  let code = ''
  let at = 0
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0] ?? text[at]!
    at += found.length
    return found
  }
  /** `as`: what stands for what was skipped, so that a slash after a value is seen to divide. */
  const skip = (skipped: string, as: string) => {
    code += as + skipped.replaceAll(/[^\n]/g, '')
  }
  const template = () => {
    const body = take(/(?:[^\\`$]|\\[^]|\$(?!\{))*(?:`|\$\{)/y)
    const open = body.endsWith('${')
    skip(body, open ? ' +' : ' 0')
    if (open) templates.push(0)
  }
  skip(take(/(#!.*)?/y), '')
  while (at < text.length) {
    const character = text[at]!
    const next = text[at + 1]
    if (character === '/' && next === '/') skip(take(/[^\n]*/y), ' ')
    else if (character === '/' && next === '*') skip(take(/\/\*[^]*?\*\//y), ' ')
    else if (character === '"' || character === "'") {
      const literal = take(character === '"' ? /"(?:[^\\"\n]|\\[^])*"/y : /'(?:[^\\'\n]|\\[^])*'/y)
      strings.push(literal.slice(1, -1))
      code += `"${strings.length - 1}"`
    } else if (character === '`') {
      at += 1
      template()
    } else if (character === '}' && templates.at(-1) === 0) {
      templates.pop()
      at += 1
      template()
    } else if (character === '/' && startsRegex(code)) {
      skip(take(/\/(?:[^\\/[\n]|\\.|\[(?:[^\\\]\n]|\\.)*\])+\/\w*/y), ' 0')
    } else {
      if (templates.length > 0 && character === '{') templates.push(templates.pop()! + 1)
      if (templates.length > 0 && character === '}') templates.push(templates.pop()! - 1)
      code += character
      at += 1
    }
  }
  return { code, strings }
}

/** A slash after a value divides; anywhere else it opens a regular expression. */
function startsRegex(before: string): boolean {
  return /(?:^|[^\w$)\]}".\s]|\b(?:return|typeof|case|in|of|await|void|throw))\s*$/.test(before.slice(-40))
}
