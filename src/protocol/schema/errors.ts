// What can go wrong between bytes and values. Both errors name the field, built up while the failure unwinds.

type PathSegment = string | number

/** `topics[3].name` of ['topics', 3, 'name']. */
function renderPath(path: readonly PathSegment[]): string {
  let text = ''
  for (const segment of path) {
    if (typeof segment === 'number') text += `[${segment}]`
    else text += text === '' ? segment : `.${segment}`
  }
  return text
}

/** The bytes are not what the definition says: the peer is broken or hostile, and its connection is to be closed. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
  readonly #path: PathSegment[] = []
  readonly reason: string
  /** Where in the frame, in bytes from its start. */
  readonly offset: number

  constructor(reason: string, offset: number) {
    super(`${reason} at byte ${offset}`)
    this.reason = reason
    this.offset = offset
  }

  get path(): string {
    return renderPath(this.#path)
  }

  within(segment: PathSegment): this {
    this.#path.unshift(segment)
    this.message = `${this.path}: ${this.reason} at byte ${this.offset}`
    return this
  }
}

/** The value cannot be written: out of range, or set in a version that lacks the field and does not ignore it. */
export class EncodeError extends Error {
  override readonly name = 'EncodeError'
  readonly #path: PathSegment[] = []
  readonly reason: string

  constructor(reason: string) {
    super(reason)
    this.reason = reason
  }

  get path(): string {
    return renderPath(this.#path)
  }

  within(segment: PathSegment): this {
    this.#path.unshift(segment)
    this.message = `${this.path}: ${this.reason}`
    return this
  }
}

/** The same error, knowing the field it happened in. Anything else passes through untouched. */
export function within(error: unknown, segment: PathSegment): unknown {
  return error instanceof DecodeError || error instanceof EncodeError ? error.within(segment) : error
}

/** What `decode` makes of bytes that others wrote; null where they are malformed. */
export function decodedOrNull<T>(decode: () => T): T | null {
  try {
    return decode()
  } catch (error) {
    if (error instanceof DecodeError) return null
    throw error
  }
}
