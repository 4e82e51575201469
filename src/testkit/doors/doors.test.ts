// What the doors of an embedded broker promise: dead is dead, and a cut link is silent.

import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { SimulatedClock } from '../../io/clock.sim.ts'
import { MemoryDisk } from '../../io/disk.memory.ts'
import { LocalChannel } from '../../io/local-channel.ts'
import { realNetwork } from '../../io/network.real.ts'
import type { Listener, Socket } from '../../io/network.ts'
import { MortalClock } from './mortal-clock.ts'
import { MortalDisk } from './mortal-disk.ts'
import { SeverableNetwork } from './severable-network.ts'

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

async function eventually(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    assert.ok(turns < 100_000, 'the condition never holds')
    await turn()
  }
}

/** Enough for anything that was on its way on loopback to arrive. */
async function quiet(): Promise<void> {
  for (let turns = 0; turns < 200; turns++) await turn()
}

test('a dead clock sets nothing off, and still tells the time', async () => {
  const simulated = new SimulatedClock()
  const clock = new MortalClock(simulated)
  const fired: string[] = []
  clock.setTimer(10, () => fired.push('before'))
  clock.setTimer(20, () => fired.push('after'))
  clock.setTimer(15, () => fired.push('cancelled')).cancel()
  await simulated.advance(15)
  clock.defer(() => fired.push('deferred'))
  clock.kill()
  clock.setTimer(0, () => fired.push('set after death'))
  await simulated.advance(100)
  assert.deepEqual([fired, clock.monotonic(), simulated.pendingTimers], [['before'], 115, 0])
})

test('a dead disk answers nothing; what was written stays, and lock and files are free', async () => {
  const disk = new MemoryDisk()
  const mortal = new MortalDisk(disk)
  await mortal.makeFolder('/data')
  assert.ok(await mortal.lock('/data'))
  assert.equal(await disk.lock('/data'), null)
  const file = await mortal.open('/data/log', { create: true })
  await file.write([Buffer.from('kept')], 0)
  const underWay = file.write([Buffer.from(' too')], 4)
  let heard = 0
  const hear = () => heard++
  void underWay.then(hear, hear)
  await mortal.kill()
  void file.write([Buffer.from('never')], 0).then(hear, hear)
  void mortal.readFile('/data/log').then(hear, hear)
  void mortal.lock('/data').then(hear, hear)
  await quiet()
  assert.equal(heard, 0)
  assert.equal(Buffer.from((await disk.readFile('/data/log'))!).toString(), 'kept too')
  await (await disk.lock('/data'))!.release()
})

test('a disk that lives passes everything on, faults too', async () => {
  const mortal = new MortalDisk(new MemoryDisk())
  await assert.rejects(mortal.open('/nowhere'), { code: 'ENOENT' })
  await mortal.makeFolder('/data')
  const lock = await mortal.lock('/data')
  assert.equal(await mortal.lock('/data'), null)
  await lock!.release()
  const file = await mortal.open('/data/a', { create: true })
  await file.write([Buffer.from('abc')], 0)
  const into = new Uint8Array(2)
  assert.deepEqual([await file.read(into, 1), Buffer.from(into).toString(), await file.size()], [2, 'bc', 3])
  await file.close()
  await mortal.rename('/data/a', '/data/b')
  assert.deepEqual(
    (await mortal.list('/data')).map(({ name }) => name),
    ['b'],
  )
})

interface Link {
  readonly network: SeverableNetwork
  readonly listener: Listener
  /** The broker's end, through the door, and the client's. */
  readonly inner: Socket
  readonly outer: Socket
  readonly heard: { inner: string; outer: string; closed: string[] }
}

async function link(t: TestContext): Promise<Link> {
  const network = new SeverableNetwork(realNetwork)
  const accepted = Promise.withResolvers<Socket>()
  const listener = await network.listen({ host: '127.0.0.1', port: 0 }, accepted.resolve)
  const outer = await realNetwork.connect({ host: '127.0.0.1', port: listener.port })
  t.after(async () => {
    outer.destroy()
    await network.kill()
  })
  const inner = await accepted.promise
  const heard = { inner: '', outer: '', closed: [] as string[] }
  for (const [name, socket] of [
    ['inner', inner],
    ['outer', outer],
  ] as const) {
    socket.onData = (bytes) => void (heard[name] += Buffer.from(bytes).toString())
    socket.onClose = () => void heard.closed.push(name)
  }
  return { network, listener, inner, outer, heard }
}

test('over a cut link nothing is heard until it is mended, then everything, in order', async (t) => {
  const { network, inner, outer, heard } = await link(t)
  outer.write([Buffer.from('1')])
  await eventually(() => heard.inner === '1')
  network.cut()
  outer.write([Buffer.from('2')])
  inner.write([Buffer.from('a')])
  inner.write([Buffer.from('b')])
  await quiet()
  assert.deepEqual([heard.inner, heard.outer], ['1', ''])
  assert.equal(inner.bufferedBytes, 2)
  network.mend()
  await eventually(() => heard.inner === '12' && heard.outer === 'ab')
})

test('a connection that is closed while the link is cut is closed for its owner at once, for the other side later', async (t) => {
  const { network, inner, heard } = await link(t)
  network.cut()
  inner.destroy()
  await quiet()
  assert.deepEqual(heard.closed, ['inner'])
  network.mend()
  await eventually(() => heard.closed.length === 2)
})

test('a connection that the other side closes while the link is cut is heard of when it is mended', async (t) => {
  const { network, outer, heard } = await link(t)
  network.cut()
  outer.destroy()
  await eventually(() => heard.closed.includes('outer'))
  await quiet()
  assert.deepEqual(heard.closed, ['outer'])
  network.mend()
  await eventually(() => heard.closed.length === 2)
})

test('whoever connects from behind a cut link waits until it is mended, or gives up', async (t) => {
  const { network } = await link(t)
  const other = await realNetwork.listen({ host: '127.0.0.1', port: 0 }, (socket) => socket.destroy())
  t.after(() => other.close())
  const where = { host: '127.0.0.1', port: other.port }
  network.cut()
  let connected = false
  const patient = network.connect(where).then((socket) => {
    connected = true
    socket.destroy()
  })
  const impatience = new AbortController()
  const impatient = network.connect({ ...where, signal: impatience.signal })
  impatience.abort()
  await assert.rejects(impatient, { code: 'ECANCELED' })
  await quiet()
  assert.equal(connected, false)
  network.mend()
  await patient
})

test('when the link is broken connections end on both sides and new ones are refused, until it is mended', async (t) => {
  const { network, listener, heard } = await link(t)
  network.break()
  await eventually(() => heard.closed.length === 2)
  await assert.rejects(network.connect({ host: '127.0.0.1', port: listener.port }), { code: 'EHOSTUNREACH' })
  let refused = false
  const late = await realNetwork.connect({ host: '127.0.0.1', port: listener.port })
  late.onClose = () => {
    refused = true
  }
  await eventually(() => refused)
  network.mend()
  const socket = await network.connect({ host: '127.0.0.1', port: listener.port })
  socket.destroy()
})

test('when the broker is dead its connections break for the others, it hears nothing, and its port is free', async (t) => {
  const { network, listener, outer, heard } = await link(t)
  outer.write([Buffer.from('unheard')])
  await network.kill()
  await eventually(() => heard.closed.includes('outer'))
  assert.deepEqual([heard.inner, heard.closed], ['', ['outer']])
  const again = await realNetwork.listen({ host: '127.0.0.1', port: listener.port }, () => {})
  await again.close()
})

test('a channel that is held carries nothing until it is released, and one that is cut never again', async () => {
  const channel = new LocalChannel()
  const heard: unknown[] = []
  channel.right.onMessage = (message) => heard.push(message)
  channel.right.onClose = () => heard.push('closed')
  channel.left.post(1)
  channel.hold()
  channel.left.post(2)
  await turn()
  assert.deepEqual(heard, [])
  channel.release()
  channel.left.post(3)
  await turn()
  assert.deepEqual(heard, [1, 2, 3])
  channel.hold()
  channel.left.post(4)
  channel.cut()
  channel.release()
  await turn()
  assert.deepEqual(heard, [1, 2, 3, 'closed'])
})
