// All planted mistakes.

import { clusterMistakes } from './cluster-mistakes.ts'
import { commitMistakes } from './commit-mistakes.ts'
import { logMistakes } from './log-mistakes.ts'
import type { Mutation } from './mutation.ts'
import { serviceMistakes } from './service-mistakes.ts'

export const mutations: readonly Mutation[] = [
  ...commitMistakes,
  ...logMistakes,
  ...clusterMistakes,
  ...serviceMistakes,
]

export function mutationNamed(name: string): Mutation {
  const found = mutations.find((mutation) => mutation.name === name)
  if (found === undefined) throw new Error(`there is no mutation '${name}'`)
  return found
}
