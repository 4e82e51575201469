// What must be true, in production too. A broken invariant is a bug: nobody catches it to carry on.

export class InvariantError extends Error {
  override readonly name = 'InvariantError'
}

/** Throws `InvariantError` when `condition` is false. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message)
}
