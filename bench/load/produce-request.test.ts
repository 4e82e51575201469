import assert from 'node:assert/strict'
import { test } from 'node:test'
import { produce } from '../../src/protocol/apis/produce.ts'
import { ErrorCode } from '../../src/protocol/error-code.ts'
import { encodeResponse } from '../../src/protocol/frame.ts'
import { ProduceAnswers } from './produce-request.ts'
import { versions } from './versions.ts'

/** With one error code for each partition. */
function answer(errorCodes: readonly ErrorCode[]): Buffer {
  const partitionResponses = errorCodes.map((errorCode, index) => ({
    index,
    errorCode,
    baseOffset: 123_456,
    logAppendTimeMs: 99,
    logStartOffset: 7,
  }))
  const body = { responses: [{ name: 'topic', partitionResponses }], throttleTimeMs: 3 }
  return Buffer.concat(encodeResponse(produce, versions.produce, 77, body)).subarray(4)
}

for (const partitions of [1, 3, 200]) {
  test(`an answer for ${partitions} partitions is good when no error code is set, and is refused for any that is`, () => {
    const answers = new ProduceAnswers('topic')
    const codes = Array.from({ length: partitions }, (): ErrorCode => ErrorCode.NONE)
    const good = answer(codes)
    answers.check(good, 0, good.length, partitions)
    for (const place of new Set([0, partitions - 1])) {
      const bad = answer(codes.with(place, ErrorCode.NOT_LEADER_OR_FOLLOWER))
      assert.throws(() => answers.check(bad, 0, bad.length, partitions), /NOT_LEADER_OR_FOLLOWER/)
    }
  })
}

test('an answer for fewer partitions is refused', () => {
  const short = answer([ErrorCode.NONE])
  assert.throws(() => new ProduceAnswers('topic').check(short, 0, short.length, 2), /1 of 2/)
})
