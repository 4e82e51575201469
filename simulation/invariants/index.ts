// The rules of a usual run.

import type { Invariant, World } from '../contracts.ts'
import { LeaseHolders } from './lease-holders.ts'
import { Observer } from './observer.ts'

const observers = new WeakMap<World, Observer>()

/** One for each world: the clients ask it too. */
export function observerOf(world: World): Observer {
  let observer = observers.get(world)
  if (observer === undefined) observers.set(world, (observer = new Observer(world)))
  return observer
}

export function defaultInvariants(world: World): Invariant[] {
  return [observerOf(world), new LeaseHolders()]
}
