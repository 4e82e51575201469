// Topics by regular expression, evaluated here (KIP-848). The language is RE2's, as Kafka's: no backtracking, so matching takes time
// linear in the topic's name whatever the pattern; what cannot be had at that price (look-around, back-references) is refused.

import { RE2JS, RE2JSException, RE2JSSyntaxException } from 're2js'

export interface TopicRegex {
  readonly pattern: string
  /** Whether the whole name matches, not a part of it. */
  matches(topic: string): boolean
}

export type CompiledTopicRegex =
  | { readonly ok: true; readonly regex: TopicRegex }
  /** For the client, with INVALID_REGULAR_EXPRESSION. */
  | { readonly ok: false; readonly message: string }

/** Patterns have no bound of their own, as in Kafka: `socket.request.max.bytes` is theirs, and RE2 bounds repetition at 1,000. */
export function compileTopicRegex(pattern: string): CompiledTopicRegex {
  try {
    const compiled = RE2JS.compile(pattern)
    return { ok: true, regex: { pattern, matches: (topic) => compiled.testExact(topic) } }
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    const why = error instanceof RE2JSSyntaxException ? error.getDescription() : error.message
    return { ok: false, message: `SubscribedTopicRegex \`${pattern}\` is not a valid regular expression: ${why}.` }
  }
}

/** One turn's share of a scan: about 5 ms for a pattern of the costly kind, and thousands of topics for an ordinary one. */
const workPerTurn = 150_000

/**
 * Finds the topics that patterns stand for, in turns, because a pattern of many thousand characters takes milliseconds a topic and other
 * groups wait. Internal topics are topics like any other: that a client leaves them out of its own patterns
 * (`exclude.internal.topics`) binds no broker.
 */
export class TopicScan {
  readonly #regexes: readonly TopicRegex[]
  readonly #topics: readonly string[]
  readonly #found: ReadonlyMap<string, string[]>
  #next = 0

  constructor(regexes: readonly TopicRegex[], topics: Iterable<string>) {
    this.#regexes = regexes
    this.#topics = [...topics]
    this.#found = new Map(regexes.map(({ pattern }) => [pattern, []]))
  }

  /** By pattern, in the order of the topics. Complete when `advance` has said so. */
  get found(): ReadonlyMap<string, readonly string[]> {
    return this.#found
  }

  /** True when all has been looked at. Looks at one topic at least; its whole cost is at most patterns' length times name's length. */
  advance(work: number = workPerTurn): boolean {
    let left = work
    while (this.#next < this.#topics.length && left > 0) {
      const topic = this.#topics[this.#next++]!
      for (const regex of this.#regexes) {
        if (regex.matches(topic)) this.#found.get(regex.pattern)!.push(topic)
        left -= regex.pattern.length * topic.length
      }
    }
    return this.#next === this.#topics.length
  }
}
