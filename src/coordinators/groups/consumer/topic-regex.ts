// Topics by regular expression, evaluated here (KIP-848). The language is RE2's, as Kafka's: no backtracking, so matching takes time
// linear in the topic's name whatever the pattern; what cannot be had at that price (look-around, back-references) is refused.

import { onDemand } from '../../../lib/on-demand.ts'
import { waysOpenIn } from './regex-weight.ts'

const re2 = onDemand((require) => require('re2js') as typeof import('re2js'))

export interface TopicRegex {
  readonly pattern: string
  /** Whether the whole name matches, not a part of it. */
  matches(topic: string): boolean
}

export type CompiledTopicRegex =
  | { readonly ok: true; readonly regex: TopicRegex }
  /** For the client, with INVALID_REGULAR_EXPRESSION. */
  | { readonly ok: false; readonly message: string }

/**
 * Patterns that would keep everybody waiting are refused, which Kafka does not do: with so many ways open one name takes up to 0.1 s, and
 * a pattern of a few thousand characters could take a minute.
 */
const waysOpenMax = 1_000
/** Of a refused pattern so much is repeated to its client: a string of the protocol has an end. */
const quotedMax = 1_000

/** Of what is not too costly, patterns of any length: `socket.request.max.bytes` is their bound. */
export function compileTopicRegex(pattern: string): CompiledTopicRegex {
  if (waysOpenIn(pattern) > waysOpenMax) return refused(pattern, 'expression too large')
  const { RE2JS, RE2JSException, RE2JSSyntaxException } = re2()
  try {
    const compiled = RE2JS.compile(pattern)
    return { ok: true, regex: { pattern, matches: (topic) => compiled.testExact(topic) } }
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    return refused(pattern, error instanceof RE2JSSyntaxException ? error.getDescription() : error.message)
  }
}

function refused(pattern: string, why: string): CompiledTopicRegex {
  const quoted = pattern.length > quotedMax ? `${pattern.slice(0, quotedMax)}...` : pattern
  return { ok: false, message: `SubscribedTopicRegex \`${quoted}\` is not a valid regular expression: ${why}.` }
}

/** One turn's share of a scan: about 5 ms, which is thousands of topics for an ordinary pattern. */
const workPerTurn = 150_000
/** What a character of a pattern costs when it is compiled. */
const workToCompile = 300
/** What open ways cost with each character of a name grows with their square: divided by this, it is as many characters of the pattern. */
const waysPerWork = 32

/**
 * Finds the topics that patterns stand for, in turns, because a costly pattern takes milliseconds a topic and other groups wait. What is
 * no pattern stands for nothing. Internal topics are topics like any other: that a client leaves them out of its own patterns
 * (`exclude.internal.topics`) binds no broker.
 */
export class TopicScan {
  readonly #patterns: readonly string[]
  readonly #topics: readonly string[]
  readonly #found: ReadonlyMap<string, string[]>
  #pattern = 0
  #topic = 0
  /** Of the pattern that is looked at; null before its first topic. */
  #compiled: { readonly regex: TopicRegex | null; readonly workPerCharacter: number } | null = null

  constructor(patterns: readonly string[], topics: Iterable<string>) {
    this.#patterns = patterns
    this.#topics = [...topics]
    this.#found = new Map(patterns.map((pattern) => [pattern, []]))
  }

  /** By pattern, in the order of the topics. Complete when `advance` has said so. */
  get found(): ReadonlyMap<string, readonly string[]> {
    return this.#found
  }

  /** True when all has been looked at. Compiles one pattern at least, or looks whether one topic matches. */
  advance(work: number = workPerTurn): boolean {
    let left = work
    while (this.#pattern < this.#patterns.length) {
      if (left <= 0) return false
      left -= this.#step(this.#patterns[this.#pattern]!)
    }
    return true
  }

  /** Returns the work that was done, about. */
  #step(pattern: string): number {
    if (this.#topic === this.#topics.length) {
      this.#pattern++
      this.#topic = 0
      this.#compiled = null
      return 1
    }
    if (this.#compiled === null) {
      const compiled = compileTopicRegex(pattern)
      const workPerCharacter = pattern.length + waysOpenIn(pattern) ** 2 / waysPerWork
      this.#compiled = { regex: compiled.ok ? compiled.regex : null, workPerCharacter }
      return workToCompile * pattern.length
    }
    const { regex, workPerCharacter } = this.#compiled
    const topic = this.#topics[this.#topic++]!
    if (regex === null) return 1
    if (regex.matches(topic)) this.#found.get(pattern)!.push(topic)
    return workPerCharacter * topic.length
  }
}
