import assert from 'node:assert/strict'
import net from 'node:net'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { systemClock } from '../io/clock.ts'
import { apiVersions } from '../protocol/apis/api-versions.ts'
import { realNetwork } from '../io/network.real.ts'
import { NetworkError } from '../io/network.ts'
import { silentLogger } from '../lib/logger.ts'
import { AnswerSize } from './answer-size.ts'
import { FetchTurns } from './fetch-turns.ts'
import { type PipelineOptions, SimulatedPipeline } from './pipeline.sim.ts'
import { BrokerServer } from './server.ts'

const KIB = 1024
const MIB = 1024 * KIB

async function serving(options: PipelineOptions = {}) {
  const pipeline = new SimulatedPipeline(options)
  await pipeline.listen()
  pipeline.server.open()
  return pipeline
}

const reasons = (pipeline: SimulatedPipeline) => pipeline.visibleLog.map(({ fields }) => fields['reason'])

test('clients can connect before the broker is ready, and are answered once it is', async () => {
  const pipeline = new SimulatedPipeline()
  await pipeline.listen()
  const early = await pipeline.connect()
  early.ask('early')
  await pipeline.run(3000)
  assert.deepEqual(pipeline.started, [])
  pipeline.server.open()
  const late = await pipeline.connect()
  late.ask('late')
  await pipeline.run()
  assert.deepEqual([early.answered, late.answered], [[1], [1]])
})

test('a listener has the port it really got, and a second one on it is the fault of the network', async () => {
  const pipeline = new SimulatedPipeline()
  const address = await pipeline.server.listen({ name: 'PLAINTEXT', host: 'broker', port: 0 })
  assert.notEqual(address.port, 0)
  await assert.rejects(pipeline.server.listen({ ...address, name: 'OTHER' }), NetworkError)
})

test('handlers know the listener, both addresses and what the client calls itself', async () => {
  const pipeline = await serving()
  const client = await pipeline.connect('somewhere')
  client.send(client.frame(apiVersions, 3, { clientSoftwareName: 'librdkafka', clientSoftwareVersion: '2.11.0' }))
  client.ask('a')
  await pipeline.run()
  const { connection } = pipeline.contexts[0]!
  assert.deepEqual(
    { ...connection },
    {
      id: 1,
      listener: 'PLAINTEXT',
      localHost: 'broker',
      localPort: client.socket.remotePort,
      remoteAddress: 'somewhere',
      remotePort: client.socket.localPort,
      clientSoftwareName: 'librdkafka',
      clientSoftwareVersion: '2.11.0',
      fetchTurns: new FetchTurns(),
      answerSize: new AnswerSize(),
    },
  )
})

test('a connection without a byte in either direction is closed after connections.max.idle.ms', async () => {
  const pipeline = await serving({ limits: { idleMsMax: 60_000 } })
  const idle = await pipeline.connect()
  const talking = await pipeline.connect()
  idle.ask('a')
  for (let second = 0; second < 62; second++) {
    talking.ask(`${second}`)
    await pipeline.run(1000)
  }
  assert.deepEqual(idle.closed, { error: undefined })
  assert.equal(talking.closed, null)
  assert.deepEqual(reasons(pipeline), ['idle (connections.max.idle.ms)'])
  assert.deepEqual(pipeline.disconnected, [1])
})

test('a connection that waits for our answer is not idle, and has all its time again once it is answered', async () => {
  const pipeline = await serving({ limits: { idleMsMax: 60_000 } })
  const client = await pipeline.connect()
  client.ask('~join')
  await pipeline.run(300_000)
  assert.equal(client.closed, null)
  pipeline.answer('~join')
  await pipeline.run(59_000)
  assert.equal(client.closed, null)
  await pipeline.run(3000)
  assert.deepEqual(client.answered, [1])
  assert.notEqual(client.closed, null)
})

test('a client that asks and does not read is idle in the end', async () => {
  const pipeline = await serving({ limits: { idleMsMax: 60_000 } })
  const client = await pipeline.connect()
  client.socket.pause()
  client.ask('a', { replyBytes: MIB })
  client.ask('b', { replyBytes: MIB })
  await pipeline.run(62_000)
  assert.deepEqual(pipeline.disconnected, [1])
})

test('a client that takes its reply slowly is not idle', async () => {
  const pipeline = await serving({ limits: { idleMsMax: 5000 } })
  const client = await pipeline.connect()
  client.ask('a', { replyBytes: 3 * MIB })
  for (let second = 0; second < 30; second++) {
    client.socket.pause()
    await pipeline.run(900)
    client.socket.resume()
    await pipeline.run(0.1)
  }
  assert.equal(client.closed, null)
  client.socket.resume()
  await pipeline.run(100)
  assert.deepEqual(client.answered, [1])
})

test('with a negative limit no connection is ever idle', async () => {
  const pipeline = await serving({ limits: { idleMsMax: -1 } })
  const client = await pipeline.connect()
  await pipeline.run(3_600_000)
  assert.equal(client.closed, null)
})

test('with a negative limit requests of any size are read', async () => {
  const pipeline = await serving({ limits: { queuedRequestBytesMax: -1 } })
  const clients = [await pipeline.connect(), await pipeline.connect()]
  for (const client of clients) client.ask('~a', { bytes: 2 * MIB })
  await pipeline.run(100)
  assert.deepEqual(pipeline.started, ['~a', '~a'])
  assert.deepEqual(
    pipeline.sockets.map(({ steps }) => steps),
    [[], []],
  )
})

test('when replies that nobody reads exceed their bound, the longest silent go first, and only as many as must', async () => {
  const pipeline = await serving({ limits: { unsentResponseBytesMax: 2 * MIB } })
  const clients = []
  for (let n = 0; n < 4; n++) {
    const client = await pipeline.connect()
    client.socket.pause()
    client.ask(`${n}`, { replyBytes: MIB })
    clients.push(client)
    await pipeline.run(1200)
  }
  assert.deepEqual(pipeline.disconnected, [], 'none is silent for long enough')
  await pipeline.run(10_000)
  assert.deepEqual(pipeline.disconnected, [1, 2])
  assert.deepEqual(reasons(pipeline).filter(Boolean), ['does not read its replies', 'does not read its replies'])
})

test('of those that are silent for long, only as many are closed as must, the longest silent first', async () => {
  const pipeline = await serving({ limits: { unsentResponseBytesMax: 3.5 * MIB } })
  for (let n = 0; n < 3; n++) {
    const client = await pipeline.connect()
    client.socket.pause()
    client.ask(`${n}`, { replyBytes: MIB })
    await pipeline.run(1200)
  }
  await pipeline.run(10_000)
  const last = await pipeline.connect()
  last.socket.pause()
  last.ask('last', { replyBytes: MIB })
  await pipeline.run(3000)
  assert.deepEqual(pipeline.disconnected, [1])
})

test('a client that reads is not closed because others do not', async () => {
  const pipeline = await serving({ limits: { unsentResponseBytesMax: MIB } })
  const deaf = await pipeline.connect()
  deaf.socket.pause()
  deaf.ask('deaf', { replyBytes: 3 * MIB })
  const reading = await pipeline.connect()
  for (let second = 0; second < 12; second++) {
    reading.ask(`${second}`, { replyBytes: MIB })
    await pipeline.run(1000)
  }
  assert.equal(reading.replies.length, 12)
  assert.deepEqual(pipeline.disconnected, [1])
})

test('a broker that closes sends what is answered, starts nothing more, and tells of every connection once', async () => {
  const pipeline = await serving()
  const client = await pipeline.connect()
  const other = await pipeline.connect()
  client.ask('a', { replyBytes: 200 * KIB })
  client.ask('~b')
  client.ask('c')
  await pipeline.run(0.15)
  assert.deepEqual(pipeline.started, ['a', '~b'])
  await pipeline.server.close()
  assert.equal(pipeline.contexts[1]!.connection.signal.aborted, true)
  assert.deepEqual(pipeline.disconnected, [1, 2])
  assert.equal(pipeline.server.connectionCount, 0)
  pipeline.answer('~b')
  await pipeline.run(3000)
  assert.equal(pipeline.server.queuedRequestBytes, 0)
  assert.deepEqual(client.answered, [1])
  assert.deepEqual([client.closed, other.closed], [{ error: undefined }, { error: undefined }])
  assert.deepEqual(pipeline.started, ['a', '~b'])
  assert.deepEqual(pipeline.disconnected, [1, 2])
})

test('a broker that has closed leaves no timer and no listener behind, and may be closed again', async () => {
  const pipeline = await serving()
  const client = await pipeline.connect()
  client.ask('a')
  await pipeline.run()
  await pipeline.server.close()
  await pipeline.server.close()
  await pipeline.run(10_000)
  assert.equal(pipeline.clock.pendingTimers, 0)
  await assert.rejects(pipeline.connect(), NetworkError)
})

test('a client that does not read its last replies keeps its connection for a few seconds only', async () => {
  const pipeline = await serving()
  const client = await pipeline.connect()
  client.socket.pause()
  client.ask('a', { replyBytes: MIB })
  await pipeline.run()
  await pipeline.server.close()
  await pipeline.run(4000)
  assert.equal(pipeline.network.openSockets, 2)
  await pipeline.run(2000)
  assert.equal(pipeline.network.openSockets, 1)
})

test('a client that does read its last replies is not remembered any longer', async () => {
  const pipeline = await serving()
  const client = await pipeline.connect()
  client.socket.pause()
  client.ask('a', { replyBytes: MIB })
  await pipeline.run()
  await pipeline.server.close()
  client.socket.resume()
  await pipeline.run(100)
  assert.deepEqual(client.answered, [1])
  assert.equal(pipeline.clock.pendingTimers, 0)
})

test('a broker that stops waits for its sockets, and cuts off a client that does not close its side', async () => {
  const pipeline = await serving()
  const polite = await pipeline.connect()
  const deaf = await pipeline.connect()
  deaf.socket.pause()
  deaf.ask('a', { replyBytes: MIB })
  await pipeline.run()
  await pipeline.server.close()
  let stoppedAt = Infinity
  const start = pipeline.clock.monotonic()
  const stopped = pipeline.server.socketsClosed().then(() => {
    stoppedAt = pipeline.clock.monotonic() - start
  })
  await pipeline.run(200)
  assert.deepEqual([polite.closed, stoppedAt], [{ error: undefined }, Infinity])
  await pipeline.run(100)
  await stopped
  assert.equal(stoppedAt, 250)
})

test('a broker without connections has no sockets to wait for', async () => {
  const pipeline = await serving()
  const client = await pipeline.connect()
  client.socket.destroy()
  await pipeline.run()
  await pipeline.server.close()
  await pipeline.server.socketsClosed()
  assert.equal(pipeline.clock.pendingTimers, 0)
})

test('a client on TCP that sends its requests and ends its side at once reads all its replies', async (t) => {
  const server = new BrokerServer({
    network: realNetwork,
    clock: systemClock,
    logger: silentLogger,
    dispatcher: { dispatch: (_, frame) => [Buffer.alloc(20, frame)] },
    limits: { requestBytesMax: KIB, queuedRequestBytesMax: -1, unsentResponseBytesMax: MIB, idleMsMax: -1 },
    onDisconnected: () => undefined,
  })
  t.after(() => server.close())
  const { port } = await server.listen({ name: 'PLAINTEXT', host: '127.0.0.1', port: 0 })
  server.open()
  const client = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  client.end(Buffer.concat(Array.from({ length: 50 }, () => Buffer.from('0000000141', 'hex'))))
  assert.equal((await buffer(client)).toString(), 'A'.repeat(50 * 20))
})

test('a listener that opens while the broker closes is closed too', async () => {
  const pipeline = new SimulatedPipeline()
  const listening = pipeline.listen()
  await pipeline.server.close()
  await listening
  await assert.rejects(pipeline.connect(), NetworkError)
})
