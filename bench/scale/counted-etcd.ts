// A simulated etcd that counts: what each process asks and is told, in requests and bytes, and the CPU time that the simulation itself
// takes, so that what is left is Odradek's. Bytes are those of keys and values, and a fixed part for each.

import { SimulatedClock } from '../../src/io/clock.sim.ts'
import { SimulatedEtcd } from '../../src/io/etcd.sim.ts'
import type { EtcdDoor, EtcdMember, EtcdMethod, EtcdRequestOp, EtcdTxnRequest } from '../../src/io/etcd.ts'
import { EtcdMetaStore } from '../../src/cluster/etcd/etcd-store.ts'
import { seededRandom } from '../../src/io/random.sim.ts'
import { silentLogger } from '../../src/lib/logger.ts'

/** Field tags, lengths and revisions of one key with its value, of one operation, of one compare. */
const overheadBytes = 24

export interface Traffic {
  requests: number
  requestBytes: number
  /** Keys that were listed. */
  listed: number
  listedBytes: number
  events: number
  eventBytes: number
  /** Messages of the watch. */
  batches: number
}

export class CountedEtcd {
  readonly clock = new SimulatedClock()
  readonly random = seededRandom(1)
  readonly #etcd = new SimulatedEtcd({ clock: this.clock, random: this.random, endpoints: ['etcd-1:2379'] })
  /** That the simulation took so far. */
  #simulatedMs = 0

  constructor() {
    const { state } = this.#etcd
    const timed = <Args extends unknown[], T>(work: (...args: Args) => T) => {
      return (...args: Args): T => {
        const begun = cpuMs()
        try {
          return work(...args)
        } finally {
          this.#simulatedMs += cpuMs() - begun
        }
      }
    }
    state.txn = timed(state.txn.bind(state))
    state.range = timed(state.range.bind(state))
    state.eventsFrom = timed(state.eventsFrom.bind(state))
  }

  /** A process's way to it. */
  async connect(): Promise<{ readonly store: EtcdMetaStore; readonly traffic: Traffic }> {
    const traffic = { requests: 0, requestBytes: 0, listed: 0, listedBytes: 0, events: 0, eventBytes: 0, batches: 0 }
    const door = counted(this.#etcd.door(), traffic)
    const { endpoints } = this.#etcd
    const connecting = EtcdMetaStore.connect({ door, endpoints, clock: this.clock, logger: silentLogger })
    return { store: await this.whileTimePasses(connecting), traffic }
  }

  /** The clock moves on until `work` is done; calls take no time, so it hardly does. */
  async whileTimePasses<T>(work: Promise<T>): Promise<T> {
    let settled = false
    void work.finally(() => (settled = true)).catch(() => {})
    await this.clock.advanceUntil(() => settled)
    return work
  }

  /** What `work` gives, and the CPU time of this process for it, less that of the simulated etcd. */
  async timed<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly cpuMs: number }> {
    const simulatedBefore = this.#simulatedMs
    const before = cpuMs()
    const value = await work()
    return { value, cpuMs: Math.max(0, cpuMs() - before - (this.#simulatedMs - simulatedBefore)) }
  }
}

/** Of this process so far. */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function counted(door: EtcdDoor, traffic: Traffic): EtcdDoor {
  return {
    member(endpoint) {
      const member = door.member(endpoint)
      const watch: EtcdMember['watch'] = (options, handler) =>
        member.watch(options, {
          response(response) {
            traffic.batches += 1
            for (const { kv } of response.events) {
              traffic.events += 1
              traffic.eventBytes += overheadBytes + (kv?.key.length ?? 0) + (kv?.value.length ?? 0)
            }
            handler.response(response)
          },
          ended: (error) => handler.ended(error),
        })
      const call: EtcdMember['call'] = async (method, request, options) => {
        const response = await member.call(method, request, options)
        traffic.requests += 1
        if (is('txn', method)) traffic.requestBytes += bytesOf(request as EtcdTxnRequest)
        if (is('range', method)) {
          const { kvs } = response as { kvs: readonly { key: Uint8Array; value: Uint8Array }[] }
          traffic.listed += kvs.length
          for (const { key, value } of kvs) traffic.listedBytes += overheadBytes + key.length + value.length
        }
        return response
      }
      return { endpoint, call, watch, close: () => member.close() }
    },
  }
}

function is(method: EtcdMethod, other: EtcdMethod): boolean {
  return method === other
}

function bytesOf({ compare, success, failure }: EtcdTxnRequest): number {
  let bytes = 0
  for (const { key } of compare) bytes += overheadBytes + key.length
  for (const operation of [...success, ...failure]) bytes += bytesOfOperation(operation)
  return bytes
}

function bytesOfOperation(operation: EtcdRequestOp): number {
  if ('requestTxn' in operation) return overheadBytes + bytesOf(operation.requestTxn)
  if ('requestPut' in operation)
    return overheadBytes + operation.requestPut.key.length + operation.requestPut.value.length
  if ('requestRange' in operation) return overheadBytes + operation.requestRange.key.length
  return overheadBytes + operation.requestDeleteRange.key.length
}
