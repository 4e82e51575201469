import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { heartbeat } from '../protocol/apis/heartbeat.ts'
import { CloseConnection } from './handler.ts'
import { type PipelineOptions, type SimulatedClient, SimulatedPipeline } from './pipeline.sim.ts'

const KIB = 1024
const MIB = 1024 * KIB

async function opened(options: PipelineOptions = {}) {
  const pipeline = new SimulatedPipeline(options)
  await pipeline.listen()
  pipeline.server.open()
  const client = await pipeline.connect()
  return { pipeline, client, server: pipeline.sockets[0]! }
}

/** Size field of a frame whose body is never sent in full. */
function sizeOf(bytes: number): Buffer {
  const size = Buffer.alloc(4)
  size.writeInt32BE(bytes)
  return size
}

/** The one line a user sees about a connection that ended. */
function onlyLine(pipeline: SimulatedPipeline) {
  assert.equal(pipeline.visibleLog.length, 1)
  return pipeline.visibleLog[0]!
}

// Order.

test('replies leave in the order of the requests, whatever order the handlers finish in', async () => {
  const { pipeline, client } = await opened()
  for (const name of ['~a', 'b', '~c', '~d']) client.produce(name)
  await pipeline.run()
  assert.deepEqual(pipeline.started, ['~a', 'b', '~c', '~d'])
  pipeline.answer('~d')
  pipeline.answer('~c')
  await pipeline.run()
  assert.deepEqual(client.answered, [])
  pipeline.answer('~a')
  await pipeline.run()
  assert.deepEqual(client.answered, [1, 2, 3, 4])
})

test('a request waits for the one before it, unless both are produce requests', async () => {
  const { pipeline, client } = await opened()
  client.produce('~p1')
  client.produce('~p2')
  client.ask('~q1')
  client.produce('~p3')
  client.ask('q2')
  await pipeline.run()
  assert.deepEqual(pipeline.started, ['~p1', '~p2'])
  pipeline.answer('~p1')
  await pipeline.run()
  assert.deepEqual(pipeline.started, ['~p1', '~p2'])
  pipeline.answer('~p2')
  await pipeline.run()
  assert.deepEqual(pipeline.started, ['~p1', '~p2', '~q1'])
  pipeline.answer('~q1')
  await pipeline.run()
  assert.deepEqual(pipeline.started, ['~p1', '~p2', '~q1', '~p3'])
  pipeline.answer('~p3')
  await pipeline.run()
  assert.deepEqual(client.answered, [1, 2, 3, 4, 5])
})

test('as many produce requests are in flight as may, and no more', async () => {
  const { pipeline, client } = await opened()
  for (let n = 0; n < 200; n++) client.produce(`~${n}`)
  await pipeline.run()
  assert.equal(pipeline.started.length, 128)
  pipeline.answer('~0', '~1')
  await pipeline.run()
  assert.equal(pipeline.started.length, 130)
})

test('as many bytes of produce requests are in flight as may, and no more', async () => {
  const { pipeline, client } = await opened()
  for (let n = 0; n < 12; n++) client.produce(`~${n}`, { bytes: 3 * MIB })
  await pipeline.run(200)
  assert.equal(pipeline.started.length, 5)
  assert.ok(pipeline.server.queuedRequestBytes < 16 * MIB + 100 * KIB, 'of the next one a part was read')
  pipeline.answer('~0')
  await pipeline.run(200)
  assert.equal(pipeline.started.length, 6)
})

test('requests come out whole, however the stream is cut', async () => {
  const { pipeline, client } = await opened({ seed: 7 })
  const frames = Buffer.concat([
    client.askFrame('a', { bytes: 300 * KIB }),
    client.produceFrame('b', { bytes: 3 }),
    client.askFrame('c'),
  ])
  for (const byte of frames.subarray(0, 40)) client.send(Uint8Array.of(byte))
  client.send(frames.subarray(40))
  await pipeline.run(200)
  assert.deepEqual(pipeline.started, ['a', 'b', 'c'])
  assert.deepEqual(client.answered, [1, 2, 3])
})

test('a produce request with acks=0 is not answered, and keeps the order of those around it', async () => {
  const { pipeline, client } = await opened()
  client.produce('a')
  client.produce('~b', { acks: 0 })
  client.produce('c')
  client.produce('d', { acks: 0 })
  client.ask('e')
  await pipeline.run()
  assert.deepEqual(client.answered, [1])
  pipeline.answer('~b')
  await pipeline.run()
  assert.deepEqual(client.answered, [1, 3, 5])
})

test('replies that are ready in one turn leave in one write', async () => {
  const { pipeline, client, server } = await opened()
  client.send(Buffer.concat(Array.from({ length: 20 }, (_, n) => client.askFrame(`now ${n}`))))
  await pipeline.run()
  assert.deepEqual([client.answered.length, server.writes.length], [20, 1])
  const names = Array.from({ length: 20 }, (_, n) => `~${n}`)
  for (const name of names) client.produce(name)
  await pipeline.run()
  pipeline.answer(...names)
  await pipeline.run()
  assert.deepEqual([client.answered.length, server.writes.length], [40, 2])
})

test('replies to producers that are ready in one turn leave after those to others', async () => {
  const { pipeline, client: producer } = await opened()
  const consumer = await pipeline.connect()
  producer.produce('~p')
  consumer.ask('~q')
  await pipeline.run()
  const before = pipeline.writers.length
  pipeline.answer('~p', '~q')
  await pipeline.run()
  const [toProducer, toConsumer] = pipeline.sockets
  assert.deepEqual(pipeline.writers.slice(before), [toConsumer, toProducer])
  assert.deepEqual([producer.answered, consumer.answered], [[1], [1]])
})

// What ends a connection.

const malformed: { name: string; bytes: (client: SimulatedClient) => Uint8Array; reason: RegExp }[] = [
  {
    name: 'an unknown API key',
    bytes: (client) => {
      const frame = client.askFrame('x')
      frame.writeInt16BE(12345, 4)
      return frame
    },
    reason: /unknown API key 12345/,
  },
  {
    name: 'an API that is not served',
    bytes: (client) => client.frame(heartbeat, 4, { groupId: 'g', generationId: 1, memberId: 'm' }),
    reason: /unknown API key 12 \(client id test-client\)/,
  },
  {
    name: 'a version that is not supported',
    bytes: (client) => {
      const frame = client.askFrame('x')
      frame.writeInt16BE(99, 6)
      return frame
    },
    reason: /SyncGroup version 99 is not supported \(client id test-client\)/,
  },
  {
    name: 'a body that ends too early',
    bytes: (client) => {
      const frame = client.askFrame('x').subarray(0, -3)
      frame.writeInt32BE(frame.length - 4)
      return frame
    },
    reason: /cannot read SyncGroup version 5 \(client id test-client\)/,
  },
  {
    name: 'bytes after the body',
    bytes: (client) => {
      const frame = Buffer.concat([client.askFrame('x'), Buffer.alloc(1)])
      frame.writeInt32BE(frame.length - 4)
      return frame
    },
    reason: /cannot read SyncGroup version 5/,
  },
  { name: 'less than a header', bytes: () => Buffer.concat([sizeOf(3), Buffer.alloc(3)]), reason: /request header/ },
  { name: 'an empty frame', bytes: () => sizeOf(0), reason: /request header/ },
  { name: 'a frame that claims 2 GiB', bytes: () => sizeOf(0x7fffffff), reason: /frame of 2147483647 bytes/ },
  { name: 'a frame of negative size', bytes: () => sizeOf(-5), reason: /frame of -5 bytes/ },
]

for (const { name, bytes, reason } of malformed) {
  test(`${name} closes the connection, after earlier replies, with one line that says why and who`, async () => {
    const { pipeline, client } = await opened()
    client.ask('a')
    client.produce('~b')
    client.send(bytes(client))
    client.ask('never')
    await pipeline.run()
    // Another request waits for the produce; a broken stream is known at once, a broken request in its turn.
    pipeline.answer('~b')
    await pipeline.run()
    assert.deepEqual(client.answered, [1, 2])
    assert.deepEqual(client.closed, { error: undefined })
    assert.deepEqual(pipeline.started, ['a', '~b'])
    const { level, fields } = onlyLine(pipeline)
    assert.equal(level, 'warn')
    assert.match(String(fields['reason']), reason)
    assert.equal(fields['client'], `client:${client.socket.localPort}`)
    assert.deepEqual(pipeline.disconnected, [1])
    assert.equal(pipeline.server.queuedRequestBytes, 0)
  })
}

test('a frame that claims too much closes the connection at once, without a byte of its body', async () => {
  const { pipeline, client } = await opened()
  client.send(sizeOf(0x7fffffff))
  await pipeline.run()
  assert.deepEqual(client.closed, { error: undefined })
})

const faults: { name: string; error: Error; level: string }[] = [
  { name: 'asks to close', error: new CloseConnection('acks=0 was refused'), level: 'warn' },
  { name: 'has a bug', error: new TypeError('undefined is not a function'), level: 'error' },
]
for (const { name, error, level } of faults) {
  test(`a handler that ${name} later closes the connection after earlier replies, and nothing more is started`, async () => {
    const { pipeline, client } = await opened()
    client.produce('~a')
    client.produce('~b')
    client.produce('~c')
    await pipeline.run()
    const startedBytes = pipeline.server.queuedRequestBytes
    pipeline.fail('~b', error)
    client.produce('d')
    await pipeline.run()
    assert.equal(client.closed, null)
    assert.equal(pipeline.server.queuedRequestBytes, startedBytes)
    pipeline.answer('~c')
    pipeline.answer('~a')
    await pipeline.run()
    assert.deepEqual(client.answered, [1])
    assert.deepEqual(client.closed, { error: undefined })
    assert.deepEqual(pipeline.started, ['~a', '~b', '~c'])
    assert.equal(onlyLine(pipeline).level, level)
  })

  test(`a handler that ${name} at once closes the connection after earlier replies`, async () => {
    const { pipeline, client } = await opened()
    pipeline.onRequest = (request) => {
      if (request === 'b') throw error
    }
    client.produce('~a')
    client.produce('b')
    client.produce('c')
    await pipeline.run()
    assert.deepEqual(pipeline.started, ['~a', 'b'])
    pipeline.answer('~a')
    await pipeline.run()
    assert.deepEqual(client.answered, [1])
    assert.deepEqual(client.closed, { error: undefined })
    assert.equal(onlyLine(pipeline).level, level)
  })
}

test('what had come behind a request that ends the connection is forgotten at once', async () => {
  const { pipeline, client } = await opened()
  for (let n = 0; n < 128; n++) client.produce(`~${n}`)
  await pipeline.run()
  const startedBytes = pipeline.server.queuedRequestBytes
  client.produce('waits', { bytes: 50 * KIB })
  await pipeline.run()
  pipeline.fail('~5', new CloseConnection('refused'))
  await pipeline.run()
  assert.equal(pipeline.server.queuedRequestBytes, startedBytes)
})

test('a connection that ends for two reasons says the first', async () => {
  const { pipeline, client } = await opened()
  for (const name of ['~a', '~b', '~c']) client.produce(name)
  await pipeline.run()
  pipeline.fail('~b', new CloseConnection('first'))
  await pipeline.run()
  pipeline.fail('~a', new CloseConnection('second'))
  await pipeline.run()
  assert.equal(onlyLine(pipeline).fields['reason'], 'first')
  assert.deepEqual([client.answered, client.closed], [[], { error: undefined }])
})

for (const name of ['a', '~a']) {
  test(`a broker that closes while it handles a request, answered ${name === 'a' ? 'at once' : 'later'}, gives all memory back`, async () => {
    const { pipeline, client } = await opened()
    pipeline.onRequest = () => void pipeline.server.close()
    client.produce(name)
    client.ask('b')
    await pipeline.run()
    pipeline.answer(...pipeline.pending)
    await pipeline.run()
    assert.deepEqual(pipeline.started, [name])
    assert.equal(pipeline.server.queuedRequestBytes, 0)
    assert.deepEqual(pipeline.disconnected, [1])
  })
}

test('a reply that cannot be written is a bug, and closes the connection', async () => {
  const { pipeline, client } = await opened()
  pipeline.onRequest = () => {
    throw new RangeError('no such int32')
  }
  client.ask('a')
  await pipeline.run()
  assert.equal(onlyLine(pipeline).level, 'error')
  assert.notEqual(client.closed, null)
})

test('a fault after the client has gone is logged, the end of its wait is not', async () => {
  const { pipeline, client } = await opened()
  client.produce('~a')
  client.produce('~b')
  await pipeline.run()
  client.socket.destroy()
  await pipeline.run()
  pipeline.fail('~a', new DOMException('This operation was aborted', 'AbortError'))
  pipeline.fail('~b', new TypeError('a bug'))
  await pipeline.run()
  assert.equal(onlyLine(pipeline).level, 'error')
})

// The end of the client.

test('the signal aborts when the client goes, and the end is told once', async () => {
  const { pipeline, client } = await opened()
  client.ask('~a')
  await pipeline.run()
  const { signal } = pipeline.contexts[0]!.connection
  assert.equal(signal.aborted, false)
  client.socket.end()
  await pipeline.run()
  assert.equal(signal.aborted, true)
  assert.deepEqual(pipeline.disconnected, [1])
  pipeline.answer('~a')
  await pipeline.run(5000)
  assert.deepEqual(pipeline.disconnected, [1])
  assert.equal(pipeline.server.connectionCount, 0)
  assert.deepEqual(pipeline.visibleLog, [])
})

test('a signal that is first asked for after the end is aborted', async () => {
  const { pipeline, client } = await opened()
  client.ask('~a')
  await pipeline.run()
  client.socket.destroy()
  await pipeline.run()
  assert.equal(pipeline.contexts[0]!.connection.signal.aborted, true)
})

test('a client that sends its requests and ends its side gets the replies that are ready at once', async () => {
  const { pipeline, client } = await opened()
  client.ask('a')
  client.ask('b')
  client.socket.end()
  await pipeline.run()
  assert.deepEqual(pipeline.started, ['a', 'b'])
  assert.equal(pipeline.sockets[0]!.writes.length > 0, true)
  assert.deepEqual(pipeline.disconnected, [1])
})

test('a request under way counts against the memory until it is done, though its client is gone', async () => {
  const { pipeline, client } = await opened()
  client.produce('~a', { bytes: 10 * KIB })
  client.produce('~b', { bytes: 20 * KIB })
  client.produce('~c', { bytes: 40 * KIB })
  await pipeline.run()
  pipeline.answer('~b')
  client.ask('waits')
  await pipeline.run()
  client.socket.destroy()
  await pipeline.run()
  assert.deepEqual(pipeline.disconnected, [1])
  const heldBytes = pipeline.server.queuedRequestBytes
  assert.ok(heldBytes > 50 * KIB && heldBytes < 51 * KIB, `${heldBytes} bytes of ~a and ~c`)
  pipeline.fail('~a', new Error('aborted'))
  await pipeline.run()
  assert.ok(pipeline.server.queuedRequestBytes < 41 * KIB)
  pipeline.answer('~c')
  await pipeline.run()
  assert.equal(pipeline.server.queuedRequestBytes, 0)
})

test('produce requests that had come whole are started although the client has gone, in order', async () => {
  const { pipeline, client } = await opened()
  const names = Array.from({ length: 200 }, (_, n) => `~${n}`)
  for (const name of names) client.produce(name, { acks: 0 })
  client.send(client.produceFrame('half').subarray(0, 30))
  client.socket.end()
  await pipeline.run()
  assert.equal(pipeline.started.length, 128)
  assert.deepEqual(pipeline.disconnected, [])
  while (pipeline.pending.length > 0) {
    pipeline.answer(...pipeline.pending)
    await pipeline.run()
  }
  assert.deepEqual(pipeline.started, names)
  assert.deepEqual(pipeline.disconnected, [1])
  assert.equal(pipeline.server.queuedRequestBytes, 0)
})

test('other requests are not started for a client that has gone', async () => {
  const { pipeline, client } = await opened()
  client.ask('~a')
  client.produce('b')
  client.socket.end()
  await pipeline.run()
  assert.deepEqual(pipeline.disconnected, [1])
  pipeline.answer('~a')
  await pipeline.run()
  assert.deepEqual(pipeline.started, ['~a'])
})

test('what a client that did not read had sent is started when it is gone, up to the first that wants a reply', async () => {
  const { pipeline, client } = await opened()
  client.socket.pause()
  client.ask('large', { replyBytes: MIB })
  client.produce('a', { acks: 0 })
  client.produce('b', { acks: 0 })
  client.ask('c')
  client.produce('d', { acks: 0 })
  await pipeline.run()
  assert.deepEqual(pipeline.started, ['large'])
  client.socket.destroy()
  await pipeline.run()
  assert.deepEqual(pipeline.started, ['large', 'a', 'b'])
  assert.deepEqual(pipeline.disconnected, [1])
})

test('a handler that closes the connection stops what a client that has gone had sent', async () => {
  const { pipeline, client } = await opened()
  for (let n = 0; n < 130; n++) client.produce(`~${n}`, { acks: 0 })
  client.socket.end()
  await pipeline.run()
  pipeline.fail('~0', new CloseConnection('refused'))
  await pipeline.run()
  assert.equal(pipeline.started.length, 128)
  assert.deepEqual(pipeline.disconnected, [1])
})

// Back pressure.

test('for a client that does not read nothing new is started, its socket is paused, and it goes on when it reads', async () => {
  const { pipeline, client, server } = await opened()
  client.socket.pause()
  const requests = 150
  for (let n = 0; n < requests; n++) client.ask(`${n}`, { replyBytes: 100 * KIB, bytes: 4 * KIB })
  await pipeline.run(1000)
  assert.ok(pipeline.started.length < 10, `${pipeline.started.length} requests started`)
  assert.equal(server.isPaused, true)
  assert.ok(pipeline.server.queuedRequestBytes < 400 * KIB)
  client.socket.resume()
  await pipeline.clock.advanceUntil(() => client.replies.length === requests)
  assert.equal(server.isPaused, false)
  assert.equal(pipeline.server.queuedRequestBytes, 0)
})

test('replies to many requests of one chunk do not pile up before the client is seen not to read', async () => {
  const { pipeline, client } = await opened()
  client.socket.pause()
  client.send(Buffer.concat(Array.from({ length: 500 }, (_, n) => client.askFrame(`${n}`, { replyBytes: 200 * KIB }))))
  await pipeline.run(1000)
  assert.ok(pipeline.started.length < 10, `${pipeline.started.length} requests started`)
})

test('a client that sends ahead is paused while it waits for an answer', async () => {
  const { pipeline, client, server } = await opened()
  client.ask('~a')
  for (let n = 0; n < 100; n++) client.ask(`${n}`, { bytes: 50 * KIB })
  await pipeline.run(1000)
  assert.equal(server.isPaused, true)
  assert.ok(pipeline.server.queuedRequestBytes < 500 * KIB)
  pipeline.answer('~a')
  await pipeline.clock.advanceUntil(() => client.replies.length === 101)
  assert.equal(server.isPaused, false)
})

test('of a large request behind one that is not answered only a part is read', async () => {
  const { pipeline, client, server } = await opened()
  client.ask('~a')
  client.produce('b', { bytes: 3 * MIB })
  await pipeline.run(1000)
  assert.equal(server.isPaused, true)
  assert.ok(pipeline.server.queuedRequestBytes < 500 * KIB)
  pipeline.answer('~a')
  await pipeline.run(1000)
  assert.deepEqual(client.answered, [1, 2])
})

test('a socket is neither paused nor resumed for a client that waits for its answers', async () => {
  const { pipeline, client, server } = await opened()
  for (let n = 0; n < 50; n++) {
    client.ask(`${n}`, { bytes: 20 * KIB, replyBytes: 20 * KIB })
    await pipeline.clock.advanceUntil(() => client.replies.length === n + 1)
  }
  assert.deepEqual(server.steps, [])
})

test('half frames of many clients over the budget are all finished, one after the other', async () => {
  const limit = 300 * KIB
  const { pipeline } = await opened({ limits: { queuedRequestBytesMax: limit } })
  const clients = await Promise.all(Array.from({ length: 20 }, () => pipeline.connect()))
  const frames = clients.map((client, n) => client.produceFrame(`${n}`, { bytes: 200 * KIB }))
  let usedMax = 0
  pipeline.onRequest = () => {
    usedMax = Math.max(usedMax, pipeline.server.queuedRequestBytes)
  }
  for (const [n, client] of clients.entries()) client.send(frames[n]!.subarray(0, 100 * KIB))
  await pipeline.run(50)
  assert.equal(pipeline.started.length, 0)
  assert.ok(pipeline.sockets.filter(({ isPaused }) => isPaused).length >= 15)
  for (const [n, client] of clients.entries()) client.send(frames[n]!.subarray(100 * KIB))
  await pipeline.clock.advanceUntil(() => clients.every(({ replies }) => replies.length === 1), 10_000)
  // One chunk of each client comes before it is paused.
  assert.ok(usedMax <= limit + 200 * KIB + 20 * 64 * KIB, `${usedMax} bytes`)
  assert.equal(pipeline.server.queuedRequestBytes, 0)
  assert.deepEqual(
    pipeline.sockets.filter(({ isPaused }) => isPaused),
    [],
  )
})

test('small requests get through while large ones that are not answered use up the budget', async () => {
  const { pipeline, client } = await opened({ limits: { queuedRequestBytesMax: 100 * KIB } })
  const other = await pipeline.connect()
  client.ask('~large', { bytes: 300 * KIB })
  await pipeline.run(50)
  other.ask('small', { bytes: 1000 })
  await pipeline.run()
  assert.deepEqual(pipeline.started, ['~large', 'small'])
  assert.deepEqual(other.answered, [1])
})

test('small requests that come in parts get through while a half frame uses up the budget', async () => {
  const { pipeline, client } = await opened({ limits: { queuedRequestBytesMax: 100 * KIB } })
  const other = await pipeline.connect()
  client.send(client.askFrame('large', { bytes: 300 * KIB }).subarray(0, 200 * KIB))
  await pipeline.run(50)
  const small = other.askFrame('small', { bytes: 10 * KIB })
  for (const part of [small.subarray(0, 1000), small.subarray(1000, 5000), small.subarray(5000)]) {
    other.send(part)
    await pipeline.run()
  }
  assert.deepEqual(other.answered, [1])
})

test('a client that does not read, with much that waits, does not keep other large requests out', async () => {
  const { pipeline, client } = await opened({ limits: { queuedRequestBytesMax: 100 * KIB } })
  client.socket.pause()
  client.ask('deaf', { replyBytes: MIB })
  client.ask('waits', { bytes: 200 * KIB })
  await pipeline.run(50)
  const others = await Promise.all([pipeline.connect(), pipeline.connect()])
  for (const [n, other] of others.entries()) other.produce(`${n}`, { bytes: 300 * KIB })
  await pipeline.run(100)
  assert.deepEqual(pipeline.started, ['deaf', '0', '1'])
})

test('one that waits for its answer does not take the turn of one that has a frame to finish', async () => {
  const { pipeline, client } = await opened({ limits: { queuedRequestBytesMax: 100 * KIB } })
  const [favoured, next] = [await pipeline.connect(), await pipeline.connect()]
  client.ask('~asked', { bytes: 300 * KIB })
  await pipeline.run(50)
  const halves = favoured.produceFrame('favoured', { bytes: 200 * KIB })
  favoured.send(halves.subarray(0, 100 * KIB))
  await pipeline.run(50)
  client.produce('behind', { bytes: 10 * KIB })
  await pipeline.run(50)
  next.produce('next', { bytes: 200 * KIB })
  await pipeline.run(50)
  assert.deepEqual(pipeline.started, ['~asked'])
  favoured.send(halves.subarray(100 * KIB))
  await pipeline.run(100)
  assert.deepEqual(pipeline.started, ['~asked', 'favoured', 'next'])
})

test('a large request that is not answered for long does not keep other large ones out', async () => {
  const { pipeline, client } = await opened({ limits: { queuedRequestBytesMax: 100 * KIB } })
  const others = await Promise.all([pipeline.connect(), pipeline.connect()])
  client.ask('~large', { bytes: 300 * KIB })
  await pipeline.run(50)
  for (const [n, other] of others.entries()) other.produce(`${n}`, { bytes: 300 * KIB })
  await pipeline.run(500)
  assert.deepEqual(pipeline.started, ['~large', '0', '1'])
})

test('a client that sends a byte a second keeps nobody waiting', async () => {
  const { pipeline, client } = await opened()
  const slow = client.askFrame('slow')
  const other = await pipeline.connect()
  for (const [at, byte] of slow.entries()) {
    client.send(Uint8Array.of(byte))
    other.ask(`${at}`)
    await pipeline.run(1000)
    assert.equal(other.replies.length, at + 1)
  }
  assert.equal(client.replies.length, 1)
})

test('when memory is short, one that sends a byte a second is closed, and those that wait go on', async () => {
  const { pipeline, client } = await opened({ limits: { queuedRequestBytesMax: 100 * KIB } })
  const half = client.askFrame('slow', { bytes: 400 * KIB }).subarray(0, 200 * KIB)
  client.send(half)
  await pipeline.run(50)
  const other = await pipeline.connect()
  other.ask('quick', { bytes: 300 * KIB })
  for (let second = 0; second < 5 && client.closed === null; second++) {
    client.send(Uint8Array.of(0))
    await pipeline.run(1000)
  }
  assert.notEqual(client.closed, null)
  assert.match(String(onlyLine(pipeline).fields['reason']), /too slowly/)
  assert.deepEqual(other.answered, [1])
})

test('when memory is short, one that sends at a fair pace takes turns with those that wait, and is not closed', async () => {
  const { pipeline, client } = await opened({ limits: { queuedRequestBytesMax: 100 * KIB } })
  const other = await pipeline.connect()
  const frame = client.askFrame('steady', { bytes: MIB })
  client.send(frame.subarray(0, 200 * KIB))
  await pipeline.run(50)
  other.ask('other', { bytes: 300 * KIB })
  for (let at = 200 * KIB; at < frame.length; at += 80 * KIB) {
    client.send(frame.subarray(at, at + 80 * KIB))
    await pipeline.run(500)
  }
  await pipeline.run(10_000)
  assert.deepEqual(pipeline.started, ['other', 'steady'])
  assert.deepEqual([client.answered, other.answered], [[1], [1]])
  assert.deepEqual(pipeline.visibleLog, [])
})

test('when memory is short, a slow disk is not held against the client that waits for it', async () => {
  const { pipeline, client } = await opened({ limits: { queuedRequestBytesMax: 100 * KIB } })
  client.produce('~disk', { bytes: 200 * KIB })
  await pipeline.run(50)
  const other = await pipeline.connect()
  other.produce('other', { bytes: 200 * KIB })
  await pipeline.run(10_000)
  pipeline.answer('~disk')
  await pipeline.run(50)
  assert.deepEqual([client.answered, other.answered], [[1], [1]])
})

test('whoever waits for a reply has all of its request counted, and nothing once it is answered', async () => {
  const { pipeline, client } = await opened()
  const frame = client.produceFrame('~a', { bytes: 1000 })
  client.send(frame)
  client.send(sizeOf(50))
  await pipeline.run()
  assert.equal(pipeline.server.queuedRequestBytes, frame.length + 4)
  pipeline.answer('~a')
  await pipeline.run()
  assert.equal(pipeline.server.queuedRequestBytes, 4)
  client.socket.destroy()
  await pipeline.run()
  assert.equal(pipeline.server.queuedRequestBytes, 0)
})

// Any interleaving.

type Step =
  | { kind: 'produce'; client: number; acks: number; bytes: number; later: boolean }
  | { kind: 'ask'; client: number; bytes: number; replyBytes: number; later: boolean }
  | { kind: 'half'; client: number; bytes: number }
  | { kind: 'garbage'; client: number }
  | { kind: 'answer' | 'fail' | 'refuse'; which: number }
  | { kind: 'end' | 'destroy' | 'pause' | 'resume'; client: number }
  | { kind: 'wait'; ms: number }

const clientCount = 4
const anyClient = fc.nat(clientCount - 1)
const anySize = fc.oneof(fc.nat(200), fc.nat(150 * KIB))
const peaceful: fc.Arbitrary<Step>[] = [
  fc.record({
    kind: fc.constant('produce' as const),
    client: anyClient,
    acks: fc.constantFrom(0, 1, -1),
    bytes: anySize,
    later: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('ask' as const),
    client: anyClient,
    bytes: anySize,
    replyBytes: anySize,
    later: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('answer' as const), which: fc.nat(1000) }),
  fc.record({ kind: fc.constantFrom('pause' as const, 'resume' as const), client: anyClient }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(30) }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(3000) }),
]
const violent: fc.Arbitrary<Step>[] = [
  fc.record({ kind: fc.constant('half' as const), client: anyClient, bytes: anySize }),
  fc.record({ kind: fc.constant('garbage' as const), client: anyClient }),
  fc.record({ kind: fc.constantFrom('fail' as const, 'refuse' as const), which: fc.nat(1000) }),
  fc.record({ kind: fc.constantFrom('end' as const, 'destroy' as const), client: anyClient }),
]

/** Does the steps; answers with the correlation ids each client must see a beginning of. */
async function play(pipeline: SimulatedPipeline, clients: readonly SimulatedClient[], steps: readonly Step[]) {
  const expected: number[][] = clients.map(() => [])
  const isOff = new Set<number>()
  let count = 0
  for (const step of steps) {
    const client = 'client' in step ? clients[step.client]! : clients[0]!
    const pending = pipeline.pending
    const name = `${'later' in step && step.later ? '~' : ''}${count++}`
    switch (step.kind) {
      case 'produce': {
        if (isOff.has(step.client)) break
        const id = client.produce(name, step)
        if (step.acks !== 0) expected[step.client]!.push(id)
        break
      }
      case 'ask':
        if (!isOff.has(step.client)) expected[step.client]!.push(client.ask(name, step))
        break
      case 'half':
        // Nothing sent after it is a request any more.
        if (!isOff.has(step.client)) client.send(client.askFrame(name, step).subarray(0, -1))
        isOff.add(step.client)
        break
      case 'garbage':
        if (!isOff.has(step.client)) client.send(sizeOf(-1))
        isOff.add(step.client)
        break
      case 'answer':
        if (pending.length > 0) pipeline.answer(pending[step.which % pending.length]!)
        break
      case 'fail':
        if (pending.length > 0) pipeline.fail(pending[step.which % pending.length]!, new TypeError('a bug'))
        break
      case 'refuse':
        if (pending.length > 0) pipeline.fail(pending[step.which % pending.length]!, new CloseConnection('refused'))
        break
      case 'end':
      case 'destroy':
      case 'pause':
      case 'resume':
        client.socket[step.kind]()
        break
      case 'wait':
        await pipeline.run(step.ms)
        break
    }
  }
  return expected
}

async function answerAll(pipeline: SimulatedPipeline): Promise<void> {
  for (let quiet = 0; quiet < 3;) {
    await pipeline.run(100)
    quiet = pipeline.pending.length === 0 ? quiet + 1 : 0
    pipeline.answer(...pipeline.pending)
  }
}

test('whatever happens in whatever order, replies keep their order, each end is told once, and all memory is given back', async () => {
  const steps = fc.array(fc.oneof(...peaceful, ...peaceful, ...peaceful, ...violent), { maxLength: 80, size: 'max' })
  await fc.assert(
    fc.asyncProperty(steps, fc.nat(), fc.constantFrom(50 * KIB, 400 * KIB, 64 * MIB), async (steps, seed, limit) => {
      const { pipeline, client } = await opened({ seed, limits: { queuedRequestBytesMax: limit, idleMsMax: 20_000 } })
      const clients = [client]
      while (clients.length < clientCount) clients.push(await pipeline.connect())
      const expected = await play(pipeline, clients, steps)
      for (const [n, { answered }] of clients.entries()) {
        assert.deepEqual(answered, expected[n]!.slice(0, answered.length))
      }
      for (const { socket } of clients) socket.destroy()
      await answerAll(pipeline)
      // Who has ended its side, does not read, and is gone without a word, is idle.
      await pipeline.run(25_000)
      assert.deepEqual(
        pipeline.disconnected.toSorted((a, b) => a - b),
        [1, 2, 3, 4],
      )
      assert.equal(pipeline.server.queuedRequestBytes, 0)
      assert.equal(pipeline.server.connectionCount, 0)
    }),
    { numRuns: 150 },
  )
})

test('as long as clients read and handlers answer, every request is answered, however small the budget', async () => {
  const steps = fc.array(fc.oneof(...peaceful), { maxLength: 80, size: 'max' })
  await fc.assert(
    fc.asyncProperty(steps, fc.nat(), fc.constantFrom(1, 50 * KIB, 400 * KIB), async (steps, seed, limit) => {
      const { pipeline, client } = await opened({ seed, limits: { queuedRequestBytesMax: limit } })
      const clients = [client]
      while (clients.length < clientCount) clients.push(await pipeline.connect())
      const expected = await play(pipeline, clients, steps)
      for (const { socket } of clients) socket.resume()
      await answerAll(pipeline)
      assert.deepEqual(
        clients.map(({ answered }) => answered),
        expected,
      )
      assert.equal(pipeline.server.queuedRequestBytes, 0)
      assert.deepEqual(
        pipeline.sockets.map(({ isPaused }) => isPaused),
        [false, false, false, false],
      )
      assert.deepEqual(pipeline.disconnected, [])
    }),
    { numRuns: 150 },
  )
})
