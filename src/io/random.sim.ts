// Randomness that a seed repeats.
import { invariant } from '../lib/invariant.ts'
import { kafkaUuid, type Random } from './random.ts'

export interface SeededRandom extends Random {
  /** True with this probability, 0 to 1. */
  chance(probability: number): boolean
  /** One of `items`, which must not be empty. */
  pick<T>(items: readonly T[]): T
}

/** `seed`: any integer. Equal seeds give equal sequences on every platform (splitmix32). Not for secrets. */
export function seededRandom(seed: number): SeededRandom {
  // Both halves of a 53-bit seed count.
  let state = (seed ^ Math.imul(Math.floor(seed / 0x1_0000_0000), 0x85eb_ca6b)) | 0

  function next32(): number {
    state = (state + 0x9e37_79b9) | 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0_aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a_2d97)
    return (mixed ^ (mixed >>> 15)) >>> 0
  }

  function fraction(): number {
    return ((next32() >>> 6) * 0x800_0000 + (next32() >>> 5)) / 0x20_0000_0000_0000
  }

  function bytes(count: number): Uint8Array {
    const result = Buffer.alloc(count)
    for (let index = 0; index < count; index += 1) result[index] = next32() >>> 24
    return result
  }

  function below(bound: number): number {
    invariant(Number.isSafeInteger(bound) && bound >= 1, `below(${bound}): the bound must be a positive integer`)
    return Math.floor(fraction() * bound)
  }

  return {
    bytes,
    below,
    uuid: () => kafkaUuid(bytes),
    chance: (probability) => fraction() < probability,
    pick: (items) => {
      invariant(items.length > 0, 'pick from nothing')
      return items[below(items.length)]!
    },
  }
}
