// The logs of the machines, read from their disks past all faults, batch header by batch header. Where a batch lies is remembered, so that
// what comes next is found without beginning anew.

import type { SimulatedDisk } from '../../src/io/disk.sim.ts'
import {
  batchHeaderBytes,
  baseOffsetOf,
  crcOf,
  leaderEpochOf,
  nextOffsetOf,
  sizeInBytesOf,
} from '../../src/records/batch.ts'
import { wholeBatchAt } from '../../src/records/batches-in.ts'
import { fileNameOf, logSuffix } from '../../src/storage/segment-names.ts'
import type { Offset } from '../../src/storage/partition-log.ts'
import type { BatchSight, LogsOnDisks } from './committed-records.ts'

export interface MachineWithDisk {
  readonly id: number
  readonly disk: SimulatedDisk
}

interface PlacedBatch extends BatchSight {
  readonly file: string
  readonly position: number
  readonly sizeBytes: number
}

interface Walk {
  /** In order, without holes between them. */
  readonly batches: PlacedBatch[]
}

const dataFolder = '/data'

export class LogsOfMachines implements LogsOnDisks {
  readonly #machines: readonly MachineWithDisk[]
  readonly #found = new Map<number, { disk: SimulatedDisk; found: number; walks: Map<string, Walk> }>()

  constructor(machines: readonly MachineWithDisk[]) {
    this.#machines = machines
  }

  disks(): readonly { readonly machine: number; readonly found: number }[] {
    return this.#machines.map(({ id }) => ({ machine: id, found: this.#diskOf(id).found }))
  }

  batches(machine: number, name: string, from: Offset, to: Offset): readonly BatchSight[] {
    return this.#walk(machine, name, from, to)
  }

  durableTo(machine: number, name: string, from: Offset, to: Offset): Offset {
    const { disk } = this.#diskOf(machine)
    let end = from
    for (const { file, position, sizeBytes, nextOffset } of this.#walk(machine, name, from, to)) {
      const durable = disk.look(file, 'durable')
      const shown = disk.look(file, 'shown')
      if (durable === null || shown === null || durable.size < position + sizeBytes) break
      const [one, other] = [Buffer.alloc(sizeBytes), Buffer.alloc(sizeBytes)]
      durable.read(one, position)
      shown.read(other, position)
      if (!one.equals(other)) break
      end = nextOffset
    }
    return end
  }

  /** The bytes of the batches in [from, to), as the disk shows them. */
  bytes(machine: number, name: string, from: Offset, to: Offset): Uint8Array {
    const { disk } = this.#diskOf(machine)
    const chunks = this.#walk(machine, name, from, to).map(({ file, position, sizeBytes }) => {
      const bytes = Buffer.alloc(sizeBytes)
      disk.look(file, 'shown')?.read(bytes, position)
      return bytes
    })
    return Buffer.concat(chunks)
  }

  #diskOf(machine: number) {
    const { disk } = this.#machines.find(({ id }) => id === machine)!
    let known = this.#found.get(machine)
    if (known?.disk !== disk) {
      known = { disk, found: (known?.found ?? 0) + 1, walks: new Map() }
      this.#found.set(machine, known)
    }
    return known
  }

  #walk(machine: number, name: string, from: Offset, to: Offset): readonly PlacedBatch[] {
    const { disk, walks } = this.#diskOf(machine)
    let walk = walks.get(name)
    if (walk === undefined) walks.set(name, (walk = { batches: [] }))
    const { batches } = walk
    // The log may have been cut since, and gone on otherwise; and a new topic may have the name.
    while (batches.length > 0 && batches.at(-1)!.nextOffset > from) batches.pop()
    if (batches.length > 0 && !isThere(disk, batches.at(-1)!)) batches.length = 0
    let first = batches.length
    for (let next = this.#after(disk, name, batches.at(-1)); next !== null && next.nextOffset <= to;) {
      batches.push(next)
      next = this.#after(disk, name, next)
    }
    while (first < batches.length && batches[first]!.baseOffset < from) first += 1
    return batches.slice(first)
  }

  /** The batch that follows `last` in the file, or in the next one; the first of the log after undefined. */
  #after(disk: SimulatedDisk, name: string, last: PlacedBatch | undefined): PlacedBatch | null {
    const fileOf = (offset: Offset) => `${dataFolder}/${name}/${fileNameOf(offset, logSuffix)}`
    if (last === undefined) return batchAt(disk, fileOf(0), 0)
    return batchAt(disk, last.file, last.position + last.sizeBytes) ?? batchAt(disk, fileOf(last.nextOffset), 0)
  }
}

function batchAt(disk: SimulatedDisk, file: string, position: number): PlacedBatch | null {
  const content = disk.look(file, 'shown')
  if (content === null || content.size < position + batchHeaderBytes) return null
  const header = Buffer.alloc(batchHeaderBytes)
  content.read(header, position)
  const end = wholeBatchAt(header, 0, content.size - position)
  if (end !== 'whole') return null
  return {
    file,
    position,
    sizeBytes: sizeInBytesOf(header),
    baseOffset: baseOffsetOf(header),
    nextOffset: nextOffsetOf(header),
    leaderEpoch: leaderEpochOf(header),
    crc: crcOf(header),
  }
}

function isThere(disk: SimulatedDisk, batch: PlacedBatch): boolean {
  const found = batchAt(disk, batch.file, batch.position)
  return (
    found !== null &&
    found.baseOffset === batch.baseOffset &&
    found.crc === batch.crc &&
    found.leaderEpoch === batch.leaderEpoch
  )
}
