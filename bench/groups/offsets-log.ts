// What a broker has written into __consumer_offsets, counted in its files.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { recordsCountOf } from '../../src/records/batch.ts'
import { batchesIn } from '../../src/records/batches-in.ts'

export interface Written {
  readonly batches: number
  readonly records: number
  readonly bytes: number
}

export function writtenOffsets(dataFolder: string): Written {
  let [batches, records, bytes] = [0, 0, 0]
  for (const folder of readdirSync(dataFolder).filter((name) => name.startsWith('__consumer_offsets-'))) {
    for (const file of readdirSync(join(dataFolder, folder)).filter((name) => name.endsWith('.log'))) {
      for (const batch of batchesIn(readFileSync(join(dataFolder, folder, file)))) {
        batches++
        records += recordsCountOf(batch)
        bytes += batch.length
      }
    }
  }
  return { batches, records, bytes }
}
