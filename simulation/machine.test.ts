import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedDisk } from '../src/io/disk.sim.ts'
import { whatIsUnsettled } from './settled.ts'
import { SimulatedWorld } from './world.ts'

async function until(world: SimulatedWorld, condition: () => boolean, withinMs = 60_000): Promise<void> {
  await world.clock.advanceUntil(condition, withinMs)
}

async function startedWorld(seed = 1): Promise<SimulatedWorld> {
  const world = new SimulatedWorld({ seed })
  for (const machine of world.machines) machine.start()
  await until(world, () => whatIsUnsettled(world) === null)
  return world
}

test('three machines become a cluster, and each broker can be looked into', async () => {
  const world = await startedWorld()
  assert.deepEqual(new Set(world.image.brokers.keys()), new Set([1, 2, 3]))
  for (const { inside } of world.machines) {
    assert.equal(inside?.valid(), true)
    assert.equal(inside?.image.clusterId, world.image.clusterId)
  }
})

test('a machine without power is out of the cluster after its session, and comes back under a new epoch', async () => {
  const world = await startedWorld()
  const machine = world.machine(2)
  const { epoch } = world.image.brokers.get(2)!
  machine.powerFails()
  assert.equal(machine.inside, null)
  await until(world, () => !world.image.brokers.has(2), 5000)
  machine.start()
  await until(world, () => machine.state === 'up')
  assert.ok(world.image.brokers.get(2)!.epoch > epoch)
})

test('a frozen broker loses its registration, and does not believe in it when it thaws', async () => {
  const world = await startedWorld()
  const machine = world.machine(1)
  const inside = machine.inside!
  machine.freeze()
  assert.equal(machine.state, 'frozen')
  await until(world, () => !world.image.brokers.has(1), 5000)
  machine.thaw('ioFirst')
  assert.equal(inside.valid(), false)
  await until(world, () => inside.valid())
})

test('a broker frozen for less than its session keeps its place', async () => {
  const world = await startedWorld()
  const { epoch } = world.image.brokers.get(3)!
  world.machine(3).freeze()
  await world.clock.advance(1500)
  world.machine(3).thaw('timersFirst')
  await world.clock.advance(20_000)
  assert.equal(world.image.brokers.get(3)?.epoch, epoch)
})

test('a broker that cannot start is tried again until it can', async () => {
  const world = await startedWorld()
  const machine = world.machine(1)
  machine.kill()
  machine.failDisk({ kind: 'readFile', times: Infinity })
  machine.start()
  await world.clock.advance(10_000)
  assert.ok(machine.lives > 3)
  machine.failDisk(null)
  await until(world, () => machine.state === 'up')
})

test('a controlled shutdown ends by itself and is not undone', async () => {
  const world = await startedWorld()
  const machine = world.machine(3)
  machine.stop()
  await until(world, () => machine.state === 'down', 15_000)
  assert.equal(world.image.brokers.has(3), false)
  await world.clock.advance(10_000)
  assert.equal(machine.state, 'down')
})

test('a machine starts with the disk it is given', async () => {
  const world = await startedWorld()
  const machine = world.machine(2)
  const directoryId = (): string => world.image.brokers.get(2)!.directoryId
  const first = directoryId()
  const copy = machine.disk.copy()
  machine.powerFails()
  machine.start({ disk: 'empty' })
  await until(world, () => machine.state === 'up')
  assert.notEqual(directoryId(), first)
  machine.powerFails()
  machine.start({ disk: copy })
  await until(world, () => machine.state === 'up')
  assert.equal(directoryId(), first)
})

test('a copy of a disk has what the disk shows, and goes its own way', async () => {
  const disk = new SimulatedDisk()
  await disk.makeFolder('/data')
  await disk.replaceFile('/data/one', Buffer.from('first'))
  const copy = disk.copy()
  await disk.replaceFile('/data/one', Buffer.from('second'))
  assert.equal(Buffer.from((await copy.readFile('/data/one'))!).toString(), 'first')
  assert.equal(copy.usedBytes, 5)
})
