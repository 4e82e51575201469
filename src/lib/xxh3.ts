// XXH3 with 64 bits, seed 0 and the default secret: a fast hash for data that nobody attacks. Written from its specification
// (github.com/Cyan4973/xxHash, doc/xxhash_spec.md). BigInt arithmetic: for kilobytes, not for streams.

const mask = 0xffff_ffff_ffff_ffffn
const prime32 = [0x9e37_79b1n, 0x85eb_ca77n, 0xc2b2_ae3dn] as const
const prime64 = [
  0x9e37_79b1_85eb_ca87n,
  0xc2b2_ae3d_27d4_eb4fn,
  0x1656_67b1_9e37_79f9n,
  0x85eb_ca77_c2b2_ae63n,
  0x27d4_eb2f_1656_67c5n,
] as const
const primeMx1 = 0x1656_6791_9e37_79f9n
const primeMx2 = 0x9fb2_1c65_1e98_df25n

const secretBytes = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f' +
    'cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c' +
    '3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8' +
    'a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364' +
    'eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e' +
    '2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e',
  'hex',
)
const secretView = viewOf(secretBytes)
const secret = (at: number): bigint => secretView.getBigUint64(at, true)

const stripeBytes = 64
const stripesPerBlock = (secretBytes.length - stripeBytes) / 8

/** An unsigned 64-bit number. */
export function xxh3(bytes: Uint8Array): bigint {
  const { length } = bytes
  const view = viewOf(bytes)
  if (length <= 16) return upTo16(view, length)
  if (length <= 128) return upTo128(view, length)
  if (length <= 240) return upTo240(view, length)
  return long(view, length)
}

function upTo16(view: DataView, length: number): bigint {
  if (length > 8) {
    const low = view.getBigUint64(0, true) ^ secret(24) ^ secret(32)
    const high = view.getBigUint64(length - 8, true) ^ secret(40) ^ secret(48)
    return avalanche(BigInt(length) + swapped(low) + high + foldedProduct(low, high))
  }
  if (length >= 4) {
    const first = BigInt(view.getUint32(0, true))
    const last = BigInt(view.getUint32(length - 4, true))
    let hash = (last + (first << 32n)) ^ secret(8) ^ secret(16)
    hash ^= rotated(hash, 49n) ^ rotated(hash, 24n)
    hash = (hash * primeMx2) & mask
    hash ^= (hash >> 35n) + BigInt(length)
    hash = (hash * primeMx2) & mask
    return hash ^ (hash >> 28n)
  }
  if (length > 0) {
    const [first, middle, last] = [view.getUint8(0), view.getUint8(length >> 1), view.getUint8(length - 1)]
    const combined = ((first << 16) | (middle << 24) | last | (length << 8)) >>> 0
    const keyed = (combined ^ secretView.getUint32(0, true) ^ secretView.getUint32(4, true)) >>> 0
    return avalancheOfXxh64(BigInt(keyed))
  }
  return avalancheOfXxh64(secret(56) ^ secret(64))
}

function upTo128(view: DataView, length: number): bigint {
  let sum = BigInt(length) * prime64[0]
  for (let at = Math.floor((length - 1) / 32); at >= 0; at--) {
    sum += mixed(view, 16 * at, 32 * at) + mixed(view, length - 16 * (at + 1), 32 * at + 16)
  }
  return avalanche(sum)
}

function upTo240(view: DataView, length: number): bigint {
  let sum = BigInt(length) * prime64[0]
  for (let at = 0; at < 8; at++) sum += mixed(view, 16 * at, 16 * at)
  sum = avalanche(sum) + mixed(view, length - 16, 119)
  for (let at = 8; at < Math.floor(length / 16); at++) sum += mixed(view, 16 * at, 16 * (at - 8) + 3)
  return avalanche(sum)
}

function long(view: DataView, length: number): bigint {
  const sums = [prime32[2], prime64[0], prime64[1], prime64[2], prime64[3], prime32[1], prime64[4], prime32[0]]
  const stripes = Math.floor((length - 1) / stripeBytes)
  for (let stripe = 0; stripe < stripes; stripe++) {
    const inBlock = stripe % stripesPerBlock
    accumulate(sums, view, stripe * stripeBytes, inBlock * 8)
    if (inBlock === stripesPerBlock - 1) scramble(sums)
  }
  accumulate(sums, view, length - stripeBytes, secretBytes.length - stripeBytes - 7)
  let hash = BigInt(length) * prime64[0]
  for (let at = 0; at < 4; at++) {
    hash += foldedProduct(sums[2 * at]! ^ secret(11 + 16 * at), sums[2 * at + 1]! ^ secret(19 + 16 * at))
  }
  return avalanche(hash)
}

function accumulate(sums: bigint[], view: DataView, at: number, secretAt: number): void {
  for (let lane = 0; lane < 8; lane++) {
    const value = view.getBigUint64(at + 8 * lane, true)
    const keyed = value ^ secret(secretAt + 8 * lane)
    sums[lane ^ 1] = (sums[lane ^ 1]! + value) & mask
    sums[lane] = (sums[lane]! + (keyed & 0xffff_ffffn) * (keyed >> 32n)) & mask
  }
}

function scramble(sums: bigint[]): void {
  for (let lane = 0; lane < 8; lane++) {
    const sum = sums[lane]!
    const keyed = sum ^ (sum >> 47n) ^ secret(secretBytes.length - stripeBytes + 8 * lane)
    sums[lane] = (keyed * prime32[0]) & mask
  }
}

function mixed(view: DataView, at: number, secretAt: number): bigint {
  const low = view.getBigUint64(at, true) ^ secret(secretAt)
  const high = view.getBigUint64(at + 8, true) ^ secret(secretAt + 8)
  return foldedProduct(low, high)
}

function foldedProduct(one: bigint, other: bigint): bigint {
  const product = one * other
  return (product & mask) ^ (product >> 64n)
}

function avalanche(sum: bigint): bigint {
  let hash = sum & mask
  hash ^= hash >> 37n
  hash = (hash * primeMx1) & mask
  return hash ^ (hash >> 32n)
}

function avalancheOfXxh64(start: bigint): bigint {
  let hash = start ^ (start >> 33n)
  hash = (hash * prime64[1]) & mask
  hash ^= hash >> 29n
  hash = (hash * prime64[2]) & mask
  return hash ^ (hash >> 32n)
}

function rotated(value: bigint, by: bigint): bigint {
  return ((value << by) | (value >> (64n - by))) & mask
}

/** Bytes in the opposite order. */
function swapped(value: bigint): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, value, true)
  return view.getBigUint64(0, false)
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}
