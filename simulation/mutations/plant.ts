// Loaded before everything else (`node --import`): makes the edits of one mutation, named by the environment, while the modules are
// loaded. Files on disk stay as they are.

import { registerHooks } from 'node:module'
import { edited } from './mutation.ts'
import { mutationNamed } from './mutations.ts'

/** Names the mutation; nothing is planted without it. */
export const plantedVariable = 'ODRADEK_SIMULATION_MUTATION'

const name = process.env[plantedVariable]

if (name !== undefined) {
  const root = new URL('../../', import.meta.url)
  const byUrl = Map.groupBy(mutationNamed(name).edits, ({ file }) => new URL(file, root).href)
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context)
      const edits = byUrl.get(url)
      if (edits === undefined || loaded.source == null) return loaded
      // Node hands out the text as it is written; types are stripped afterwards.
      const source =
        typeof loaded.source === 'string' ? loaded.source : Buffer.from(loaded.source as Uint8Array).toString()
      return { ...loaded, source: edits.reduce(edited, source) }
    },
  })
}
