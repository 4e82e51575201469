// How costly a regular expression of RE2's language is to match, told from its text, before anything is built from it.
//
// RE2 takes time linear in the text, but for each character as many steps as there are ways that are open at once. Plain characters open
// none; each optional or repeated part, each copy that a counted repetition makes, and each alternative within a group may open one:
// `(a?){1000}` is ten characters and a thousand ways.

/** What RE2 refuses on its own: a part repeated more often, also by repetitions within repetitions. */
const repeatsMax = 1_000

/** A part of the pattern, such as a character, a class or a group. */
interface Part {
  /** Characters and classes, every copy counted. */
  size: number
  ways: number
  /** How often the parts in it are repeated already. */
  repeats: number
}

/** Parts side by side, in parentheses or on the top level. */
interface Group extends Part {
  last: Part
}

const nothing = (): Part => ({ size: 0, ways: 0, repeats: 1 })
const newGroup = (): Group => ({ ...nothing(), last: nothing() })

/** How many ways may be open at once, at the most; 0 for some patterns that RE2 refuses anyway. Takes time linear in the pattern. */
export function waysOpenIn(pattern: string): number {
  const outer: Group[] = []
  let group = newGroup()
  let at = 0
  const close = () => {
    group.size += group.last.size
    group.ways += group.last.ways
    group.repeats = Math.max(group.repeats, group.last.repeats)
    group.last = nothing()
  }
  while (at < pattern.length) {
    const repeat = counted(pattern, at)
    const character = pattern[at]!
    const { last } = group
    if (repeat !== null) {
      last.repeats *= Math.max(repeat.times, 1)
      if (last.repeats > repeatsMax) return 0
      last.ways = last.ways * repeat.copies + last.size * (repeat.copies - 1) + 1
      last.size *= repeat.copies
      at = repeat.end
    } else if (character === '?' || character === '*' || character === '+') {
      last.ways++
      at++
    } else if (character === '(') {
      close()
      outer.push(group)
      group = newGroup()
      at++
    } else if (character === ')') {
      close()
      const inner = group
      const around = outer.pop()
      if (around === undefined) return 0
      around.last = inner
      group = around
      at++
    } else if (character === '|') {
      close()
      if (outer.length > 0) group.ways++
      at++
    } else {
      close()
      group.last = { ...nothing(), size: 1 }
      at = endOfPart(pattern, at)
    }
  }
  close()
  return group.ways
}

const repetition = /\{(\d{1,9})(,(\d{0,9}))?\}/y

/** A counted repetition at this place. One without an end repeats once more than it must. */
function counted(
  pattern: string,
  at: number,
): { readonly times: number; readonly copies: number; readonly end: number } | null {
  if (pattern[at] !== '{') return null
  repetition.lastIndex = at
  const found = repetition.exec(pattern)
  if (found === null) return null
  const [text, least, comma, most] = found
  const times = Number(most === undefined || most === '' ? least : most)
  const isOpen = comma !== undefined && most === ''
  return { times, copies: Math.max(isOpen ? times + 1 : times, 1), end: at + text.length }
}

/** Where the part that begins here ends: a character, an escape, a class, or quoted text. */
function endOfPart(pattern: string, at: number): number {
  if (pattern[at] === '[') return endOfClass(pattern, at)
  if (pattern[at] !== '\\') return at + 1
  const kind = pattern[at + 1]
  if (kind === 'Q') return endAfter(pattern, '\\E', at + 2)
  const inBraces = (kind === 'p' || kind === 'P' || kind === 'x') && pattern[at + 2] === '{'
  return inBraces ? endAfter(pattern, '}', at + 3) : at + 2
}

function endOfClass(pattern: string, start: number): number {
  let at = start + 1
  if (pattern[at] === '^') at++
  // At the beginning it is a character like any other.
  if (pattern[at] === ']') at++
  while (at < pattern.length && pattern[at] !== ']') {
    if (pattern[at] === '\\') at += 2
    else if (pattern.startsWith('[:', at)) at = endOfName(pattern, at)
    else at++
  }
  return at + 1
}

/** Of `[:alpha:]`; what only looks like it is a character like any other. */
function endOfName(pattern: string, at: number): number {
  const name = pattern.slice(at + 2, at + 16)
  const end = name.indexOf(':]')
  return end === -1 ? at + 1 : at + 2 + end + 2
}

function endAfter(pattern: string, text: string, from: number): number {
  const end = pattern.indexOf(text, from)
  return end === -1 ? pattern.length : end + text.length
}
