// Control batches: one record that speaks to readers and to the log, hidden from consumers. The broker writes two kinds, the end of
// a transaction: commit and abort.

import { isControl } from './batch.ts'
import { readInt16, readInt32, writeInt16, writeInt32 } from './big-endian.ts'
import { buildBatch } from './batch-builder.ts'
import { recordsOf } from './record.ts'

export type EndTransactionKind = 'abort' | 'commit'

const controlTypes = { abort: 0, commit: 1 } as const satisfies Record<EndTransactionKind, number>
const keyVersion = 0
const keyBytes = 4
const valueVersion = 0
const valueBytes = 6

export interface EndTransactionMarker {
  readonly kind: EndTransactionKind
  /** Epoch of the transaction coordinator that decided; an older one is fenced. */
  readonly coordinatorEpoch: number
}

export interface EndTransactionMarkerOptions {
  readonly producerId: number
  readonly producerEpoch: number
  /** Milliseconds. */
  readonly timestamp: number
  readonly baseOffset?: number
  readonly leaderEpoch?: number
}

/** A batch that ends the producer's transaction in one partition. */
export function buildEndTransactionMarker(
  marker: EndTransactionMarker,
  options: EndTransactionMarkerOptions,
): Uint8Array {
  const key = new Uint8Array(keyBytes)
  writeInt16(key, 0, keyVersion)
  writeInt16(key, 2, controlTypes[marker.kind])
  const value = new Uint8Array(valueBytes)
  writeInt16(value, 0, valueVersion)
  writeInt32(value, 2, marker.coordinatorEpoch)
  return buildBatch([{ key, value }], { ...options, transactional: true, control: true })
}

/**
 * The marker a batch holds; `undefined` if it is no control batch, has lost its record to compaction, or is of a type that does not
 * end a transaction (KRaft's own, or one yet to come), which readers skip.
 */
export function endTransactionMarkerOf(batch: Uint8Array): EndTransactionMarker | undefined {
  if (!isControl(batch)) return undefined
  for (const { key, value } of recordsOf(batch)) {
    const kind = key === null ? undefined : endTransactionKindOf(key)
    if (kind === undefined || value === null || value.length < valueBytes) return undefined
    return { kind, coordinatorEpoch: readInt32(value, 2) }
  }
  return undefined
}

/** Later versions only add fields, so the version is not looked at, as in Kafka's ControlRecordType. */
function endTransactionKindOf(key: Uint8Array): EndTransactionKind | undefined {
  if (key.length < keyBytes) return undefined
  const type = readInt16(key, 2)
  if (type === controlTypes.commit) return 'commit'
  return type === controlTypes.abort ? 'abort' : undefined
}
