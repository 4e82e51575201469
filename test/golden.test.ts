// Frames captured between real clients and Apache Kafka. Each decodes to the last byte and encodes back to the same.
// One file per client, one frame a line: direction, apiKey, apiVersion, and the frame without its size, in base64.

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { apiByKey } from '../src/protocol/apis/index.ts'
import { decodeRequest, decodeRequestHeader, decodeResponse } from '../src/protocol/frame.ts'
import { encodeRequest, encodeResponse } from '../src/protocol/frame.ts'

interface Captured {
  readonly direction: 'request' | 'response'
  readonly apiKey: number
  readonly apiVersion: number
  readonly frame: string
}

const directory = new URL('./golden/', import.meta.url)
const files = readdirSync(directory).filter((file) => file.endsWith('.jsonl'))

/** What some client writes in another way than Kafka would: `file direction Api`, and what it does. */
const otherwiseWritten: Readonly<Record<string, string>> = {}

function roundTrip({ direction, apiKey, apiVersion, frame }: Captured): { original: Buffer; again: Buffer } {
  const api = apiByKey(apiKey)
  assert.ok(api, `API ${apiKey}`)
  const original = Buffer.from(frame, 'base64')
  if (direction === 'response') {
    const { correlationId, body } = decodeResponse(api, apiVersion, original)
    const again = Buffer.concat(encodeResponse(api, apiVersion, correlationId, body)).subarray(4)
    assert.deepEqual(decodeResponse(api, apiVersion, again), { correlationId, body })
    return { original, again }
  }
  const head = decodeRequestHeader(original)
  assert.deepEqual([head.apiKey, head.apiVersion], [apiKey, apiVersion])
  const body = decodeRequest(api, apiVersion, original, head.bodyOffset)
  const again = Buffer.concat(encodeRequest(api, apiVersion, head, body)).subarray(4)
  assert.deepEqual(decodeRequest(api, apiVersion, again, decodeRequestHeader(again).bodyOffset), body)
  return { original, again }
}

test('there are captures of real clients', () => {
  assert.ok(files.length > 0)
})

for (const file of files) {
  const lines = readFileSync(new URL(file, directory), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
  const captures = Map.groupBy(
    lines.map((line) => JSON.parse(line) as Captured),
    ({ direction, apiKey }) => `${file} ${direction} ${apiByKey(apiKey)?.name}`,
  )
  for (const [what, frames] of captures) {
    test(`${what}: ${frames.length} captured frames come back byte for byte`, () => {
      const changed = frames.map(roundTrip).filter(({ original, again }) => !original.equals(again))
      if (what in otherwiseWritten) assert.ok(changed.length > 0, 'listed as written otherwise, but it is not')
      else
        assert.deepEqual(
          changed.map(({ again }) => again.toString('hex')),
          changed.map(({ original }) => original.toString('hex')),
        )
    })
  }
}
