import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SimulatedClock } from '../io/clock.sim.ts'
import { SimulatedNetwork } from '../io/network.sim.ts'
import type { Socket } from '../io/network.ts'
import { seededRandom } from '../io/random.sim.ts'
import { heartbeat } from '../protocol/apis/heartbeat.ts'
import { FrameReader } from '../protocol/frame-reader.ts'
import { decodeRequestHeader, encodeResponse } from '../protocol/frame.ts'
import { PeerConnection, PeerUnavailable } from './peer-connection.ts'

/** A peer that answers a heartbeat with the throttle time it is told to, or as the test says. */
class Peer {
  readonly clock = new SimulatedClock()
  readonly network = new SimulatedNetwork({ clock: this.clock, random: seededRandom(3) })
  readonly sockets: Socket[] = []
  readonly seen: number[] = []
  answer = (correlationId: number): readonly Uint8Array[] =>
    encodeResponse(heartbeat, 4, correlationId, { throttleTimeMs: 7 })
  address: { host: string; port: number } | null = { host: 'peer', port: 1 }
  readonly connection = new PeerConnection({
    network: this.network.host('me'),
    clock: this.clock,
    random: seededRandom(1),
    clientId: 'test',
    address: () => this.address,
    timeoutMs: 1000,
    responseBytesMax: 1000,
  })

  listen() {
    return this.network.host('peer').listen({ host: '', port: 1 }, (socket) => {
      this.sockets.push(socket)
      const reader = new FrameReader(10_000)
      socket.onData = (bytes) => {
        reader.push(bytes)
        for (let frame = reader.next(); frame !== null; frame = reader.next()) {
          const { correlationId } = decodeRequestHeader(frame)
          this.seen.push(correlationId)
          const chunks = this.answer(correlationId)
          if (chunks.length > 0) socket.write(chunks)
        }
        reader.keep()
      }
      socket.onClose = () => {}
    })
  }

  ask() {
    return this.connection.request(heartbeat, 4, { groupId: 'g', generationId: 1, memberId: 'm' })
  }

  /** The outcome of a request, after `ms`. */
  async outcome(ms = 50): Promise<string> {
    const asked = this.ask().then(
      ({ throttleTimeMs }) => `answered ${throttleTimeMs}`,
      (error: Error) => `${error.name}: ${error.message}`,
    )
    await this.clock.advance(ms)
    return Promise.race([asked, Promise.resolve('waits')])
  }
}

async function listening(): Promise<Peer> {
  const peer = new Peer()
  await peer.listen()
  return peer
}

describe('a connection to a peer', () => {
  test('is made with the first request, and serves those that follow', async () => {
    const peer = await listening()
    assert.equal(peer.connection.isOpen, false)
    assert.deepEqual([await peer.outcome(), await peer.outcome()], ['answered 7', 'answered 7'])
    assert.equal(peer.sockets.length, 1)
    assert.deepEqual(peer.seen, [0, 1])
    assert.equal(peer.clock.pendingTimers, 0)
  })

  test('carries several requests at once', async () => {
    const peer = await listening()
    const both = Promise.all([peer.ask(), peer.ask()])
    await peer.clock.advance(50)
    assert.equal((await both).length, 2)
    assert.equal(peer.sockets.length, 1)
  })

  test('fails what waits when it breaks, and is made anew after a pause', async () => {
    const peer = await listening()
    await peer.outcome()
    peer.answer = () => []
    const asked = peer.ask()
    const failed = assert.rejects(asked, PeerUnavailable)
    await peer.clock.advance(5)
    peer.network.reset('me', 'peer')
    await peer.clock.advance(1)
    await failed
    peer.answer = (id) => encodeResponse(heartbeat, 4, id, { throttleTimeMs: 8 })
    assert.equal(await peer.outcome(20), 'waits')
    assert.equal(await peer.outcome(100), 'answered 8')
    assert.equal(peer.sockets.length, 2)
  })

  test('ends when an answer does not come in time', async () => {
    const peer = await listening()
    peer.answer = () => []
    assert.match(await peer.outcome(1001), /PeerUnavailable: Heartbeat was not answered in 1000 ms/)
    assert.equal(peer.connection.isOpen, false)
  })

  for (const [what, answer] of [
    ['an answer to another request', (id: number) => encodeResponse(heartbeat, 4, id + 1, { throttleTimeMs: 7 })],
    ['an answer that is too long', () => [Buffer.from([0, 0, 0xff, 0xff])]],
    ['bytes that are no answer', (id: number) => [Buffer.from([0, 0, 0, 5, 0, 0, 0, id, 9])]],
  ] as const) {
    test(`ends with ${what}`, async () => {
      const peer = await listening()
      peer.answer = answer
      assert.match(await peer.outcome(), /PeerUnavailable: what it sent is no answer/)
    })
  }

  test('pauses longer and longer while there is nobody', async () => {
    const peer = new Peer()
    const outcomes: string[] = []
    for (let i = 0; i < 8; i++) outcomes.push(await peer.outcome(1500))
    assert.ok(
      outcomes.every((outcome) => /no connection to peer:1/.test(outcome)),
      outcomes.join(),
    )
    await peer.outcome(500)
    assert.equal(await peer.outcome(250), 'waits', 'by now it waits for about a second')
  })

  test('fails at once while the address is not known', async () => {
    const peer = await listening()
    peer.address = null
    assert.match(await peer.outcome(), /its address is not known/)
  })

  test('that is closed fails what waits, and every later request', async () => {
    const peer = await listening()
    peer.answer = () => []
    const failed = assert.rejects(peer.ask(), PeerUnavailable)
    await peer.clock.advance(5)
    peer.connection.close()
    await failed
    assert.match(await peer.outcome(), /was closed/)
    assert.equal(peer.clock.pendingTimers, 0)
  })
})
