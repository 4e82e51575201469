// Keys as etcd has them: bytes, below a namespace, so that several clusters can share one etcd and see nothing of each other.

import { invariant } from '../../lib/invariant.ts'

export interface KeyRange {
  readonly key: Uint8Array
  /** Exclusive; one zero byte: no end. */
  readonly rangeEnd: Uint8Array
}

const zero = Buffer.of(0)

export class KeySpace {
  readonly #namespace: string

  /** `namespace`: what comes before every key; may be empty. */
  constructor(namespace: string) {
    this.#namespace = namespace
  }

  encode(key: string): Uint8Array {
    return Buffer.from(this.#namespace + key)
  }

  decode(bytes: Uint8Array): string {
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
    invariant(key.startsWith(this.#namespace), `etcd told of the key '${key}', which is none of ours`)
    return key.slice(this.#namespace.length)
  }

  range(prefix: string): KeyRange {
    const key = this.encode(prefix)
    if (key.length === 0) return { key: zero, rangeEnd: zero }
    const rangeEnd = Buffer.from(key)
    // No byte of UTF-8 is 0xff, so the last one can always be raised.
    rangeEnd[rangeEnd.length - 1]! += 1
    return { key, rangeEnd }
  }
}
