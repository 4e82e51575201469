// The assignors this coordinator has, by the names that settings and members use.

import type { Assignor } from './assignor.ts'
import { range } from './range.ts'
import { uniform } from './uniform.ts'

/** In the order of `group.consumer.assignors`' default: the first is for groups whose members name none. */
export const assignors: readonly Assignor[] = [uniform, range]

export function assignorNamed(name: string): Assignor | null {
  return assignors.find((assignor) => assignor.name === name) ?? null
}
