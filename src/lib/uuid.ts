// A 128-bit id as text: 22 characters of base64url without padding, the form Kafka prints topic ids in.

/** Sixteen zero bytes: the id that stands for "none". */
export const ZERO_UUID = 'AAAAAAAAAAAAAAAAAAAAAA'

const UUID_BYTES = 16
const UUID_CHARACTERS = 22

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const codeOf = Uint8Array.from(ALPHABET, (character) => character.charCodeAt(0))
const NOT_IN_ALPHABET = 255
const valueOf = new Uint8Array(128).fill(NOT_IN_ALPHABET)
codeOf.forEach((code, value) => (valueOf[code] = value))

/** The text of the 16 bytes at `offset`, which must be there. */
export function encodeUuid(bytes: Uint8Array, offset = 0): string {
  const codes: number[] = []
  let zero = true
  for (let at = offset; at < offset + UUID_BYTES - 1; at += 3) {
    const group = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
    if (group !== 0) zero = false
    codes.push(codeOf[group >>> 18]!, codeOf[(group >>> 12) & 63]!, codeOf[(group >>> 6) & 63]!, codeOf[group & 63]!)
  }
  const last = bytes[offset + UUID_BYTES - 1]!
  if (zero && last === 0) return ZERO_UUID
  codes.push(codeOf[last >>> 2]!, codeOf[(last & 3) << 4]!)
  return String.fromCharCode(...codes)
}

/** Writes the 16 bytes of `uuid` at `offset`. False, with the target half written, when the text is not a uuid. */
export function writeUuid(uuid: string, target: Uint8Array, offset: number): boolean {
  if (uuid.length !== UUID_CHARACTERS) return false
  let seen = 0
  let out = offset
  for (let at = 0; at < UUID_CHARACTERS; at += 4) {
    const a = valueAt(uuid, at)
    const b = valueAt(uuid, at + 1)
    const c = at + 2 < UUID_CHARACTERS ? valueAt(uuid, at + 2) : 0
    const d = at + 3 < UUID_CHARACTERS ? valueAt(uuid, at + 3) : 0
    seen |= a | b | c | d
    target[out++] = (a << 2) | (b >>> 4)
    if (at + 2 >= UUID_CHARACTERS) return seen < 64 && (b & 15) === 0
    target[out++] = (b << 4) | (c >>> 2)
    target[out++] = (c << 6) | d
  }
  return false
}

function valueAt(text: string, at: number): number {
  const code = text.charCodeAt(at)
  return code < 128 ? valueOf[code]! : NOT_IN_ALPHABET
}

/** The 16 bytes of `uuid`; null when it is not 22 characters of base64url that stand for exactly 16 bytes. */
export function decodeUuid(uuid: string): Uint8Array | null {
  const bytes = new Uint8Array(UUID_BYTES)
  return writeUuid(uuid, bytes, 0) ? bytes : null
}
