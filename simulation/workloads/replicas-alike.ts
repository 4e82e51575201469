// Does nothing, until all is over: then the replicas of every partition are the same, byte for byte, below the high watermark. Topics that
// are compacted are left out: each broker compacts for itself, when it comes to it.

import { LogsOfMachines } from '../invariants/logs-on-disks.ts'
import { Violation, type Workload, type World } from '../contracts.ts'

export class ReplicasAlike implements Workload {
  readonly name = 'replicas'
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  async verify(): Promise<void> {
    const { image, machines, trace } = this.#world
    const logs = new LogsOfMachines(machines)
    let bytesOfAll = 0
    for (const topic of image.topicsById.values()) {
      for (const { index, leader, replicas } of topic.partitions) {
        const leading = machines.find(({ id }) => id === leader)?.inside?.replicas.findById(topic.id, index)
        if (leading === undefined || leading.settings.log.compacts) continue
        const { logStartOffset, highWatermark } = leading
        // Where the rest of a log lies whose front was deleted is each replica's own affair.
        if (logStartOffset > 0) continue
        const name = `${topic.name}-${index}`
        const expected = logs.bytes(leader, name, logStartOffset, highWatermark)
        for (const id of replicas) {
          const bytes = logs.bytes(id, name, logStartOffset, highWatermark)
          bytesOfAll += bytes.length
          if (Buffer.compare(bytes, expected) === 0) continue
          const where = firstDifference(bytes, expected)
          throw new Violation(
            'replicas are equal byte for byte',
            `${name} below ${highWatermark} at broker ${id} differs from that of its leader ${leader} at byte ${where}`,
          )
        }
      }
    }
    trace.add(this.name, `${bytesOfAll} bytes of records, and all replicas are equal`)
  }
}

function firstDifference(one: Uint8Array, other: Uint8Array): number {
  const at = one.findIndex((byte, i) => byte !== other[i])
  return at < 0 ? one.length : at
}
