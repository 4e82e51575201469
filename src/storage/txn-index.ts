// The aborted transactions of a segment, for readers that want committed records only. Kafka's .txnindex file: int16 version 0,
// int64 producer id, first offset, last offset (the marker's), last stable offset once it had ended; by increasing last offset.

import { readInt16, readInt64, writeInt16, writeInt64 } from '../records/big-endian.ts'
import type { Offset } from './partition-log.ts'

export interface AbortedTransaction {
  readonly producerId: number
  readonly firstOffset: Offset
  /** Offset of the abort marker. */
  readonly lastOffset: Offset
  /** Where the last stable offset stood once this transaction had ended: nothing that began later overlaps what is below it. */
  readonly lastStableOffset: Offset
}

const entryBytes = 34
const version = 0

export function encodeTxnIndex(transactions: readonly AbortedTransaction[]): Uint8Array {
  const bytes = Buffer.allocUnsafe(transactions.length * entryBytes)
  transactions.forEach((transaction, i) => {
    const at = i * entryBytes
    writeInt16(bytes, at, version)
    writeInt64(bytes, at + 2, transaction.producerId)
    writeInt64(bytes, at + 10, transaction.firstOffset)
    writeInt64(bytes, at + 18, transaction.lastOffset)
    writeInt64(bytes, at + 26, transaction.lastStableOffset)
  })
  return bytes
}

/** Null when the bytes cannot be the index of a segment that covers [baseOffset, endOffset). */
export function decodeTxnIndex(bytes: Uint8Array, baseOffset: Offset, endOffset: Offset): AbortedTransaction[] | null {
  if (bytes.length % entryBytes !== 0) return null
  const transactions: AbortedTransaction[] = []
  let before = baseOffset - 1
  for (let at = 0; at < bytes.length; at += entryBytes) {
    const transaction = {
      producerId: readInt64(bytes, at + 2),
      firstOffset: readInt64(bytes, at + 10),
      lastOffset: readInt64(bytes, at + 18),
      lastStableOffset: readInt64(bytes, at + 26),
    }
    const { firstOffset, lastOffset } = transaction
    if (readInt16(bytes, at) !== version) return null
    if (lastOffset <= before || lastOffset >= endOffset || firstOffset > lastOffset) return null
    transactions.push(transaction)
    before = lastOffset
  }
  return transactions
}
