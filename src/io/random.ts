// The door to randomness: a seed replays a whole run (random.sim.ts).
import { randomBytes, randomInt } from 'node:crypto'

export interface Random {
  /** Fresh bytes, the caller's to keep. */
  bytes(count: number): Uint8Array
  /** A whole number, 0 ≤ n < bound; bound is 1 to 2^48 - 1. */
  below(bound: number): number
  /**
   * A version 4 UUID as Kafka writes it: base64url without padding, 22 characters. Never starts with '-', which
   * command lines would take for an option (as Kafka's Uuid.randomUuid).
   */
  uuid(): string
}

/** What `Random.uuid` promises, from any source of bytes. */
export function kafkaUuid(bytes: (count: number) => Uint8Array): string {
  for (;;) {
    const uuid = Buffer.from(bytes(16))
    uuid.writeUInt8((uuid.readUInt8(6) & 0x0f) | 0x40, 6)
    uuid.writeUInt8((uuid.readUInt8(8) & 0x3f) | 0x80, 8)
    const text = uuid.toString('base64url')
    if (!text.startsWith('-')) return text
  }
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  below: (bound) => randomInt(bound),
  uuid: () => kafkaUuid(randomBytes),
}
