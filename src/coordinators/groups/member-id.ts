// Ids of classic members: who they are, then a random UUID in Java's notation, as Kafka makes them.

import type { Random } from '../../io/random.ts'

const suffixCharacters = 37
/** A string of the protocol holds this many bytes. */
const stringBytesMax = 0x7fff

/** `consumer-1-6d2f…`, or with the instance id in front for a static member. Null when the name in front is too long. */
export function newMemberId(random: Random, clientId: string, groupInstanceId: string | null): string | null {
  const name = groupInstanceId ?? clientId
  if (Buffer.byteLength(name) + suffixCharacters > stringBytesMax) return null
  return `${name}-${javaUuid(random.bytes(16))}`
}

/** A version 4 UUID in hexadecimal with hyphens. */
function javaUuid(bytes: Uint8Array): string {
  const uuid = Buffer.from(bytes)
  uuid.writeUInt8((uuid.readUInt8(6) & 0x0f) | 0x40, 6)
  uuid.writeUInt8((uuid.readUInt8(8) & 0x3f) | 0x80, 8)
  const hex = uuid.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
