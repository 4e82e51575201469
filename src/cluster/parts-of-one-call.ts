// A call of many guarded writes may be made in parts, each of them whole or not at all. What the parts come to together: where one did not
// go through although another wrote something, nobody knows which, and that is an unknown outcome, whatever the reason was.

import { type TransactionResult, UnknownOutcome } from './meta-store.ts'

type Part = readonly TransactionResult[] | 'fenced'

/** The results in order. `fenced`, or a throw of anything but `UnknownOutcome`, says that nothing was written. */
export function outcomeOfParts(parts: readonly PromiseSettledResult<Part>[]): Part {
  const results: TransactionResult[] = []
  let fenced = false
  let fault: unknown = null
  for (const part of parts) {
    if (part.status === 'rejected') {
      if (fault === null || part.reason instanceof UnknownOutcome) fault = part.reason
    } else if (part.value === 'fenced') {
      fenced = true
    } else {
      for (const result of part.value) results.push(result)
    }
  }
  if (fault === null && !fenced) return results
  if (results.some(({ ok }) => ok) && !(fault instanceof UnknownOutcome)) {
    throw new UnknownOutcome('only a part of the writes was made', { cause: fault })
  }
  if (fault !== null) throw fault
  return 'fenced'
}
