import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import test from 'node:test'

import { ErrorCode } from '../protocol/error-code.ts'
import { WaitingRequests } from './waiting-requests.ts'

const refusal = (code: ErrorCode) => `refused ${code}`

test('each request gets its own answer', async () => {
  const waiting = new WaitingRequests()
  const [one, two] = [waiting.add(refusal), waiting.add(refusal)]
  waiting.answer(two.replyTo, 'two')
  waiting.answer(one.replyTo, 'one')
  assert.deepEqual(await Promise.all([one.answer, two.answer]), ['one', 'two'])
  assert.equal(waiting.size, 0)
})

test('whoever waits can be refused, alone or with all others', async () => {
  const waiting = new WaitingRequests()
  const requests = [waiting.add(refusal), waiting.add(refusal), waiting.add(refusal)]
  waiting.refuse(requests[1]!.replyTo, ErrorCode.NOT_COORDINATOR)
  waiting.refuseAll(ErrorCode.UNKNOWN_SERVER_ERROR)
  assert.deepEqual(await Promise.all(requests.map(({ answer }) => answer)), ['refused -1', 'refused 16', 'refused -1'])
})

test('the first answer counts', async () => {
  const waiting = new WaitingRequests()
  const { replyTo, answer } = waiting.add(refusal)
  waiting.answer(replyTo, 'first')
  waiting.answer(replyTo, 'second')
  waiting.refuse(replyTo, ErrorCode.NOT_COORDINATOR)
  assert.equal(await answer, 'first')
})

test('a connection that stays open keeps nothing of requests that were answered', async () => {
  const waiting = new WaitingRequests()
  const { signal } = new AbortController()
  const { replyTo, answer } = waiting.add(refusal, signal)
  assert.equal(getEventListeners(signal, 'abort').length, 1)
  waiting.answer(replyTo, 'done')
  await answer
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('a request of a connection that has closed already does not wait', async () => {
  const waiting = new WaitingRequests()
  const { answer } = waiting.add(refusal, AbortSignal.abort())
  assert.equal(await answer, `refused ${ErrorCode.NETWORK_EXCEPTION}`)
  assert.equal(waiting.size, 0)
})
