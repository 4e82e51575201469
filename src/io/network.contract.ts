// What every network must do: one suite for TCP and for the simulation.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Listener, type Network, NetworkError, type Socket } from './network.ts'

export interface NetworkUnderTest {
  readonly network: Network
  /** Where to listen and connect. */
  readonly host: string
  /** Lets the network work until the condition holds. */
  until(condition: () => boolean): Promise<void>
  /** Lets the network work until nothing more is to be expected. */
  quiet(): Promise<void>
}

interface TestScope {
  after(fn: () => unknown): void
}

/** A socket and what its owner heard. */
interface Heard {
  readonly socket: Socket
  readonly bytes: Buffer[]
  readonly closes: (Error | undefined)[]
  drains: number
}

function hear(socket: Socket): Heard {
  const heard: Heard = { socket, bytes: [], closes: [], drains: 0 }
  socket.onData = (bytes) => void heard.bytes.push(Buffer.from(bytes))
  socket.onClose = (error) => void heard.closes.push(error)
  socket.onDrain = () => {
    heard.drains += 1
  }
  return heard
}

function received(heard: Heard): number {
  return heard.bytes.reduce((sum, bytes) => sum + bytes.length, 0)
}

const text = (heard: Heard) => Buffer.concat(heard.bytes).toString()

export function networkContract(name: string, create: () => NetworkUnderTest) {
  async function connected(t: TestScope) {
    const under = create()
    const accepted: Heard[] = []
    const listener = await under.network.listen({ host: under.host, port: 0 }, (socket) => accepted.push(hear(socket)))
    t.after(() => listener.close())
    const client = hear(await awaited(under, under.network.connect({ host: under.host, port: listener.port })))
    t.after(() => client.socket.destroy())
    await under.until(() => accepted.length === 1)
    const server = accepted[0]!
    t.after(() => server.socket.destroy())
    return { under, listener, accepted, client, server }
  }

  describe(`${name}: network contract`, () => {
    test('both ends of a connection know both addresses', async (t) => {
      const { listener, client, server } = await connected(t)
      assert.ok(listener.port > 0)
      assert.equal(client.socket.remotePort, listener.port)
      assert.equal(server.socket.localPort, listener.port)
      assert.equal(client.socket.localPort, server.socket.remotePort)
      assert.equal(client.socket.localAddress, server.socket.remoteAddress)
      assert.equal(client.socket.remoteAddress, server.socket.localAddress)
    })

    test('all chunks arrive, in order, in both directions', async (t) => {
      const { under, client, server } = await connected(t)
      client.socket.write([Buffer.from('one '), Buffer.from(''), Buffer.from('two ')])
      client.socket.write([Buffer.from('three')])
      client.socket.write([])
      server.socket.write([Buffer.from('answer')])
      await under.until(() => received(server) === 13 && received(client) === 6)
      assert.equal(text(server), 'one two three')
      assert.equal(text(client), 'answer')
      assert.equal(client.socket.bufferedBytes, 0)
    })

    test('more than a buffer holds arrives whole', async (t) => {
      const { under, client, server } = await connected(t)
      const chunk = (index: number) => Buffer.alloc(50_000, index)
      for (let index = 0; index < 20; index += 1) client.socket.write([chunk(index)])
      await under.until(() => received(server) === 1_000_000)
      const all = Buffer.concat(server.bytes)
      for (let index = 0; index < 20; index += 1) {
        assert.ok(all.subarray(index * 50_000, (index + 1) * 50_000).equals(chunk(index)))
      }
    })

    test('an owner who has a place for the next bytes finds them there, those that it has none for elsewhere', async (t) => {
      const { under, client, server } = await connected(t)
      const sent = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251))
      const place = Buffer.alloc(sent.length)
      const wants = (from: number) => from >= 1000 && from < 200_000
      let at = 0
      let inPlace = 0
      server.socket.readInto = () => (wants(at) ? place.subarray(at, Math.min(at + 70_000, 200_000)) : null)
      server.socket.onData = (bytes) => {
        if (bytes.buffer === place.buffer && bytes.byteOffset === place.byteOffset + at) inPlace += bytes.length
        else place.set(bytes, at)
        at += bytes.length
      }
      client.socket.write([sent.subarray(0, 1000)])
      await under.until(() => at === 1000)
      client.socket.write([sent.subarray(1000)])
      await under.until(() => at === sent.length)
      assert.ok(place.equals(sent))
      assert.ok(inPlace > 0)
    })

    test('a paused reader makes the writer wait, and is told everything once it resumes', async (t) => {
      const { under, client, server } = await connected(t)
      server.socket.pause()
      const chunk = Buffer.alloc(100_000, 7)
      let sent = 0
      while (client.socket.write([chunk, chunk])) {
        sent += 2 * chunk.length
        assert.ok(sent < 1_000_000_000, 'the buffers between have a bound')
        await under.quiet()
      }
      sent += 2 * chunk.length
      assert.ok(client.socket.bufferedBytes > 0)
      assert.equal(received(server), 0)
      assert.equal(client.drains, 0)
      server.socket.resume()
      await under.until(() => received(server) === sent)
      await under.until(() => client.drains === 1)
      assert.equal(client.socket.bufferedBytes, 0)
      assert.ok(client.socket.write([Buffer.from('x')]))
    })

    test('ending delivers what was written, then closes both sides in order', async (t) => {
      const { under, client, server } = await connected(t)
      client.socket.write([Buffer.alloc(3_000_000, 1)])
      client.socket.end()
      client.socket.write([Buffer.from('too late')])
      await under.until(() => client.closes.length > 0 && server.closes.length > 0)
      assert.equal(received(server), 3_000_000)
      assert.deepEqual(client.closes, [undefined])
      assert.deepEqual(server.closes, [undefined])
    })

    test('ending delivers the last answer although the peer keeps sending', async (t) => {
      const { under, client, server } = await connected(t)
      client.socket.write([Buffer.alloc(300_000)])
      await under.until(() => received(server) > 0)
      server.socket.pause()
      server.socket.write([Buffer.from('last answer')])
      server.socket.end()
      const before = received(server)
      client.socket.write([Buffer.alloc(300_000)])
      await under.until(() => client.closes.length > 0 && server.closes.length > 0)
      assert.equal(text(client), 'last answer')
      assert.deepEqual(client.closes, [undefined])
      assert.equal(received(server), before, 'after end the owner hears no more bytes')
    })

    test('destroying closes at once, and the peer hears of it', async (t) => {
      const { under, client, server } = await connected(t)
      client.socket.destroy()
      assert.equal(client.closes.length, 0, 'never from within the owner’s own call')
      await under.until(() => client.closes.length > 0 && server.closes.length > 0)
      client.socket.destroy()
      client.socket.end()
      await under.quiet()
      assert.deepEqual(client.closes, [undefined])
      assert.equal(server.closes.length, 1)
    })

    test('writing to a connection that is gone does nothing', async (t) => {
      const { under, client, server } = await connected(t)
      client.socket.destroy()
      await under.until(() => client.closes.length > 0 && server.closes.length > 0)
      assert.equal(client.socket.write([Buffer.from('x')]), true)
      assert.equal(server.socket.write([Buffer.from('x'), Buffer.from('y')]), true)
      await under.quiet()
      assert.equal(client.closes.length, 1)
      assert.equal(server.closes.length, 1)
    })

    test('bytes the peer never reads are an error to it when the other side keeps writing', async (t) => {
      const { under, client, server } = await connected(t)
      server.socket.destroy()
      await under.until(() => server.closes.length > 0)
      for (let round = 0; round < 10 && client.closes.length === 0; round += 1) {
        client.socket.write([Buffer.from('x')])
        await under.quiet()
      }
      await under.until(() => client.closes.length > 0)
      assert.equal(client.closes.length, 1)
    })

    test('a closed listener frees its port and leaves open connections alone', async (t) => {
      const { under, listener, client, server } = await connected(t)
      await listener.close()
      await assert.rejects(
        () => awaited(under, under.network.connect({ host: under.host, port: listener.port })),
        (error) => error instanceof NetworkError && error.code === 'ECONNREFUSED',
      )
      const successor: Listener = await under.network.listen({ host: under.host, port: listener.port }, () => undefined)
      assert.equal(successor.port, listener.port)
      await successor.close()
      client.socket.write([Buffer.from('still here')])
      await under.until(() => received(server) === 10)
    })

    test('a port in use is a fault', async (t) => {
      const { under, listener } = await connected(t)
      await assert.rejects(
        () => under.network.listen({ host: under.host, port: listener.port }, () => undefined),
        (error) => error instanceof NetworkError && error.code === 'EADDRINUSE',
      )
    })

    test('a connection attempt is given up by its signal', async (t) => {
      const { under, listener } = await connected(t)
      const controller = new AbortController()
      const attempt = under.network.connect({ host: under.host, port: listener.port, signal: controller.signal })
      controller.abort()
      await assert.rejects(
        () => awaited(under, attempt),
        (error) => error instanceof NetworkError && error.code === 'ECANCELED',
      )
      await assert.rejects(() =>
        awaited(under, under.network.connect({ host: under.host, port: listener.port, signal: AbortSignal.abort() })),
      )
    })

    test('many connections share a listener and do not mix', async (t) => {
      const { under, listener, accepted } = await connected(t)
      const clients: Heard[] = []
      for (let index = 0; index < 20; index += 1) {
        const client = hear(await awaited(under, under.network.connect({ host: under.host, port: listener.port })))
        t.after(() => client.socket.destroy())
        clients.push(client)
        client.socket.write([Buffer.from(`client ${index}`)])
      }
      await under.until(() => accepted.length === 21 && accepted.slice(1).every((server) => received(server) >= 8))
      await under.quiet()
      for (const server of accepted.slice(1)) {
        const index = clients.findIndex((client) => client.socket.localPort === server.socket.remotePort)
        assert.equal(text(server), `client ${index}`)
        server.socket.destroy()
      }
    })
  })
}

async function awaited<T>(under: NetworkUnderTest, promise: Promise<T>): Promise<T> {
  let settled = false
  void Promise.allSettled([promise]).then(() => {
    settled = true
  })
  await under.until(() => settled)
  return promise
}
