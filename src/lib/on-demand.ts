// Packages that most brokers never use are loaded when one does: each would take milliseconds of every start and megabytes of every broker.
// In one step, as `require` does, because who needs them (unpacking a batch, compiling a pattern) cannot wait.

import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** For example: `onDemand((require) => require('snappy') as typeof import('snappy'))`. The answer throws when it cannot be loaded. */
export function onDemand<Package>(load: (require: NodeJS.Require) => Package): () => Package {
  let loaded: Package | null = null
  return () => (loaded ??= load(require))
}
