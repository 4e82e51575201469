import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedClock } from '../../io/clock.sim.ts'
import { SimulatedDisk } from '../../io/disk.sim.ts'
import { seededRandom } from '../../io/random.sim.ts'
import { silentLogger } from '../../lib/logger.ts'
import { DataDisk } from './data-disk.ts'
import { DiskRoom } from './disk-room.ts'
import { DiskUse } from './disk-use.ts'
import { FullVolume } from './full-volume.ts'
import { spareBytesFor, SpareFile, spareFileName } from './spare-file.ts'

const MIB = 1024 * 1024
const folder = '/data'
const spareBytes = 4 * MIB
const important = `${folder}/important`
const ordinary = `${folder}/ordinary.log`

class World {
  readonly clock = new SimulatedClock()
  readonly room = new DiskRoom()
  readonly use = new DiskUse()
  readonly machine: SimulatedDisk
  readonly full: FullVolume
  readonly disk: DataDisk

  constructor(machine: SimulatedDisk) {
    this.machine = machine
    const { clock, room, use } = this
    const spare = new SpareFile({ disk: machine, use, random: seededRandom(1), folder })
    this.full = new FullVolume({ disk: machine, folder, room, spare, clock, logger: silentLogger }, spareBytes)
    this.disk = new DataDisk({
      disk: machine,
      use,
      isPrivileged: (path) => path === important,
      makeRoom: () => this.full.makeRoom(),
    })
  }

  static async open(machine = new SimulatedDisk({ capacityBytes: 64 * MIB })): Promise<World> {
    await machine.makeFolder(folder)
    const world = new World(machine)
    await world.full.open()
    world.full.start()
    return world
  }

  async write(path: string, bytes: number, position = 0): Promise<void> {
    const file = await this.disk.open(path, { create: true })
    try {
      await file.write([new Uint8Array(bytes)], position)
    } finally {
      await file.close()
    }
  }

  /** Another program takes all that is free. */
  async fill(): Promise<void> {
    const file = await this.machine.open('/filler', { create: true })
    await file.write([new Uint8Array(this.machine.capacityBytes - this.machine.usedBytes)], await file.size())
    await file.close()
  }

  async spare(): Promise<number | null> {
    return (await this.machine.list(folder)).find(({ name }) => name === spareFileName)?.sizeBytes ?? null
  }
}

test('the spare file is made a while after the start, of real blocks, and kept for the next run', async () => {
  const { clock, machine, use, full } = await World.open()
  await clock.advance(2000)
  assert.equal(machine.usedBytes, 0)
  await clock.advance(2000)
  assert.equal(machine.usedBytes, spareBytes)
  assert.ok(use.totalBytes >= spareBytes)
  await full.stop()
  const next = await World.open(machine)
  const operations = machine.operations
  await next.clock.advance(60_000)
  assert.equal(machine.operations, operations)
})

test('no two blocks of the spare file are alike, so that a file system which looks for such keeps them all', async () => {
  const { clock, machine } = await World.open()
  await clock.advance(4000)
  const file = await machine.open(`${folder}/${spareFileName}`, { readOnly: true })
  const bytes = Buffer.alloc(spareBytes)
  assert.equal(await file.read(bytes, 0), spareBytes)
  const blockBytes = 4096
  const blocks = new Set<string>()
  for (let at = 0; at < spareBytes; at += blockBytes) blocks.add(bytes.toString('latin1', at, at + blockBytes))
  assert.equal(blocks.size, spareBytes / blockBytes)
})

test('one that was not finished is made again', async () => {
  const machine = new SimulatedDisk({ capacityBytes: 64 * MIB })
  const { clock } = await World.open(machine)
  await clock.advance(2999)
  machine.haltAt(6)
  await clock.advance(10)
  const found = machine.crash(seededRandom(1))
  const next = await World.open(found)
  await next.clock.advance(4000)
  assert.equal(await next.spare(), spareBytes)
})

test('none is made where there is not plenty of room, and it is when there is', async () => {
  const world = await World.open(new SimulatedDisk({ capacityBytes: 64 * MIB }))
  await world.write(ordinary, 57 * MIB)
  await world.clock.advance(60_000)
  assert.equal(await world.spare(), null)
  await world.disk.remove(ordinary)
  await world.clock.advance(60_000)
  assert.equal(await world.spare(), spareBytes)
})

test('what is privileged is written on a full volume, what is not fails, and it ends by itself', async () => {
  const world = await World.open()
  const { clock, room, machine } = world
  await clock.advance(4000)
  await world.write(ordinary, MIB)
  await world.fill()
  await assert.rejects(world.write(ordinary, 1000, MIB), { code: 'ENOSPC' })
  assert.equal(await world.spare(), spareBytes)
  await world.write(important, MIB)
  assert.equal(await world.spare(), null)
  assert.equal(room.volumeFull, true)
  assert.equal(room.leftBytes, -Infinity)
  // Much is written in the time of need, until the last byte.
  await world.write(important, 3 * MIB, MIB)
  await assert.rejects(world.write(important, 1000, 4 * MIB), { code: 'ENOSPC' })
  await clock.advance(10_000)
  assert.equal(room.volumeFull, true)
  await machine.remove('/filler')
  await clock.advance(1100)
  assert.equal(room.volumeFull, false)
  assert.equal(room.leftBytes, Infinity)
  assert.equal(await world.spare(), spareBytes)
})

test('a little room is not enough to go on: it would be gone at once', async () => {
  const world = await World.open()
  await world.clock.advance(4000)
  await world.fill()
  await world.write(important, MIB)
  world.machine.capacityBytes += MIB
  await world.clock.advance(10_000)
  assert.equal(world.room.volumeFull, true)
  assert.equal(await world.spare(), null)
  world.machine.capacityBytes += 8 * MIB
  await world.clock.advance(2000)
  assert.equal(world.room.volumeFull, false)
})

test('many who find no room at once give up one spare file, and are all helped', async () => {
  const world = await World.open()
  await world.clock.advance(4000)
  await world.fill()
  const folders = Array.from({ length: 10 }, (_, i) => world.disk.replaceFile(`${folder}/f${i}`, new Uint8Array(0)))
  await Promise.all(folders)
  const writes = Array.from({ length: 10 }, (_, i) => world.write(important, 1000, i * 1000))
  await Promise.all(writes)
  assert.equal((await world.machine.readFile(important))!.length, 10_000)
})

test('a spare file that is asked for while it is being made is given up all the same', async () => {
  const world = await World.open()
  const asked: Promise<void>[] = []
  world.machine.onOperation = ({ kind, path }) => {
    if (kind === 'write' && path.endsWith(spareFileName) && asked.length === 0) asked.push(world.full.makeRoom())
  }
  await world.clock.advance(3500)
  assert.equal(asked.length, 1)
  await asked[0]
  assert.equal(await world.spare(), null)
  await world.clock.advance(2000)
  assert.equal(await world.spare(), spareBytes)
})

test('a volume that is full at the start is known to be: nobody takes the rest of its room', async () => {
  const machine = new SimulatedDisk({ capacityBytes: 64 * MIB })
  const first = await World.open(machine)
  await first.write(ordinary, 63.5 * MIB)
  const world = await World.open(machine)
  assert.equal(world.room.volumeFull, true)
  await machine.remove(ordinary)
  await world.clock.advance(1100)
  assert.equal(world.room.volumeFull, false)
})

test('the spare file is a small part of the volume, and of the budget', () => {
  const GIB = 1024 * MIB
  const none = { budget: null, freeReserve: null }
  const volume = (totalBytes: number) => ({ totalBytes, freeBytes: totalBytes })
  assert.equal(spareBytesFor(volume(Infinity), none), 0)
  assert.equal(spareBytesFor(volume(100 * GIB), none), 16 * MIB)
  assert.equal(spareBytesFor(volume(64 * MIB), none), MIB)
  assert.equal(spareBytesFor(volume(MIB), none), 0)
  assert.equal(spareBytesFor(volume(100 * GIB), { budget: { bytes: 256 * MIB }, freeReserve: null }), 4 * MIB)
})
