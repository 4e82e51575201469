// How shapes are written in the ids and titles of rows.

import type { Codec } from '../../src/records/codec.ts'
import type { Durability } from '../peers/peer.ts'

/** What record batches hold before compression; 0 for one record each. */
export type BatchBytes = 0 | 16384 | 1048576

export const recordSizes = [100, 1_000, 64_000] as const
export const batchSizes = [0, 16_384, 1_048_576] as const satisfies readonly BatchBytes[]
export const partitionCounts = [1, 16, 100, 1_000] as const

/** `100b`, `1kb`, `64kb` */
export function recordId(bytes: number): string {
  return bytes < 1_000 ? `${bytes}b` : `${bytes / 1_000}kb`
}

/** `100 B`, `1 KB`, `64 KB` */
export function recordTitle(bytes: number): string {
  return bytes < 1_000 ? `${bytes} B` : `${bytes / 1_000} KB`
}

export function batchId(bytes: BatchBytes): string {
  return { 0: 'single', 16384: '16kib', 1048576: '1mib' }[bytes]
}

export function batchTitle(bytes: BatchBytes): string {
  return { 0: 'one by one', 16384: '16 KiB batches', 1048576: '1 MiB batches' }[bytes]
}

export function partitionsTitle(count: number): string {
  return count === 1 ? '1 partition' : `${count.toLocaleString('en')} partitions`
}

export function consumersTitle(count: number): string {
  return count === 1 ? '1 consumer' : `${count} consumers`
}

export function acksId(acks: -1 | 0 | 1): string {
  return acks === -1 ? 'all' : String(acks)
}

export function codecTitle(codec: Codec): string {
  return codec === 'none' ? '' : `, ${codec}`
}

export function durabilityTitle(durability: Durability): string {
  return durability === 'fsync' ? 'fsync' : 'page cache'
}
