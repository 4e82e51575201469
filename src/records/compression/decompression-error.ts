// Why compressed bytes could not be opened. An exception, since it is found deep inside a codec; the door turns it into a refusal.

export type DecompressionProblem =
  /** The bytes are not what the codec writes, or are damaged or cut short. */
  | 'malformed'
  /** They would unpack to more than the reader allows. Found before that much memory is taken. */
  | 'tooLarge'

export class DecompressionError extends Error {
  override readonly name = 'DecompressionError'
  readonly problem: DecompressionProblem

  constructor(problem: DecompressionProblem, message: string, options?: ErrorOptions) {
    super(message, options)
    this.problem = problem
  }
}

export function tooLarge(codec: string, maxOutputBytes: number): DecompressionError {
  return new DecompressionError('tooLarge', `${codec} data unpacks to more than ${maxOutputBytes} bytes`)
}

export function malformed(codec: string, cause?: unknown): DecompressionError {
  const reason = cause instanceof Error ? `: ${cause.message}` : ''
  return new DecompressionError('malformed', `malformed ${codec} data${reason}`, { cause })
}
