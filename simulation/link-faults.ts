// Faults of the network between machines, and between machines and clients. They may overlap: a link is whole when the last cut ends.

import type { Millis } from '../src/io/clock.ts'
import type { SimulatedNetwork } from '../src/io/network.sim.ts'

export interface Ends {
  readonly from: number
  /** 0: all clients. */
  readonly to: number
}

type Undo = () => void

export class LinkFaults {
  readonly #network: SimulatedNetwork
  readonly #latencyMs: Millis
  readonly #cuts = new Map<string, number>()

  /** `latencyMs`: when all is well. */
  constructor(network: SimulatedNetwork, latencyMs: Millis) {
    this.#network = network
    this.#latencyMs = latencyMs
  }

  cut({ ways, ...ends }: Ends & { readonly ways: 'both' | 'there' | 'back' }): Undo {
    const cut = this.#hosts(ends).flatMap(([from, to]) => [
      ...(ways === 'back' ? [] : [`${from} ${to}`]),
      ...(ways === 'there' ? [] : [`${to} ${from}`]),
    ])
    for (const link of cut) {
      this.#cuts.set(link, (this.#cuts.get(link) ?? 0) + 1)
      this.#network.cutOneWay(...namesOf(link))
    }
    return () => {
      for (const link of cut) {
        const left = this.#cuts.get(link)! - 1
        this.#cuts.set(link, left)
        if (left === 0) this.#network.healOneWay(...namesOf(link))
      }
    }
  }

  latency({ latencyMs, ...ends }: Ends & { readonly latencyMs: Millis }): Undo {
    const hosts = this.#hosts(ends)
    for (const [from, to] of hosts) this.#network.setLatency(from, to, latencyMs)
    return () => {
      for (const [from, to] of hosts) this.#network.setLatency(from, to, this.#latencyMs)
    }
  }

  reset(ends: Ends): Undo {
    for (const [from, to] of this.#hosts(ends)) this.#network.reset(from, to)
    return () => {}
  }

  #hosts({ from, to }: Ends): (readonly [from: string, to: string])[] {
    const here = `broker-${from}`
    if (to !== 0) return [[here, `broker-${to}`]]
    return this.#network.hosts.filter((name) => !name.startsWith('broker-')).map((name) => [here, name] as const)
  }
}

function namesOf(link: string): [string, string] {
  return link.split(' ') as [string, string]
}
