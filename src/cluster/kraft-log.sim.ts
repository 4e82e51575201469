// A metadata log as KRaft's controller writes it, for tests of what reads one.

import type { Disk } from '../io/disk.ts'
import { WireWriter } from '../protocol/schema/index.ts'
import type { InputOf } from '../protocol/schema/index.ts'
import type { MetadataRecordType } from '../protocol/metadata-records.ts'
import { buildBatch } from '../records/batch-builder.ts'
import { nextOffsetOf } from '../records/batch.ts'

const writer = new WireWriter()

/** The value of one record, in a frame; in the latest version unless told otherwise. */
export function metadataValue<T>(
  type: MetadataRecordType<T>,
  fields: InputOf<T>,
  version: number = type.versions[1],
): Uint8Array {
  writer.begin()
  writer.uvarint(1)
  writer.uvarint(type.apiKey)
  writer.uvarint(version)
  type.at(version).write(writer, fields as T)
  return writer.endAsCopy()
}

/** Batches of values, one after the other; the first is preceded by what a new leader of the quorum says of itself. */
export function metadataBatches(batches: readonly (readonly Uint8Array[])[], baseOffset = 0): Uint8Array {
  const leaderChange = { key: new Uint8Array([0, 0, 0, 2]), value: new Uint8Array([0, 0]) }
  const written = [buildBatch([leaderChange], { baseOffset, leaderEpoch: 1, control: true })]
  for (const values of batches) {
    const records = values.map((value) => ({ key: null, value }))
    written.push(buildBatch(records, { baseOffset: nextOffsetOf(written.at(-1)!), leaderEpoch: 1 }))
  }
  return Buffer.concat(written)
}

/** Writes the first segment of a log, and what else lies in its folder. */
export async function writeMetadataLog(disk: Disk, folder: string, batches: readonly (readonly Uint8Array[])[]) {
  await disk.makeFolder(folder)
  await disk.replaceFile(`${folder}/00000000000000000000.log`, metadataBatches(batches))
  await disk.replaceFile(`${folder}/quorum-state`, Buffer.from('{"leaderId":1,"leaderEpoch":1,"data_version":1}'))
}
