import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from './clock.sim.ts'
import { networkContract, type NetworkUnderTest } from './network.contract.ts'
import { SimulatedNetwork, type SimulatedNetworkOptions } from './network.sim.ts'
import type { Socket } from './network.ts'
import { seededRandom } from './random.sim.ts'

function underTest(options: Partial<SimulatedNetworkOptions> = {}): NetworkUnderTest {
  const clock = new SimulatedClock()
  return {
    network: new SimulatedNetwork({ clock, ...options }).host('host-a'),
    host: 'host-a',
    until: (condition) => clock.advanceUntil(condition),
    quiet: () => clock.advance(50),
  }
}

networkContract('simulated', () => underTest())
networkContract('simulated, arriving in pieces', () => underTest({ random: seededRandom(11), windowBytes: 300_000 }))

async function cluster(options: Partial<SimulatedNetworkOptions> = {}) {
  const clock = new SimulatedClock(0)
  const network = new SimulatedNetwork({ clock, latencyMs: 5, ...options })
  const events: string[] = []
  const own = (name: string, socket: Socket) => {
    socket.onData = (bytes) => events.push(`${clock.now()} ${name} got ${Buffer.from(bytes).toString()}`)
    socket.onClose = (error) => events.push(`${clock.now()} ${name} closed${error === undefined ? '' : ' broken'}`)
    return socket
  }
  const servers: Socket[] = []
  await network.host('b').listen({ host: '0.0.0.0', port: 9092 }, (socket) => servers.push(own('b', socket)))
  const connecting = network.host('a').connect({ host: 'b', port: 9092 })
  await clock.advance(20)
  const client = own('a', await connecting)
  return { clock, network, events, client, server: servers[0]! }
}

test('bytes take the latency of the link', async () => {
  const { clock, network, events, client, server } = await cluster()
  client.write([Buffer.from('1')])
  network.setLatency('a', 'b', 50)
  server.write([Buffer.from('2')])
  await clock.advance(100)
  assert.deepEqual(events, ['25 b got 1', '70 a got 2'])
})

test('a lower latency does not let later bytes overtake', async () => {
  const { clock, network, events, client } = await cluster({ latencyMs: 10 })
  client.write([Buffer.from('1')])
  network.setLatency('a', 'b', 1)
  client.write([Buffer.from('2')])
  await clock.advance(100)
  assert.deepEqual(events, ['30 b got 1', '30 b got 2'])
})

test('a cut holds bytes back until it is healed', async () => {
  const { clock, network, events, client, server } = await cluster()
  network.cut('a', 'b')
  client.write([Buffer.from('1')])
  client.write([Buffer.from('2')])
  server.write([Buffer.from('3')])
  await clock.advance(1000)
  assert.deepEqual(events, [])
  network.heal('a', 'b')
  await clock.advance(1000)
  assert.deepEqual(events, ['1025 b got 1', '1025 b got 2', '1025 a got 3'])
})

test('what a cut held back arrives before what was sent later', async () => {
  const { clock, network, events, client } = await cluster()
  network.cut('a', 'b')
  client.write([Buffer.from('1')])
  await clock.advance(8)
  client.write([Buffer.from('2')])
  await clock.advance(2)
  network.heal('a', 'b')
  await clock.advance(100)
  assert.deepEqual(events, ['33 b got 1', '35 b got 2'])
})

test('bytes arrive in order, whatever cuts and latencies do', async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seededRandom(seed)
    const { clock, network, client, server } = await cluster()
    let received = ''
    server.onData = (bytes) => (received += Buffer.from(bytes).toString())
    let sent = ''
    for (let i = 0; i < 60; i++) {
      network.setLatency('a', 'b', random.below(500) / 7)
      if (random.chance(0.1)) network.cut('a', 'b')
      if (random.chance(0.2)) network.heal('a', 'b')
      client.write([Buffer.from(`${i} `)])
      sent += `${i} `
      await clock.advance(random.below(100) / 13)
    }
    network.heal('a', 'b')
    await clock.advance(1000)
    assert.equal(received, sent, `seed ${seed}`)
  }
})

test('a cut in one direction leaves the other alone', async () => {
  const { clock, network, events, client, server } = await cluster()
  network.cutOneWay('a', 'b')
  client.write([Buffer.from('1')])
  server.write([Buffer.from('2')])
  await clock.advance(1000)
  assert.deepEqual(events, ['25 a got 2'])
})

test('connecting across a cut waits, and times out', async () => {
  const { clock, network } = await cluster({ connectTimeoutMs: 1000 })
  network.cut('a', 'b')
  let outcome = 'waiting'
  network
    .host('a')
    .connect({ host: 'b', port: 9092 })
    .then(
      () => (outcome = 'connected'),
      (error: { code: string }) => (outcome = error.code),
    )
  await clock.advance(999)
  assert.equal(outcome, 'waiting')
  await clock.advance(1)
  assert.equal(outcome, 'ETIMEDOUT')
  network.heal('a', 'b')
  await clock.advance(100)
  assert.equal(network.openSockets, 2, 'the late attempt opens nothing')
})

test('a reset breaks the connections between two hosts and no others', async () => {
  const { clock, network, events } = await cluster()
  const other = network.host('c').connect({ host: 'b', port: 9092 })
  await clock.advance(20)
  network.reset('b', 'a')
  await clock.advance(20)
  assert.deepEqual(events.sort(), ['40 a closed broken', '40 b closed broken'])
  assert.equal(network.openSockets, 2)
  assert.ok((await other).write([Buffer.from('x')]))
})

test('a killed process closes its connections and listens no more, without hearing of it', async () => {
  const { clock, network, events, client, server } = await cluster()
  const old = network.host('b')
  network.killHost('b')
  await clock.advance(20)
  assert.deepEqual(events, ['25 a closed'])
  assert.equal(network.openSockets, 0)
  assert.ok(client.write([Buffer.from('x')]) && server.write([Buffer.from('y')]))
  await assert.rejects(() => old.connect({ host: 'a', port: 1 }), { code: 'ENETDOWN' })
  const refused = assert.rejects(network.host('a').connect({ host: 'b', port: 9092 }), { code: 'ECONNREFUSED' })
  await clock.advance(20)
  await refused
  await network.host('b').listen({ host: 'b', port: 9092 }, () => undefined)
})

test('a crashed machine falls silent', async () => {
  const { clock, network, events, client } = await cluster()
  network.crashHost('b')
  client.write([Buffer.from('anyone?')])
  await clock.advance(60_000)
  assert.deepEqual(events, [])
  assert.equal(network.openSockets, 1)
})

test('no more than the window is on its way to a paused reader', async () => {
  const { clock, client, server } = await cluster({ windowBytes: 1000 })
  server.pause()
  client.write([Buffer.alloc(5000)])
  await clock.advance(1000)
  assert.equal(client.bufferedBytes, 4000)
})

test('closed connections leave no timers behind', async () => {
  const { clock, network, client } = await cluster()
  client.end()
  await clock.advance(20)
  assert.equal(network.openSockets, 0)
  assert.equal(clock.pendingTimers, 0)
})
