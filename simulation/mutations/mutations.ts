// All planted mistakes: those that must be found, and those that are not yet.

import { clusterMistakes } from './cluster-mistakes.ts'
import { commitMistakes } from './commit-mistakes.ts'
import { groupMistakes } from './group-mistakes.ts'
import { logMistakes } from './log-mistakes.ts'
import type { Mutation } from './mutation.ts'
import { serviceMistakes } from './service-mistakes.ts'
import { unseenMistakes } from './unseen-mistakes.ts'

export const mutations: readonly Mutation[] = [
  ...commitMistakes,
  ...logMistakes,
  ...clusterMistakes,
  ...serviceMistakes,
  ...groupMistakes,
]

export const allMutations: readonly Mutation[] = [...mutations, ...unseenMistakes]

export function mutationNamed(name: string): Mutation {
  const found = allMutations.find((mutation) => mutation.name === name)
  if (found === undefined) throw new Error(`there is no mutation '${name}'`)
  return found
}
