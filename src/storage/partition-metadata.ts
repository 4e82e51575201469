// `partition.metadata`: which incarnation of its topic a folder belongs to (KIP-516).

/** Null when the bytes do not name a topic id. */
export function decodePartitionMetadata(bytes: Uint8Array): string | null {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
  return /^topic_id:\s*([A-Za-z0-9_-]{22})\s*$/m.exec(text)?.[1] ?? null
}

export function encodePartitionMetadata(topicId: string): Uint8Array {
  return Buffer.from(`version: 0\ntopic_id: ${topicId}`)
}
