// Bytes that lie. Whatever they are, decoding ends at once, in a value or in a DecodeError.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { allApis, ownApis } from '../../src/protocol/apis/index.ts'
import { decodeRequest, decodeRequestHeader, decodeResponse } from '../../src/protocol/frame.ts'
import { encodeRequest, encodeResponse } from '../../src/protocol/frame.ts'
import { DecodeError } from '../../src/protocol/schema/index.ts'
import type { AnyApi } from '../../src/protocol/schema/index.ts'
import { valuesOf } from './arbitrary.ts'

const spokenApis = [...allApis, ...ownApis]

interface Sample {
  readonly what: string
  readonly frame: Buffer
  /** The bytes before it belong to the header. */
  readonly bodyOffset: number
  readonly decode: (frame: Buffer) => unknown
}

const SEED = { numRuns: 1, seed: 4301 }

/** One frame of each version in each direction, the same in every run. */
function* samplesOf(api: AnyApi): Generator<Sample> {
  for (let version = api.versions[0]; version <= api.versions[1]; version++) {
    const [request] = fc.sample(valuesOf(api.request.at(version)), SEED)
    const asked = Buffer.concat(encodeRequest(api, version, { correlationId: 1, clientId: 'c' }, request!)).subarray(4)
    const { bodyOffset } = decodeRequestHeader(asked)
    const what = `${api.name} v${version}`
    yield {
      what: `${what} request`,
      frame: asked,
      bodyOffset,
      decode: (frame) => decodeRequest(api, version, frame, bodyOffset),
    }
    const [response] = fc.sample(valuesOf(api.response.at(version)), SEED)
    const answered = Buffer.concat(encodeResponse(api, version, 1, response!)).subarray(4)
    yield {
      what: `${what} response`,
      frame: answered,
      bodyOffset: 4,
      decode: (frame) => decodeResponse(api, version, frame),
    }
  }
}

/** True when the bytes were refused; anything but a DecodeError is the test's failure. */
function isRefused(decode: () => unknown): boolean {
  try {
    decode()
    return false
  } catch (error) {
    if (error instanceof DecodeError) return true
    throw error
  }
}

test('a frame cut anywhere is refused', () => {
  for (const api of spokenApis) {
    for (const { what, frame, bodyOffset, decode } of samplesOf(api)) {
      for (let size = bodyOffset; size < frame.length; size++) {
        assert.ok(
          isRefused(() => decode(frame.subarray(0, size))),
          `${what} cut to ${size} of ${frame.length} bytes`,
        )
      }
    }
  }
})

test('a frame with bytes left over is refused', () => {
  for (const api of spokenApis) {
    for (const { what, frame, decode } of samplesOf(api)) {
      assert.ok(
        isRefused(() => decode(Buffer.concat([frame, Buffer.from([0])]))),
        what,
      )
    }
  }
})

test('a frame with any one byte changed is read or refused, never worse', () => {
  let refused = 0
  for (const api of spokenApis) {
    for (const { frame, bodyOffset, decode } of samplesOf(api)) {
      for (let at = bodyOffset; at < frame.length; at++) {
        for (const byte of [0x00, 0x7f, 0x80, 0xff]) {
          const changed = Buffer.from(frame)
          changed[at] = byte
          if (isRefused(() => decode(changed))) refused++
        }
      }
    }
  }
  assert.ok(refused > 1000, 'most changes hit a length, and are noticed')
})

test('random bytes are read or refused, never worse', () => {
  const anyApi = fc.constantFrom(...spokenApis)
  fc.assert(
    fc.property(anyApi, fc.nat(20), fc.uint8Array({ maxLength: 200 }), (api, pick, content) => {
      const version = api.versions[0] + (pick % (api.versions[1] - api.versions[0] + 1))
      isRefused(() => decodeRequest(api, version, content, 0))
      isRefused(() => decodeResponse(api, version, content))
      isRefused(() => decodeRequestHeader(content))
    }),
    { numRuns: 3000 },
  )
})
