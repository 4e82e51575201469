import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { test, type TestContext } from 'node:test'
import { pause, waitFor } from '../support/wait-for.ts'
import { clientIdOf, Link } from './link.ts'

/** The start of a Kafka request: size, key, version, correlation id, client id. */
function requestOf(clientId: string): Buffer {
  const bytes = Buffer.alloc(14 + clientId.length)
  bytes.writeInt32BE(bytes.length - 4)
  bytes.writeInt16BE(clientId.length, 12)
  bytes.write(clientId, 14)
  return bytes
}

class Echo {
  readonly link: Link
  received = 0
  private constructor(link: Link) {
    this.link = link
  }

  static async behindLink(t: TestContext): Promise<Echo> {
    const echo = new Echo(await Link.open(clientIdOf))
    const server = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        echo.received += chunk.length
        socket.write(chunk)
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    echo.link.leadsTo((server.address() as { port: number }).port)
    t.after(async () => {
      await echo.link.close()
      server.close()
    })
    return echo
  }

  async caller(t: TestContext, clientId: string): Promise<{ socket: Socket; heard: () => number }> {
    const socket = connect(this.link.port, '127.0.0.1')
    t.after(() => socket.destroy())
    let heard = 0
    socket.on('error', () => {})
    socket.on('data', (chunk) => (heard += chunk.length))
    socket.write(requestOf(clientId))
    return { socket, heard: () => heard }
  }
}

test('a link that is cut for one caller holds its bytes back until it is healed, and lets those of others pass', async (t) => {
  const echo = await Echo.behindLink(t)
  const one = await echo.caller(t, 'one')
  const two = await echo.caller(t, 'two')
  await waitFor('both answers', () => one.heard() === 17 && two.heard() === 17)
  echo.link.cut('one')
  one.socket.write('x')
  two.socket.write('y')
  const late = await echo.caller(t, 'one')
  await waitFor('the answer of the other', () => two.heard() === 18)
  await pause(50)
  assert.deepEqual([one.heard(), late.heard()], [17, 0])
  echo.link.heal()
  await waitFor('what was held back', () => one.heard() === 18 && late.heard() === 17)
  assert.equal(echo.received, 3 * 17 + 2)
})

test('a reset ends the connections of one caller', async (t) => {
  const echo = await Echo.behindLink(t)
  const one = await echo.caller(t, 'one')
  const two = await echo.caller(t, 'two')
  await waitFor('both answers', () => one.heard() === 17 && two.heard() === 17)
  const closed = new Promise((resolve) => one.socket.once('close', resolve))
  echo.link.reset('one')
  await closed
  two.socket.write('y')
  await waitFor('the answer of the other', () => two.heard() === 18)
})

test('a caller is known by the client id of the first request, as soon as that is there', () => {
  const request = requestOf('broker-2-fetcher-0')
  assert.equal(clientIdOf(request), 'broker-2-fetcher-0')
  assert.equal(clientIdOf(request.subarray(0, request.length - 1)), null)
  assert.equal(clientIdOf(request.subarray(0, 5)), null)
})
