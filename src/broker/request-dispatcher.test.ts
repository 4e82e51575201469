import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'node:test'
import { SimulatedClock } from '../io/clock.sim.ts'
import { apiVersions } from '../protocol/apis/api-versions.ts'
import { heartbeat } from '../protocol/apis/heartbeat.ts'
import { produce } from '../protocol/apis/produce.ts'
import { ErrorCode } from '../protocol/error-code.ts'
import { decodeResponse, encodeRequest } from '../protocol/frame.ts'
import type { AnyApi, RequestInput, ResponseOf } from '../protocol/schema/index.ts'
import { AnswerSize } from './answer-size.ts'
import { FetchTurns } from './fetch-turns.ts'
import { CloseConnection, type ConnectionInfo, type Handler, type RequestContext } from './handler.ts'
import { apiVersionsHandler } from './handlers/api-versions.ts'
import { type Answer, type RequestAnswered, RequestDispatcher, RequestRefused } from './request-dispatcher.ts'
import { advertised, serve, type ServedApi, tableOf } from './served-api.ts'
import type { Services } from './services.ts'

const connection: ConnectionInfo = {
  id: 7,
  listener: 'PLAINTEXT',
  localHost: 'localhost',
  localPort: 9092,
  remoteAddress: '10.0.0.1',
  remotePort: 50_000,
  clientSoftwareName: 'unknown',
  clientSoftwareVersion: 'unknown',
  fetchTurns: new FetchTurns(),
  answerSize: new AnswerSize(),
  signal: new AbortController().signal,
}

type HeartbeatHandler = Handler<typeof heartbeat, 'brokerId'>
type HeartbeatAnswer = ResponseOf<typeof heartbeat> | null

const ok: HeartbeatAnswer = { throttleTimeMs: 3, errorCode: ErrorCode.NONE }

function dispatcherOf(handleHeartbeat: HeartbeatHandler = () => ok, clock = new SimulatedClock()) {
  const noProduce: Handler<typeof produce> = () => null
  const rows: ServedApi[] = [
    serve(produce, noProduce, { advertisedMin: 0 }),
    serve(heartbeat, handleHeartbeat),
    serve(
      apiVersions,
      apiVersionsHandler(() => advertised(rows)),
    ),
  ]
  return new RequestDispatcher(tableOf(rows), { clock, brokerId: 42 } as unknown as Services)
}

function frameOf<A extends AnyApi>(api: A, version: number, body: RequestInput<A>, clientId: string | null = 'me') {
  return Buffer.concat(encodeRequest(api, version, { correlationId: 99, clientId }, body)).subarray(4)
}

const beat = (version = 4) => frameOf(heartbeat, version, { groupId: 'g', generationId: 5, memberId: 'm' })

/** The reply without its size field, which must be right. */
function replyOf(answer: Answer | Promise<Answer>): Buffer {
  assert.ok(!(answer instanceof Promise))
  const bytes = Buffer.concat(answer)
  assert.equal(bytes.readInt32BE(0), bytes.length - 4)
  return bytes.subarray(4)
}

test('a request reaches its handler with context and services, and the answer is written in the version of the request', () => {
  const seen: (RequestContext & { brokerId: number; groupId: string })[] = []
  const dispatcher = dispatcherOf((context, { groupId }) => {
    const { apiVersion, clientId, principal, brokerId } = context
    seen.push({ connection: context.connection, apiVersion, clientId, principal, brokerId, groupId })
    return ok
  })
  for (const version of [0, 1, 4]) {
    const { correlationId, body } = decodeResponse(
      heartbeat,
      version,
      replyOf(dispatcher.dispatch(connection, beat(version))),
    )
    assert.equal(correlationId, 99)
    assert.deepEqual(body, { throttleTimeMs: version >= 1 ? 3 : 0, errorCode: ErrorCode.NONE })
  }
  assert.deepEqual(
    seen.map(({ apiVersion }) => apiVersion),
    [0, 1, 4],
  )
  assert.deepEqual(seen[2], {
    connection,
    apiVersion: 4,
    clientId: 'me',
    principal: 'User:ANONYMOUS',
    brokerId: 42,
    groupId: 'g',
  })
})

test('an answer that comes later is a promise', async () => {
  const dispatcher = dispatcherOf(async () => ok)
  const answer = dispatcher.dispatch(connection, beat())
  assert.ok(answer instanceof Promise)
  assert.equal(decodeResponse(heartbeat, 4, replyOf(await answer)).body.throttleTimeMs, 3)
})

for (const [when, handler] of [
  ['at once', () => null],
  ['later', async () => null],
] satisfies [string, HeartbeatHandler][]) {
  test(`no answer, ${when}, is no bytes`, async () => {
    assert.deepEqual(await dispatcherOf(handler).dispatch(connection, beat()), [])
  })
}

const refused: { name: string; frame: Uint8Array; message: RegExp }[] = [
  { name: 'an empty frame', frame: Buffer.alloc(0), message: /cannot read request header/ },
  { name: 'half a header', frame: beat().subarray(0, 7), message: /cannot read request header/ },
  {
    name: 'an API that is not served',
    frame: Buffer.from('001300000000000100026d65', 'hex'),
    message: /^unknown API key 19 \(client id me\)$/,
  },
  {
    name: 'a version above the served ones',
    frame: Buffer.concat([Buffer.from('000c0009', 'hex'), beat().subarray(4)]),
    message: /^Heartbeat version 9 is not supported \(client id me\)$/,
  },
  {
    name: 'a version that is only advertised',
    frame: Buffer.concat([Buffer.from('00000002', 'hex'), beat(1).subarray(4)]),
    message: /^Produce version 2 is not supported \(client id me\)$/,
  },
  { name: 'a body that ends early', frame: beat().subarray(0, -2), message: /Heartbeat version 4 \(client id me\): / },
  {
    name: 'bytes after the body',
    frame: Buffer.concat([beat(), Buffer.alloc(1)]),
    message: /Heartbeat version 4 \(client id me\): /,
  },
]
for (const { name, frame, message } of refused) {
  test(`${name} is refused, with words for the log`, () => {
    const dispatcher = dispatcherOf(() => assert.fail('no handler may be called'))
    assert.throws(
      () => dispatcher.dispatch(connection, frame),
      (error) => error instanceof RequestRefused && message.test(error.message),
    )
  })
}

test('a client id is named by its beginning only', () => {
  const frame = frameOf(heartbeat, 0, { groupId: 'g', generationId: 5, memberId: 'm' }, 'x'.repeat(30_000))
  assert.throws(
    () => dispatcherOf().dispatch(connection, frame.subarray(0, -1)),
    (error) => error instanceof RequestRefused && error.message.length < 300,
  )
})

for (const version of [5, 99, -1, 32767]) {
  test(`ApiVersions of version ${version} is answered as version 0 with what may be asked (KIP-511)`, () => {
    const frame = frameOf(apiVersions, 0, {})
    frame.writeInt16BE(version, 2)
    const reply = replyOf(dispatcherOf().dispatch(connection, frame))
    // Correlation id 99 and no tag section, error 35, one entry: key 18, versions 0 to 4.
    assert.equal(reply.toString('hex'), '00000063_0023_00000001_001200000004'.replaceAll('_', ''))
  })
}

test('ApiVersions of an unknown version is answered whatever its body and client id are', () => {
  const frame = Buffer.concat([Buffer.from('0012006300000063', 'hex'), Buffer.from('ffffffffffffffff', 'hex')])
  assert.equal(replyOf(dispatcherOf().dispatch(connection, frame)).readInt16BE(4), ErrorCode.UNSUPPORTED_VERSION)
})

test('ApiVersions is answered without tags in its header in every version', () => {
  for (const version of [0, 1, 2, 3, 4]) {
    const frame = frameOf(apiVersions, version, { clientSoftwareName: 'a', clientSoftwareVersion: '1' })
    const { body } = decodeResponse(apiVersions, version, replyOf(dispatcherOf().dispatch(connection, frame)))
    assert.deepEqual(body.apiKeys, [
      { apiKey: 0, minVersion: 0, maxVersion: produce.versions[1] },
      { apiKey: 12, minVersion: 0, maxVersion: 4 },
      { apiKey: 18, minVersion: 0, maxVersion: 4 },
    ])
  }
})

test('what a handler throws comes out as it is', async () => {
  const closing = new CloseConnection('acks=0')
  const thrown = dispatcherOf(() => {
    throw closing
  })
  assert.throws(
    () => thrown.dispatch(connection, beat()),
    (error) => error === closing,
  )
  const rejected = dispatcherOf(async () => {
    throw closing
  })
  await assert.rejects(
    async () => rejected.dispatch(connection, beat()),
    (error) => error === closing,
  )
})

test('an answer that cannot be written is thrown', () => {
  const dispatcher = dispatcherOf(() => ({ throttleTimeMs: 2 ** 40, errorCode: ErrorCode.NONE }))
  assert.throws(() => dispatcher.dispatch(connection, beat()), /throttleTimeMs/)
})

test('who listens hears of every answered request, and how long it took', async () => {
  const clock = new SimulatedClock()
  const heard: RequestAnswered[] = []
  const listen = (message: unknown) => void heard.push(message as RequestAnswered)
  let finish: (answer: HeartbeatAnswer) => void = () => assert.fail('no request came')
  const dispatcher = dispatcherOf(
    () =>
      new Promise((resolve) => {
        finish = resolve
      }),
    clock,
  )
  const unheard = dispatcher.dispatch(connection, beat())
  const finishUnheard = finish
  subscribe('odradek:request', listen)
  try {
    const answer = dispatcher.dispatch(connection, beat())
    await clock.advance(12)
    finishUnheard(ok)
    await unheard
    finish(ok)
    const reply = Buffer.concat(await answer)
    assert.deepEqual(heard, [
      {
        api: 'Heartbeat',
        apiVersion: 4,
        clientId: 'me',
        connection: 7,
        requestBytes: beat().length,
        responseBytes: reply.length,
        durationMs: 12,
      },
    ])
  } finally {
    unsubscribe('odradek:request', listen)
  }
})
