// Java's String.hashCode: how Kafka spreads group ids, transactional ids and share partitions over the partitions of an
// internal topic. Every broker, and whoever takes over a Kafka data folder, must come to the same number.

/** A signed 32-bit number: 31 * hash + unit for each UTF-16 unit, from 0. */
export function javaHashCode(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) {
    hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  }
  return hash
}

/** The partition a key belongs to: `abs(hash) % partitions`, where abs(-2^31) is 0 (as Kafka's Utils.abs). */
export function javaHashPartition(key: string, partitions: number): number {
  const hash = javaHashCode(key)
  return hash === -(2 ** 31) ? 0 : Math.abs(hash) % partitions
}
