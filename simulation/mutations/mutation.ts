// A mistake that somebody could make, as data: what it breaks, and the edits of the source that make it. Nothing in the source knows of
// it; `plant.ts` makes the edits while a child process loads its modules.

export interface Edit {
  /** From the root of the repository. */
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly replace: string
}

export interface Mutation {
  readonly name: string
  /** What goes wrong with it, in words. */
  readonly breaks: string
  readonly edits: readonly Edit[]
  /** Where it shows soonest, by name; left out: whatever the seeds have. */
  readonly workloads?: readonly string[]
  /** The simulator must have seen it by then. */
  readonly seedsMax: number
}

/** The text with the edit made. Throws when what is to be replaced is not there exactly once. */
export function edited(source: string, { file, find, replace }: Edit): string {
  const at = source.indexOf(find)
  if (at < 0) throw new Error(`${file} does not hold the text that is to be replaced:\n${find}`)
  if (source.includes(find, at + 1)) throw new Error(`${file} holds the text that is to be replaced twice:\n${find}`)
  return source.slice(0, at) + replace + source.slice(at + find.length)
}
