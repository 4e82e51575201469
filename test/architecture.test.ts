// The folders are the architecture: this holds every file of src to architecture-rules.ts, and the rules to planted
// violations.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { importsOf, type SourceFile, scan, steps, violationsOf } from './architecture-rules.ts'

const root = new URL('..', import.meta.url)

function sourceFiles(): SourceFile[] {
  return readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' })
    .map((name) => `src/${name.replaceAll('\\', '/')}`)
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path, text: readFileSync(new URL(path, root), 'utf8') }))
}

const dependencies = new Set<string>(
  Object.keys(JSON.parse(readFileSync(new URL('package.json', root), 'utf8')).dependencies),
)

test('every file of src keeps the rules', () => {
  const files = sourceFiles()
  assert.ok(files.length > 20)
  assert.deepEqual(
    files.flatMap((file) => violationsOf(file, dependencies)),
    [],
  )
})

test('every folder of src has a step', () => {
  const unknown = readdirSync(new URL('src/', root), { withFileTypes: true })
    .map((entry) => (entry.isDirectory() ? entry.name : entry.name.replace(/(\.test)?\.ts$/, '')))
    .filter((name) => steps[name] === undefined)
  assert.deepEqual(unknown, [])
})

test('the scanner sees the imports of this repository', () => {
  const all = sourceFiles().flatMap((file) => importsOf(file.text))
  for (const specifier of ['node:fs', 'node:net', '../lib/invariant.ts', './clock.ts'])
    assert.ok(all.includes(specifier))
})

const good: { what: string; path: string; text: string }[] = [
  { what: 'a lower folder', path: 'src/broker/a.ts', text: `import { x } from '../storage/log.ts'` },
  { what: 'the same folder', path: 'src/broker/handlers/a.ts', text: `import type { x } from '../pipeline.ts'` },
  { what: 'start.ts and its folder', path: 'src/start.ts', text: `export * from './start/wiring.ts'` },
  { what: 'a door in io', path: 'src/io/clock.ts', text: `import 'node:fs/promises'\nconst now = Date.now()` },
  { what: 'a door in a test', path: 'src/broker/a.test.ts', text: `import net from 'node:net'\nsetTimeout(f, 1)` },
  { what: 'files in the commands', path: 'src/cli/main.ts', text: `import fs from 'node:fs'\nperformance.now()` },
  { what: 'a date of a given moment', path: 'src/broker/a.ts', text: `const d = new Date(ms).toISOString()` },
  { what: 'a date as a type', path: 'src/broker/a.ts', text: `function f(d: Date): Date { return d }` },
  { what: 'a timer of the clock', path: 'src/broker/a.ts', text: `clock.setTimer(1, f); socket.setTimeout(0)` },
  { what: 'a forbidden word in a comment', path: 'src/broker/a.ts', text: `// Date.now()\n/* Math.random */ f()` },
  { what: 'a forbidden word in a string', path: 'src/broker/a.ts', text: 'f("Date.now()", `import("node:fs")`)' },
  { what: 'a regular expression full of quotes', path: 'src/broker/a.ts', text: `f(/['"\`/*]/); g(a / b, "x")` },
  { what: 'a word that only looks like one', path: 'src/lib/a.ts', text: `Buffer.from('../io/clock.ts')` },
  { what: 'an installed package', path: 'src/broker/a.ts', text: `import { z } from 'zod'` },
  { what: 'turns of the loop in the simulated clock', path: 'src/io/clock.sim.ts', text: `setImmediate(resolve)` },
]

for (const { what, path, text } of good) {
  test(`allowed: ${what}`, () => {
    assert.deepEqual(violationsOf({ path, text }, new Set(['zod'])), [])
  })
}

const bad: { what: string; path: string; text: string }[] = [
  { what: 'a higher folder', path: 'src/storage/a.ts', text: `import { x } from '../broker/pipeline.ts'` },
  { what: 'a neighbour on the same step', path: 'src/storage/a.ts', text: `import { x } from '../cluster/image.ts'` },
  { what: 'a higher folder, for its types', path: 'src/lib/a.ts', text: `import type { x } from '../io/clock.ts'` },
  { what: 'a higher folder, in a test', path: 'src/lib/a.test.ts', text: `import { x } from '../io/clock.ts'` },
  { what: 'a higher folder, by export', path: 'src/lib/a.ts', text: `export {\n  x,\n} from '../io/clock.ts'` },
  { what: 'a higher folder, at run time', path: 'src/lib/a.ts', text: `const x = await import('../io/clock.ts')` },
  { what: 'a higher folder, as an inline type', path: 'src/lib/a.ts', text: `let x: import('../io/clock.ts').Clock` },
  { what: 'a folder without a step', path: 'src/broker/a.ts', text: `import { x } from '../utils/x.ts'` },
  { what: 'being in a folder without a step', path: 'src/utils/a.ts', text: `` },
  { what: 'the tests', path: 'src/broker/a.ts', text: `import { x } from '../../test/clients/x.ts'` },
  { what: 'the examples, in a test', path: 'src/broker/a.test.ts', text: `import '../../examples/x.ts'` },
  { what: 'a contract in published code', path: 'src/io/a.ts', text: `import { x } from './disk.contract.ts'` },
  { what: 'an import without its ending', path: 'src/io/a.ts', text: `import { x } from './clock'` },
  { what: 'a package only development has', path: 'src/broker/a.ts', text: `import fc from 'fast-check'` },
  { what: 'files', path: 'src/storage/a.ts', text: `import { readFile } from 'node:fs/promises'` },
  { what: 'files without the prefix', path: 'src/storage/a.ts', text: `import fs from 'fs'` },
  { what: 'the network in the commands', path: 'src/cli/a.ts', text: `import net from 'node:net'` },
  { what: 'timers', path: 'src/broker/a.ts', text: `import { setTimeout as wait } from 'node:timers/promises'` },
  { what: 'the wall clock', path: 'src/broker/a.ts', text: `const now = Date.now()` },
  { what: 'the wall clock as a function', path: 'src/broker/a.ts', text: `const clock = Date.now` },
  { what: 'the wall clock as a date', path: 'src/broker/a.ts', text: `const now = new Date()` },
  { what: 'the wall clock as a date without parentheses', path: 'src/broker/a.ts', text: `const now = new Date` },
  { what: 'the wall clock as text', path: 'src/broker/a.ts', text: `const now = Date()` },
  { what: 'the monotonic clock', path: 'src/broker/a.ts', text: `const now = performance.now()` },
  { what: 'the monotonic clock of the global object', path: 'src/broker/a.ts', text: `globalThis.performance.now()` },
  { what: 'the clock of the process', path: 'src/broker/a.ts', text: `process.hrtime.bigint()` },
  { what: 'a timer', path: 'src/broker/a.ts', text: `setTimeout(() => f(), 10)` },
  { what: 'a timer of the global object', path: 'src/broker/a.ts', text: `globalThis.setInterval(f, 10)` },
  { what: 'a turn of the loop', path: 'src/broker/a.ts', text: `setImmediate(f)` },
  { what: 'chance', path: 'src/broker/a.ts', text: `const x = Math.random()` },
  { what: 'chance from crypto', path: 'src/security/a.ts', text: `import { randomBytes } from 'node:crypto'` },
  { what: 'chance in the commands', path: 'src/cli/a.ts', text: `crypto.randomUUID()` },
  { what: 'the clock inside a template', path: 'src/broker/a.ts', text: 'f(`at ${{ a: `${Date.now()}` }}`)' },
  { what: 'the clock below a hashbang', path: 'src/broker/a.ts', text: `#!/usr/bin/env node\nf(); Date.now()` },
  { what: 'the clock behind a division', path: 'src/broker/a.ts', text: 'f(`a` / 2); g(/b/ / 2); Date.now() / 2' },
  { what: 'the clock behind a comment mark in a string', path: 'src/broker/a.ts', text: `f('//'); Date.now()` },
  { what: 'real time in a simulated twin', path: 'src/io/disk.sim.ts', text: `setTimeout(f, 1)` },
  { what: 'real randomness in a simulated twin', path: 'src/io/disk.sim.ts', text: `Math.random()` },
]

for (const { what, path, text } of bad) {
  test(`caught: ${what}`, () => {
    assert.equal(violationsOf({ path, text }, new Set(['zod'])).length, 1)
  })
}

test('a violation names its line', () => {
  const text = `/* a comment\n of two lines */\nconst text = \`\n\`\nDate.now()`
  assert.deepEqual(violationsOf({ path: 'src/broker/a.ts', text }, new Set()), [
    'src/broker/a.ts:5: Date.now, which only src/io may (time)',
  ])
})

test('the scanner keeps code and blanks comments, strings and templates', () => {
  const { code, strings } = scan(`a('x\\'y') // b\n+ \`c \${d} e\` / f / "g"`)
  assert.deepEqual(strings, [`x\\'y`, 'g'])
  assert.equal(code.replaceAll(/\s+/g, ' '), 'a("0") + +d 0 / f / "1"')
})
