import assert from 'node:assert/strict'
import dns from 'node:dns'
import net from 'node:net'
import { test } from 'node:test'
import { networkContract, type NetworkUnderTest } from './network.contract.ts'
import { realNetwork } from './network.real.ts'
import { NetworkError, type Socket } from './network.ts'

const turn = () =>
  new Promise<void>((resolve) => {
    setImmediate(resolve)
  })

const underTest: NetworkUnderTest = {
  network: realNetwork,
  host: '127.0.0.1',
  async until(condition) {
    const deadline = performance.now() + 10_000
    while (!condition()) {
      assert.ok(performance.now() < deadline, 'the condition came to hold within ten seconds')
      await turn()
    }
  },
  async quiet() {
    const end = performance.now() + 5
    while (performance.now() < end) await turn()
  },
}

networkContract('real', () => underTest)

test('a listener of a name looks it up, one of an address does not', async (t) => {
  const lookup = t.mock.method(dns, 'lookup')
  const open = async (host: string): Promise<void> => {
    const listener = await realNetwork.listen({ host, port: 0 }, () => undefined)
    await listener.close()
  }
  await open('localhost')
  assert.equal(lookup.mock.callCount(), 1)
  await open('127.0.0.1')
  assert.equal(lookup.mock.callCount(), 'BoundSocket' in net ? 1 : 2)
})

test('a listener says that this machine has no such address', async () => {
  // An address that stands in examples and nowhere else (RFC 5737).
  await assert.rejects(
    () => realNetwork.listen({ host: '192.0.2.1', port: 0 }, () => undefined),
    (error) => error instanceof NetworkError && error.code === 'EADDRNOTAVAIL',
  )
})

test('an IPv4 peer of an IPv6 listener has an IPv4 address', async (t) => {
  const accepted = Promise.withResolvers<Socket>()
  const listener = await realNetwork.listen({ host: '::', port: 0 }, accepted.resolve).catch(() => null)
  if (listener === null) return t.skip('no IPv6 here')
  t.after(() => listener.close())
  const client = await realNetwork.connect({ host: '127.0.0.1', port: listener.port })
  const server = await accepted.promise
  t.after(() => [client, server].forEach((socket) => socket.destroy()))
  assert.equal(server.remoteAddress, '127.0.0.1')
})

test('chunks of one write leave in one piece', async (t) => {
  const pieces: number[] = []
  const server = net.createServer((socket) => socket.on('data', (bytes) => pieces.push(bytes.length)))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.after(() => server.close())
  const client = await realNetwork.connect({ host: '127.0.0.1', port: (server.address() as net.AddressInfo).port })
  t.after(() => client.destroy())
  for (let round = 1; round <= 20; round += 1) {
    client.write(Array.from({ length: 50 }, () => Buffer.from('x')))
    await underTest.until(() => pieces.reduce((sum, length) => sum + length, 0) === 50 * round)
  }
  assert.deepEqual(
    pieces,
    Array.from({ length: 20 }, () => 50),
  )
})

test('a peer that resets the connection is an error with its name', async (t) => {
  const server = net.createServer((socket) => socket.on('data', () => socket.resetAndDestroy()))
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.after(() => server.close())
  const client = await realNetwork.connect({ host: '127.0.0.1', port: (server.address() as net.AddressInfo).port })
  const closed = Promise.withResolvers<Error | undefined>()
  client.onClose = closed.resolve
  client.write([Buffer.from('x')])
  const error = await closed.promise
  assert.ok(error !== undefined && 'code' in error)
  assert.equal(error.code, 'ECONNRESET')
})
